"""`freellm log`: the last requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from freellm.cli import options, printing

_SORTS = ("created", "duration_ms", "first_delta_ms", "attempts", "output_tokens")


@click.command()
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many.")
@click.option("--provider", help="Only those that this provider answered last.")
@click.option("--model", help="Only those of this model, by the provider's own id.")
@click.option("--key", help="Only those of the key of this id.")
@click.option(
    "--outcome",
    type=click.Choice(["all", "ok", "failed", "fell_back"]),
    default="all",
    show_default=True,
    help="What the client got.",
)
@click.option(
    "-q", "text", metavar="TEXT", default="", help="Only those with this text in id, model or error."
)
@click.option(
    "--sort", type=click.Choice(_SORTS), default="created", show_default=True, help="The largest first."
)
@options.data_dir
@options.as_json
def log(data_dir: Path | None, as_json: bool, **wanted: Any) -> None:
    """List the last requests, and who answered them.

    What was said is not logged. `freellm explain ID` tells all about one of them.
    """
    from freellm.cli.folder import open_folder
    from freellm.store.reading import Wanted, page, reading

    with open_folder(data_dir) as folder, reading(folder.store.file) as connection:
        rows, _ = page(connection, Wanted(**wanted))
    if as_json:
        printing.document(
            {"requests": [{name: row[name] for name in row if name != "place"} for row in rows]}
        )
    elif not rows:
        click.echo("No request is logged that is like that.")
    else:
        printing.table(
            ["when", "id", "asked for", "answered by", "status", "attempts", "ms", "tokens"],
            [
                (
                    printing.ago(row["created"]),
                    row["id"],
                    row["requested"],
                    f"{row['provider']}/{row['model']}" if row["provider"] else "nobody",
                    f"{row['status']} {row['error'] or ''}".strip(),
                    row["attempts"],
                    round(row["duration_ms"]),
                    None
                    if row["input_tokens"] is None
                    else f"{row['input_tokens']} + {row['output_tokens']}",
                )
                for row in rows
            ],
        )
