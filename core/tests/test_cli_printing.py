import re

import pytest

from freellm.cli.printing import ago, document, plain, table

COLUMNS = ["", "name", "why"]
ROWS: list[list[object]] = [[1, "alpha", "because " * 12], [None, "a-longer-name-than-that", ""]]


def test_a_table_fits_in_a_line_a_row_when_it_goes_into_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    table(COLUMNS, ROWS, long=["why"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["name", "why"]
    assert lines[2] == ["1", "alpha", *["because"] * 12]
    assert lines[3] == ["a-longer-name-than-that"]


def test_on_a_narrow_terminal_long_columns_stand_under_their_row_with_words_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    table(COLUMNS, ROWS, long=["why"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "    name"
    assert lines[1] == "1   alpha"
    assert lines[2].startswith("    why: because because")
    assert lines[-1] == "    a-longer-name-than-that"
    assert all(len(line) <= 50 for line in lines)
    assert len(re.findall(r"\bbecause\b", "\n".join(lines))) == 12


def test_a_strangers_text_moves_no_cursor_and_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    table(["why"], [["\x1b[2J[red]x[/red]\r\n"]])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[red]x[/red]" in out
    assert plain("a\x1bb\tc\x9b") == "a b c "


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0.0, "just now"),
        (5.0, "5 s ago"),
        (90.0, "1 min ago"),
        (7300.0, "2 h ago"),
        (3e5, "3 d ago"),
        (-9.0, "just now"),
    ],
)
def test_an_age_is_told_in_words(monkeypatch: pytest.MonkeyPatch, seconds: float, says: str) -> None:
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert ago(1e9 - seconds) == says
    assert ago(None) == "never"


def test_a_document_has_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    document({"wörd": {1: None}})
    assert capsys.readouterr().out == '{\n  "wörd": {\n    "1": null\n  }\n}\n'
