"""`freellm dashboard`: links, the password and sessions from the command line, beside a running server."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from commandline import Commandline
from dashboards import PASSWORD
from processes import freellm_serving

TOP = Path(__file__).parents[3]


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    return Commandline(tmp_path)


@pytest.fixture
def served(line: Commandline) -> Iterator[dict[str, Any]]:
    with freellm_serving([], line.variables) as (_, facts):
        yield facts


def ask(url: str, body: object = None, cookie: str = "") -> tuple[int, Any, str]:
    """Return the status, the document and the cookie of an answer."""
    origin = "/".join(url.split("/")[:3])
    headers = {"Content-Type": "application/json", "Origin": origin, "Cookie": cookie}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
            jar = SimpleCookie(answer.headers.get("Set-Cookie", ""))
            cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())
            return answer.status, json.load(answer), cookies
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), ""


def sign_in(link: str) -> tuple[int, str]:
    root, _, token = link.partition("/login?token=")
    status, _, cookie = ask(f"{root}/api/login", {"token": token})
    return status, cookie


def signed_in(url: str, cookie: str) -> bool:
    return bool(ask(f"{url}/api/session", cookie=cookie)[1]["signed_in"])


def test_the_first_screen_has_a_link_that_opens_the_dashboard_once(served: dict[str, Any]) -> None:
    link = served["announced"]["dashboard"]
    assert link.startswith(f"{served['url']}/login?token=")
    status, cookie = sign_in(link)
    assert (status, signed_in(served["url"], cookie)) == (200, True)
    assert sign_in(link)[0] == 401


def test_a_link_of_the_command_line_opens_the_server_that_runs(
    line: Commandline, served: dict[str, Any]
) -> None:
    """It finds the port by itself, and is the whole of what is printed."""
    link = line.run("dashboard", "link").stdout
    assert link == f"{link.strip()}\n"
    assert link.startswith(f"{served['url']}/login?token=")
    assert sign_in(link.strip())[0] == 200
    told = line.document("dashboard", "link", "--url", "http://localhost:4000/")
    assert told["url"].startswith("http://localhost:4000/login?token=")
    assert 14 * 60 < told["expires_at"] - time.time() < 16 * 60


def test_sessions_are_listed_and_ended(line: Commandline, served: dict[str, Any]) -> None:
    assert line.document("dashboard", "sessions") == {"sessions": []}
    assert "freellm dashboard link" in line.run("dashboard", "sessions").stderr
    cookies = [sign_in(line.run("dashboard", "link").stdout.strip())[1] for _ in range(3)]
    rows = line.document("dashboard", "sessions")["sessions"]
    assert len({row["id"] for row in rows}) == 3
    assert rows[0]["client"].startswith("Python-urllib")
    assert rows[0]["id"] in line.run("dashboard", "sessions").stdout
    assert line.document("dashboard", "sessions", "end", rows[0]["id"]) == {"ended": 1}
    assert sum(signed_in(served["url"], cookie) for cookie in cookies) == 2
    assert "lists them" in line.refused("dashboard", "sessions", "end", rows[0]["id"])
    assert "--all" in line.refused("dashboard", "sessions", "end")
    assert "--all" in line.refused("dashboard", "sessions", "end", "x", "--all")
    unused = line.run("dashboard", "link").stdout.strip()
    assert line.document("dashboard", "sessions", "end", "--all") == {"ended": 2}
    assert not any(signed_in(served["url"], cookie) for cookie in cookies)
    assert sign_in(unused)[0] == 401


def test_a_password_is_set_and_removed(line: Commandline, served: dict[str, Any]) -> None:
    _, cookie = sign_in(served["announced"]["dashboard"])
    assert "10 characters" in line.refused("dashboard", "password", stdin="short\n")
    assert signed_in(served["url"], cookie)
    told = line.document("dashboard", "password", stdin=f"{PASSWORD}\n")
    assert told == {"password_set": True, "signed_out": 1}
    assert not signed_in(served["url"], cookie)
    login = f"{served['url']}/api/login"
    assert ask(login, {"password": PASSWORD})[0] == 200
    assert ask(login, {"password": "incorrect horse"})[0] == 401
    assert line.document("dashboard", "password", "--remove")["password_set"] is False
    assert ask(login, {"password": PASSWORD})[0] == 401


def test_a_server_for_others_says_how_to_open_its_dashboard(line: Commandline) -> None:
    with freellm_serving(["--host", "0.0.0.0"], line.variables) as (_, facts):
        assert "freellm dashboard password" in facts["announced"]["dashboard"]
    line.run("dashboard", "password", stdin=f"{PASSWORD}\n")
    with freellm_serving(["--host", "0.0.0.0"], line.variables) as (_, facts):
        assert sign_in(facts["announced"]["dashboard"])[0] == 200


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("link", ("--url", "--data-dir", "--json")),
        ("password", ("--remove", "--data-dir", "--json")),
        ("sessions", ("--data-dir", "--json")),
        ("sessions end", ("--all", "--data-dir", "--json")),
    ],
)
def test_a_command_is_documented_with_its_options(
    line: Commandline, command: str, options: tuple[str, ...]
) -> None:
    usage = line.run("dashboard", *command.split(), "--help").stdout
    named = {word.strip(",") for word in usage.split() if word.startswith("--")} - {"--help"}
    assert named == {*options}
    text = (TOP / "docs" / "cli.md").read_text("utf-8")
    section = text.partition(f"### `freellm dashboard {command}`\n")[2].partition("\n### ")[0]
    assert all(f"`{option}" in section for option in options)
