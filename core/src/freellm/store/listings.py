"""What providers' own lists say about their models; see `freellm.listings`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from freellm.listings import Listing, Sign
from freellm.store.database import Connection
from freellm.types import ListedModel


class ListedAt(msgspec.Struct, frozen=True):
    """When a provider was last asked for its list.

    :param asked: Unix time
    :param problem: why there was no answer; empty when there was one
    """

    asked: float
    problem: str


class ListingTable:
    """Reads and writes what lists say; a write is on the disk when the method returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, dict[str, Listing]]:
        """Return everything, by provider and model id."""
        with self._connection.reading() as database:
            rows = database.execute(
                "SELECT provider, model, facts, first_seen, last_seen, signs FROM listings"
            ).fetchall()
        found: dict[str, dict[str, Listing]] = defaultdict(dict)
        for provider, model, facts, first_seen, last_seen, signs in rows:
            found[provider][model] = Listing(
                facts=msgspec.json.decode(facts, type=ListedModel),
                first_seen=first_seen,
                last_seen=last_seen,
                signs=msgspec.json.decode(signs, type=tuple[Sign, ...]),
            )
        return dict(found)

    def of(self, provider: str) -> dict[str, Listing]:
        """Return what is known of one provider's models, by model id."""
        return self.all().get(provider, {})

    def save(self, provider: str, listings: Mapping[str, Listing]) -> None:
        """Write what is known of some of a provider's models."""
        with self._connection.writing() as database:
            database.conn.executemany(
                "INSERT OR REPLACE INTO listings (provider, model, facts, first_seen, last_seen, signs)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        provider,
                        model,
                        msgspec.json.encode(listing.facts).decode(),
                        listing.first_seen,
                        listing.last_seen,
                        msgspec.json.encode(listing.signs).decode(),
                    )
                    for model, listing in listings.items()
                ],
            )

    def replace(self, provider: str, listings: Mapping[str, Listing]) -> None:
        """Write what is known of all of a provider's models, in place of what was."""
        with self._connection.writing() as database:
            database.execute("DELETE FROM listings WHERE provider = ?", [provider])
            self.save(provider, listings)

    def lists(self) -> dict[str, ListedAt]:
        """Return when each provider was last asked, by provider."""
        with self._connection.reading() as database:
            rows = database.execute("SELECT provider, asked, problem FROM lists").fetchall()
        return {provider: ListedAt(asked, problem) for provider, asked, problem in rows}

    def asked(self, provider: str, at: float, problem: str = "") -> None:
        """Note that a provider was asked at a Unix time, and what prevented an answer."""
        with self._connection.writing() as database:
            database.execute(
                "INSERT OR REPLACE INTO lists (provider, asked, problem) VALUES (?, ?, ?)",
                [provider, at, problem],
            )
