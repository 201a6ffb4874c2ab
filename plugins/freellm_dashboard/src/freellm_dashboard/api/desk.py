"""Where handlers work: off the event loop, on what the command line works on."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from aiohttp import web

from freellm.errors import FreeLLMError, StoreError
from freellm.store.reading import read_only
from freellm_dashboard.answers import RefusedError, body_of, mismatch
from freellm_dashboard.shapes.wire import Body

if TYPE_CHECKING:
    from freellm.administration.folder import DataFolder
    from freellm.proxy import Proxy
    from freellm_dashboard.api.sharing import Shared

LARGEST: Final = 1024**2
"""Bytes of a body, at most."""

_Result = TypeVar("_Result")
_Kind = TypeVar("_Kind", bound=Body)


class Desk:
    """Runs what takes a moment in threads, so that no request of the proxy waits for it.

    :param proxy: the running proxy
    :param shared: the answers that open pages share
    """

    def __init__(self, proxy: Proxy, shared: Shared) -> None:
        self.proxy = proxy
        self.shared = shared
        self._folder = proxy.folder
        self._looking = threading.Lock()
        self._acting = ThreadPoolExecutor(4, thread_name_prefix="dashboard")
        self._reading = ThreadPoolExecutor(2, thread_name_prefix="dashboard reads")
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def work(
        self, function: Callable[..., _Result], *arguments: Any, field: str | None = None
    ) -> _Result:
        """Run a function on the data folder.

        :param function: its first argument is the folder
        :param field: the field of the request that is at fault when the function refuses it
        :raises RefusedError: when it does
        """
        return await self._run(self._acting, self._at_the_folder, function, *arguments, field=field)

    async def change(
        self, function: Callable[..., _Result], *arguments: Any, field: str | None = None
    ) -> _Result:
        """Run a function that changes the data folder, and let the proxy take that over at once; see `work`."""
        done = await self.work(function, *arguments, field=field)
        try:
            self.proxy.refresh()
        except FreeLLMError as error:
            raise RefusedError(f"it is stored, and cannot be taken over yet: {error}", status=503) from None
        return done

    async def ask(
        self, function: Callable[..., Coroutine[Any, Any, _Result]], *arguments: Any, field: str | None = None
    ) -> _Result:
        """Run a coroutine function that asks providers and may change the data folder, in a thread of its own; see `work`.

        A client that leaves does not stop it: what it has begun to store is stored.
        """
        return await self.change(_to_its_end, function, *arguments, field=field)

    async def look(
        self, function: Callable[..., _Result], *arguments: Any, field: str | None = None
    ) -> _Result:
        """Run a function that reads the request log.

        :param function: its first argument is a connection that cannot write
        """
        return await self._run(self._reading, self._at_the_log, function, *arguments, field=field)

    async def close(self, app: web.Application) -> None:
        """End the threads, once what they have begun is done; open streams go on meanwhile."""
        for threads in (self._acting, self._reading):
            await asyncio.to_thread(partial(threads.shutdown, cancel_futures=True))
        for connection in self._connections:
            connection.close()

    async def _run(
        self,
        threads: ThreadPoolExecutor,
        function: Callable[..., _Result],
        *arguments: Any,
        field: str | None,
    ) -> _Result:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(threads, function, *arguments)
        except StoreError as error:
            raise RefusedError(str(error), status=503) from None
        except FreeLLMError as error:
            raise RefusedError(str(error), field=field) from None

    def _at_the_folder(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        with self._looking:
            self._folder.look_again()
        return function(self._folder, *arguments)

    def _at_the_log(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        try:
            if connection is None:
                connection = self._own.connection = read_only(self._folder.store.file)
                self._connections.append(connection)
            return function(connection, *arguments)
        except sqlite3.Error as error:
            raise StoreError(f"the request log cannot be read: {error}") from None


def _to_its_end(
    folder: DataFolder, function: Callable[..., Coroutine[Any, Any, _Result]], *arguments: Any
) -> _Result:
    return asyncio.run(function(folder, *arguments))


class Nothing(Body, frozen=True, kw_only=True):
    """The body of what needs to be told nothing."""


async def nothing(request: web.Request) -> None:
    """Read a body that says nothing; it may be missing altogether.

    :raises RefusedError: when it says something; names the field
    """
    if request.can_read_body:
        await body_of(request, Nothing, LARGEST)


async def body(request: web.Request, kind: type[_Kind]) -> _Kind:
    """Read the body of a request.

    :raises RefusedError: when it is not of that type; names the field
    """
    return await body_of(request, kind, LARGEST)


def query(request: web.Request, kind: type[_Kind]) -> _Kind:
    """Read the query of a request.

    :raises RefusedError: when it is not of that type; names the field
    """
    given = {name: value for name, value in request.query.items() if value}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise mismatch(error) from None
