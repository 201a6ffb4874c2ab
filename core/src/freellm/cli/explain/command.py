"""`freellm explain`: ask the running proxy what would become of a request, or the database what became of one."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError

_PAST = re.compile(r"req_[0-9a-f]{12,}")


@click.command("explain")
@click.argument("prompt", required=False)
@click.option(
    "-m", "--model", help="The model that is asked for; auto, or what the request says, unless stated."
)
@click.option(
    "--request",
    "file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with a whole chat or embeddings request as JSON; - is standard input.",
)
@click.option(
    "--all", "all_", is_flag=True, help="Print every route, however many come after the one that serves."
)
@click.option("--id", "id_", help="The id of a past request that is not of the form req_….")
@options.url
@options.api_key_env
@options.data_dir
@options.as_json
def explain(
    prompt: str | None,
    model: str | None,
    file: Path | None,
    all_: bool,
    id_: str | None,
    url: str | None,
    api_key_env: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Say which route would serve a request, and why no other.

    PROMPT is a message, or the id of a past request (req_…), of which the database knows what became of it. A request
    that has not been sent is put to the running proxy; that spends nothing.
    """
    past = id_ or (prompt if prompt and _PAST.fullmatch(prompt) else None)
    if past:
        _tell_past(past, data_dir, as_json)
    else:
        from freellm.cli.explain.report import show
        from freellm.cli.proxy import running

        body = _request(prompt, model, file)
        told = running(url, api_key_env, data_dir).post("/v1/freellm/explain", body)
        if as_json:
            printing.document(told)
        else:
            show(told, every=all_)


def _tell_past(id_: str, data_dir: Path | None, as_json: bool) -> None:
    from freellm.cli.explain.past import as_document, show
    from freellm.cli.folder import open_folder

    with open_folder(data_dir) as folder:
        logged = folder.store.request(id_)
    if logged is None:
        raise SettingsError(
            f"no request {id_!r} is logged in {folder.settings.data_dir}; X-Request-Id names it, it is logged within a "
            f"second of its end and kept for {folder.settings.journal_retention_days:g} days. Another server's folder "
            "is named with --data-dir"
        )
    if as_json:
        printing.document(as_document(id_, logged))
    else:
        show(id_, logged)


def _request(prompt: str | None, model: str | None, file: Path | None) -> bytes:
    """Return the request to explain, as JSON.

    :raises UsageError: when there is none, or two
    :raises SettingsError: when the file cannot be read
    """
    import orjson

    if (prompt is None) == (file is None):
        raise click.UsageError("state a prompt, or a request with --request FILE: one of them")
    request = _chat(prompt) if file is None else _read(file)
    if model is not None:
        request["model"] = model
    return orjson.dumps(request)


def _chat(prompt: str | None) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": prompt}]}


def _read(file: Path) -> dict[str, object]:
    import orjson

    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be read: {error.strerror}; name a file with a request as JSON"
        ) from None
    try:
        request = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"{file} is no JSON ({error}); it has to hold the body of a request") from None
    if not isinstance(request, dict):
        raise SettingsError(f"{file} has to hold one JSON object, the body of a request")
    return request
