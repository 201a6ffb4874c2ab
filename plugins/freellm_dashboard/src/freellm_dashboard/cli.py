"""`freellm dashboard`: who may open the dashboard."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freellm.cli import options, printing
from freellm.errors import SettingsError

if TYPE_CHECKING:
    from freellm.cli.folder import DataFolder
    from freellm.store import PluginTable


@click.group()
def dashboard() -> None:
    """Say who may open the dashboard."""


@contextmanager
def _opened(data_dir: Path | None) -> Iterator[tuple[DataFolder, PluginTable]]:
    from freellm.cli.folder import open_folder
    from freellm_dashboard.context import NAME

    with open_folder(data_dir) as folder:
        yield folder, folder.store.plugin(NAME)


@dashboard.command("link")
@options.url
@options.data_dir
@options.as_json
def link(url: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Print a link that opens the dashboard once.

    It opens nothing any more after 15 minutes, or after it was used. Nothing else is printed.
    """
    from freellm.cli.target import find_url
    from freellm_dashboard.context import URL
    from freellm_dashboard.links import VALID, Links

    with _opened(data_dir) as (folder, table):
        last = table.get(URL, folder.now())
        root = find_url(url, folder.settings) if url or last is None else last.decode()
        made = Links(table, folder.now).make(root)
        expires_at = folder.now() + VALID
    if as_json:
        printing.document({"url": made, "expires_at": expires_at})
    else:
        click.echo(made)


@dashboard.command("password")
@click.option("--remove", is_flag=True, help="Let there be none: links open the dashboard, and nothing else.")
@options.data_dir
@options.as_json
def password(remove: bool, data_dir: Path | None, as_json: bool) -> None:
    """Set the password of the dashboard.

    It is asked for without showing it, or read from stdin: freellm dashboard password < FILE. Everybody who is signed
    in is signed out, and no link that was made opens anything. Where other machines reach the server, the dashboard is
    closed as long as it has no password.
    """
    from freellm_dashboard.links import Links
    from freellm_dashboard.passwords import Password
    from freellm_dashboard.sessions import Sessions

    new = None if remove else _asked()
    with _opened(data_dir) as (folder, table):
        if new is None:
            Password(table).remove()
        else:
            Password(table).set(new)
        ended = Sessions(table, folder.now).end_all()
        Links(table, folder.now).void_all()
    if as_json:
        printing.document({"password_set": not remove, "signed_out": ended})
    else:
        click.echo(f"The password is {'removed' if remove else 'set'}; signed out: {ended}.")


def _asked() -> str:
    from freellm_dashboard.passwords import problem_of

    if sys.stdin.isatty():
        given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if problem := problem_of(given):
        raise SettingsError(problem)
    return given


@dashboard.group("sessions", invoke_without_command=True)
@options.data_dir
@options.as_json
@click.pass_context
def sessions(context: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """List the browsers that are signed in."""
    from freellm_dashboard.sessions import Sessions

    if context.invoked_subcommand is not None:
        return
    with _opened(data_dir) as (folder, table):
        found = Sessions(table, folder.now).all()
    if as_json:
        rows = [
            {
                "id": one.id,
                "created_at": one.created_at,
                "seen_at": one.seen_at,
                "expires_at": one.expires_at,
                "client": one.client,
            }
            for one in found
        ]
        printing.document({"sessions": rows})
    elif found:
        printing.table(
            ("session", "signed in", "seen", "browser"),
            [(one.id, printing.ago(one.created_at), printing.ago(one.seen_at), one.client) for one in found],
            long=("browser",),
        )
        printing.note("freellm dashboard sessions end ID ends one of them, --all ends all.")
    else:
        printing.note("Nobody is signed in. freellm dashboard link prints a link that signs you in.")


@sessions.command("end")
@click.argument("session", required=False)
@click.option("--all", "everybody", is_flag=True, help="End all of them, and void the links that were made.")
@options.data_dir
@options.as_json
def end(session: str | None, everybody: bool, data_dir: Path | None, as_json: bool) -> None:
    """Sign a browser out; its open pages notice within a second."""
    from freellm_dashboard.links import Links
    from freellm_dashboard.sessions import Sessions

    if (session is None) != everybody:
        raise SettingsError("name a session, or say --all; freellm dashboard sessions lists them")
    with _opened(data_dir) as (folder, table):
        if session is None:
            ended = Sessions(table, folder.now).end_all()
            Links(table, folder.now).void_all()
        elif Sessions(table, folder.now).end(session):
            ended = 1
        else:
            raise SettingsError(f"no session is called {session!r}; freellm dashboard sessions lists them")
    if as_json:
        printing.document({"ended": ended})
    else:
        click.echo(f"Signed out: {ended}.")
