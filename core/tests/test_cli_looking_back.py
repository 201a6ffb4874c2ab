"""`freellm log`, `freellm backup`: what happened, and keeping it."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from commandline import Commandline
from freellm.store import RequestRecord, Store

NOON = 1_900_000_800.0


@pytest.fixture
def line(tmp_path: Path) -> Commandline:
    return Commandline(tmp_path)


@pytest.fixture
def logged(line: Commandline) -> Commandline:
    """A command line on a log of three requests."""
    answered = {"provider": "groq", "model": "openai/gpt-oss-20b", "key": "k", "status": 200}
    with Store(line.data) as store:
        store.save(
            [
                RequestRecord(id="req_1", created=NOON, surface="openai", requested="auto", attempts=1, duration_ms=800.0, input_tokens=7, output_tokens=9, **answered),
                RequestRecord(id="req_2", created=NOON + 1, surface="openai", requested="auto:fast", attempts=3, duration_ms=200.0, **answered),
                RequestRecord(id="req_3", created=NOON + 2, surface="openai", requested="100%", status=429, error="rate_limited", duration_ms=5.0),
            ],
            now=NOON,
        )  # fmt: skip
    return line


def ids(line: Commandline, *options: str) -> list[str]:
    return [row["id"] for row in line.document("log", *options)["requests"]]


def test_the_log_is_listed_the_newest_first(logged: Commandline) -> None:
    assert ids(logged) == ["req_3", "req_2", "req_1"]
    shown = logged.run("log").stdout
    assert "groq/openai/gpt-oss-20b" in shown
    assert "429 rate_limited" in shown
    assert "7 + 9" in shown
    assert "nobody" in shown


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--limit", "1"], ["req_3"]),
        (["--outcome", "failed"], ["req_3"]),
        (["--outcome", "fell_back"], ["req_2"]),
        (["--provider", "groq", "--sort", "duration_ms"], ["req_1", "req_2"]),
        (["-q", "%"], ["req_3"]),
        (["-q", "FAST"], ["req_2"]),
        (["--key", "other"], []),
    ],
)
def test_the_log_is_filtered_and_sorted(logged: Commandline, options: list[str], found: list[str]) -> None:
    assert ids(logged, *options) == found


def test_an_empty_log_says_so(line: Commandline) -> None:
    assert "No request is logged" in line.run("log").stdout


def test_a_backup_is_a_private_copy(logged: Commandline, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    told = logged.document("backup", str(target))
    assert told == {"file": str(target), "bytes": target.stat().st_size}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT COUNT(*) FROM requests").fetchone() == (3,)
    assert "exists already" in logged.refused("backup", str(target))
    nowhere = logged.run("backup", str(tmp_path / "no" / "folder" / "copy.db"), exit_code=4)
    assert "No such file or directory" in nowhere.stderr


def test_a_backup_put_in_the_databases_place_is_the_database(logged: Commandline, tmp_path: Path) -> None:
    key = logged.run("apikey", "show").stdout
    logged.run("backup", str(tmp_path / "copy.db"))
    for file in logged.data.glob("freellm.db*"):
        file.unlink()
    (tmp_path / "copy.db").rename(logged.data / "freellm.db")
    assert logged.run("apikey", "show").stdout == key
    assert len(ids(logged)) == 3
