"""`freellm dashboard`: who may open the dashboard."""

from __future__ import annotations

import click


@click.group()
def dashboard() -> None:
    """Say who may open the dashboard."""
