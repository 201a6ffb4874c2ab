"""What the page shows of answers: cards, rows and columns. Whatever a model or a proxy said is escaped. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from freellm.measuring import Compared, Result, figures, phases
from freellm.types import Json
from freellm_tester.proxy import Exchange

PHASES = ("phase", "requests", "model served", "why")
COMPARED = ("model asked", "answered by", "first", "all", "tokens in", "tokens out", "tokens/s", "fallbacks")

_NOTHING = "—"


def cards(facts: Iterable[tuple[str, str]], *, bad: Sequence[str] = (), wide: bool = False) -> str:
    """Return facts as a row of cards, in HTML.

    :param facts: name and value of each
    :param bad: the names of those that are bad news
    :param wide: whether the values are long
    """
    drawn = (
        f'<div class="card{" bad" if name in bad else ""}"><span>{escape(name)}</span><b>{escape(value)}</b></div>'
        for name, value in facts
    )
    return f'<div class="cards{" wide" if wide else ""}">{"".join(drawn)}</div>'


def notice(text: str, *, bad: bool = False) -> str:
    """Return one sentence to the reader, in HTML."""
    return f'<p class="notice{" bad" if bad else ""}">{escape(text)}</p>'


def chatting(listed: Sequence[Json]) -> list[Json]:
    """Return the models that chat.

    :param listed: the rows of `GET /v1/models`
    """
    return [row for row in listed if row["x_freellm"]["task"] == "chat"]


def choices(listed: Sequence[Json]) -> list[tuple[str, str]]:
    """Return the models to choose from as (label, name); a closed one says why.

    :param listed: the rows of `GET /v1/models`
    """
    return [(_label(row), row["id"]) for row in listed]


def _label(row: Json) -> str:
    told = row["x_freellm"]
    return row["id"] if told["available"] else f"{row['id']} (closed: {told['reason'] or 'no route is open'})"


def state_of(url: str, listed: Sequence[Json]) -> str:
    """Return what the head of the page says about the proxy."""
    models = [row for row in listed if row["owned_by"] != "freellm"]
    providers = {row["owned_by"] for row in models}
    open_now = sum(row["x_freellm"]["available"] for row in models)
    return notice(
        f"{url}: {len(models)} models of {len(providers)} providers, {open_now} of them open at the moment"
        if models
        else f"{url} has no model: give it a provider's key with freellm keys add PROVIDER",
        bad=not models,
    )


def answer_cards(exchange: Exchange) -> str:
    """Return who answers a prompt, after how many attempts, and how fast; nothing is known of one not sent yet."""
    reading, result = exchange.reading, exchange.reading.result
    compared = Compared.of(exchange.asked, reading)
    headed = bool(exchange.head)
    facts = [
        ("X-Routed-Via", result.model or _NOTHING),
        ("X-Fallback-Attempts", str(result.attempts) if headed else _NOTHING),
        ("first piece", seconds(reading.first_delta_ms)),
        ("whole answer", seconds(result.ms if exchange.ended else None)),
        ("tokens in / out", f"{number(reading.tokens_in)} / {number(reading.tokens_out)}"),
        ("tokens/s", rate(compared.tokens_per_s)),
    ]
    return cards(facts, wide=True)


def answer_text(exchange: Exchange) -> str:
    """Return the text of an answer, or why there is none."""
    reading = exchange.reading
    if exchange.ended and reading.result.error is not None:
        return "\n\n".join(filter(None, (reading.text, _failure(reading.result))))
    if exchange.ended and not reading.text:
        return f"(no text, but reasoning:)\n\n{reading.reasoning}" if reading.reasoning else "(no text)"
    return reading.text


def _failure(result: Result) -> str:
    status = f" (status {result.status})" if result.status not in {0, 200} else ""
    return f"failed: {result.error}{status}: {result.message}"


def stress_cards(results: Sequence[Result], requests: int) -> str:
    """Return the figures of a stress test so far.

    :param requests: how many there will be
    """
    told = figures(results)
    latency = told["latency_ms"] or {}
    share = told["success_rate"]
    at_once = told["fallback_attempts"].get(0, 0)
    facts = [
        ("requests", f"{len(results)} of {requests}"),
        ("success rate", _NOTHING if share is None else f"{share:.1%}"),
        ("client-facing 429s", str(told["client_429s"])),
        ("upstream 429s", str(told["upstream_429s"])),
        ("without fallback", f"{at_once} of {len(results)}"),
        ("latency, median", seconds(latency.get("p50"))),
        ("latency, 95 %", seconds(latency.get("p95"))),
    ]
    return cards(facts, bad=["success rate"] if told["failed"] else [])


def phase_rows(results: Sequence[Result]) -> list[list[str]]:
    """Return the phases of a stress test: who served which requests, and why."""
    return [
        [
            f"Phase {phase.phase}",
            f"{phase.first}" if phase.first == phase.last else f"{phase.first}-{phase.last}",
            phase.model or "nobody",
            phase.why,
        ]
        for phase in phases(results)
    ]


def compared_rows(exchanges: Sequence[Exchange]) -> list[list[str]]:
    """Return the figures of models side by side."""
    rows = []
    for exchange in exchanges:
        row = Compared.of(exchange.asked, exchange.reading)
        by = row.model or _NOTHING
        rows.append(
            [
                row.asked,
                by if row.error is None else "failed",
                seconds(row.first_delta_ms),
                seconds(row.ms if exchange.ended else None),
                number(row.tokens_in),
                number(row.tokens_out),
                rate(row.tokens_per_s),
                str(row.attempts) if exchange.head else _NOTHING,
            ]
        )
    return rows


def answers_abreast(exchanges: Sequence[Exchange]) -> str:
    """Return the answers of models side by side, in HTML."""
    columns = []
    for exchange in exchanges:
        failed = exchange.ended and exchange.reading.result.error is not None
        waiting = "" if exchange.ended else " waiting"
        columns.append(
            f'<article class="{"bad" if failed else ""}{waiting}"><h3>{escape(exchange.asked)}</h3>'
            f"<div>{escape(answer_text(exchange))}</div></article>"
        )
    return f'<div class="abreast">{"".join(columns)}</div>'


def seconds(ms: float | None) -> str:
    """Return milliseconds as seconds."""
    return _NOTHING if ms is None else f"{ms / 1000:.2f} s"


def number(value: int | None) -> str:
    """Return a number."""
    return _NOTHING if value is None else f"{value:,}"


def rate(value: float | None) -> str:
    """Return a number a second."""
    return _NOTHING if value is None else f"{value:.1f}"
