"""Every exception that freellm raises on purpose.

    FreeLLMError                  anything below; its text is safe to show to a person
    ├── PluginError               a plugin breaks the contract; names the plugin and the cure
    ├── SettingsError             a setting, a file or an argument is wrong; names it and the cure
    ├── CatalogueError            a catalogue file is not taken: its signature, its age or a field of it is wrong
    ├── StoreError                the database is damaged, newer than this release, or in use
    ├── KeyRefusedError           a provider refuses a key, or a server is none of the kind; nothing was stored
    ├── VaultError                secrets cannot be decrypted
    │   └── WrongMasterKeyError   the master key is not the one this database was encrypted with
    ├── RequestError              a client's request is refused; carries the OpenAI error fields
    └── UpstreamError             a provider could not be reached, or broke off; carries a Failure kind

No exception of this tree ever holds a secret, neither in its text nor in its arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freellm.types import Kind


class FreeLLMError(Exception):
    """The root of all errors that freellm raises on purpose."""


class PluginError(FreeLLMError):
    """A plugin breaks the contract. The text names the plugin and what to do about it."""


class SettingsError(FreeLLMError):
    """A setting, a settings file or a command's argument is wrong. The text names it and the cure."""


class CatalogueError(FreeLLMError):
    """A catalogue file is not taken, and nothing has changed. The text names the file and what is wrong with it."""


class StoreError(FreeLLMError):
    """The database cannot be used: damaged, written by a newer release, or held by another server."""


class KeyRefusedError(FreeLLMError):
    """A provider refuses a key, or a server does not answer as one of its kind; nothing was stored.

    :param message: the whole story, with the cure
    :param reason: what the provider says
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class VaultError(FreeLLMError):
    """A secret cannot be decrypted."""


class WrongMasterKeyError(VaultError):
    """The master key at hand is not the one that wrapped this database's data key."""


class RequestError(FreeLLMError):
    """A client's request is refused before any provider is asked.

    :param message: what is wrong and how to mend it, for the person who reads the client's log
    :param status: the HTTP status of the answer
    :param code: OpenAI's machine-readable `error.code`
    :param param: the request field at fault, as a path such as `messages[2].content`
    :param type_: OpenAI's `error.type`
    :param suggestions: what the client could have asked for instead, such as near model names
    :param retry_after: seconds after which the same request may succeed; None when waiting does not help
    :param details: what else the answer tells under `error.x_freellm`
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        param: str | None = None,
        type_: str = "invalid_request_error",
        suggestions: tuple[str, ...] = (),
        retry_after: float | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.param = param
        self.type = type_
        self.suggestions = suggestions
        self.retry_after = retry_after
        self.details = details or {}


class UpstreamError(FreeLLMError):
    """A provider could not be reached, was too slow, or broke the protocol.

    :param kind: the failure's name in the router's words: `timeout`, `network` or `bad_answer`
    :param message: what happened, without addresses' query strings and without headers
    :param reached: whether there may have been a connection; without one, nothing was sent
    """

    def __init__(self, kind: Kind, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.reached = reached
