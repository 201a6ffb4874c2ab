"""The report of a simulated day: every contender beside the others, and the three targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from freellm_simulator.days.measure import Tally

CAPACITY_TARGET, REFUSED_TARGET = 0.97, 1.0
"""The share of the pool's room to be used, and the upstream 429s per 1,000 requests not to be exceeded."""

_ROWS: tuple[tuple[str, Callable[[Tally], str]], ...] = (
    ("requests", lambda tally: f"{tally.total:,}"),
    ("answered", lambda tally: f"{tally.answered:,}"),
    ("upstream 429s per 1,000 requests", lambda tally: f"{tally.refused_per_thousand:.2f}"),
    ("client errors while a route had room", lambda tally: f"{tally.errors_with_room:,}"),
    ("client errors when none had", lambda tally: f"{tally.errors.total() - tally.errors_with_room:,}"),
    ("answered at the first attempt", lambda tally: f"{tally.first_try:.2%}"),
    ("mean intelligence rank (1 is best)", lambda tally: f"{tally.mean_rank:.2f}"),
    ("models that answered", lambda tally: f"{len(tally.served)}"),
)


def print_report(tallies: Sequence[Tally], console: Console) -> None:
    """Print a table with a column for each contender, and what freellm reached of the targets.

    :param tallies: freellm's first, the measure of what is possible last
    """
    table = Table("", *(tally.name for tally in tallies), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for title, shown in _ROWS:
        table.add_row(title, *map(shown, tallies))
    shares = [tally.answered / max(tallies[-1].answered, 1) for tally in tallies]
    table.add_row("of the capacity used", *(f"{share:.1%}" for share in shares))
    console.print(table)
    console.print()
    for line in verdicts(tallies[0], shares[0]):
        console.print(line)


def verdicts(tally: Tally, share: float) -> list[str]:
    """Return a line for each target.

    :param share: freellm's answers by those that were possible
    """
    return [
        _marked(
            f"{share:.1%} of the capacity was used (target: at least {CAPACITY_TARGET:.0%})",
            share >= CAPACITY_TARGET,
        ),
        _marked(
            f"{tally.refused_per_thousand:.2f} upstream 429s per 1,000 requests (target: at most {REFUSED_TARGET:g})",
            tally.refused_per_thousand <= REFUSED_TARGET,
        ),
        _marked(
            f"{tally.errors_with_room} client errors while a route had room (target: 0)",
            tally.errors_with_room == 0,
        ),
    ]


def _marked(text: str, reached: bool) -> str:
    return f"{'reached' if reached else 'MISSED '}  {text}"
