"""Sentences of the documentation that hold a figure, made from the constant that the figure is."""

from __future__ import annotations

from collections.abc import Mapping

from freellm import (
    capacity,
    ceilings,
    delays,
    guessing,
    health,
    journal,
    listings,
    measurements,
    orders,
    redaction,
    server,
    sessions,
    signed_catalogue,
    tokens,
)
from freellm.gateway import activity, asking, attempts, calls, embedding, exhaustion, kept
from freellm.ledger import LEASE_AGE, burning, counters, guesses, learning, readings
from freellm.runtime import LOOK_EVERY
from freellm.settings import Settings
from freellm.store import PASSED_OVER_KEPT
from freellm.surfaces import errors
from freellm.surfaces.openai import embedding_parsing, reading, streaming
from freellm.sync import files
from freellm.sync.schedule import DAY
from freellm.types import Kind
from freellm.upstream import exchange, images

DEFAULTS = Settings()
MIB = 2**20
NUMBERS = {16: "sixteen", 3: "three", 5: "five", 2: "two", 1: "one", 4: "four"}

assert LOOK_EVERY < 1.0, "the documentation says 'within a second'"
assert asking.READ_EVERY == 1.0, "the documentation says 'once a second'"

assert (listings.LISTS_APART, health.GONE_APART) == (3600.0, 600.0), "the documentation has both in words"
assert health.GONE_CONFIRMED == 7 * DAY, "the documentation says 'a week'"

assert burning.CONSTANTS == 8.0, "the documentation says 'an eighth of the window'"

FIGURES: Mapping[str, tuple[str, ...]] = {
    "catalogue.md": (
        f"then every {DEFAULTS.models_sync_days:g} days (`models_sync_days`; 0 is never)",
        f"larger than {signed_catalogue.LIMIT // MIB} MiB, cannot be had within {files.SECONDS:g} s",
    ),
    "failures.md": (f"one of {NUMBERS[len(Kind)]} kinds",),
    "http-api.md": (
        f"{streaming.HEARTBEAT_EVERY:g} s, so that nothing on the way gives up",
        f"nothing has come for {DEFAULTS.heartbeat_after:g} s (`heartbeat_after`)",
        f"freellm gives up {reading.DEADLINE_MARGIN:g} s earlier",
        f"At most {DEFAULTS.request_timeout:g} s (`request_timeout`)",
        f"at most {DEFAULTS.body_limit // MIB} MiB, and arrives within {reading.BODY_SECONDS:g} s",
        f"did not arrive within {reading.BODY_SECONDS:g} s",
        f"if it opens within {errors.LONGEST_RETRY:g} s",
        f"up to {NUMBERS[calls.PASSED_OVER_TOLD]} better routes",
        f"`last`: the last {activity.LAST} that are over",
        f"up to {exhaustion.ROUTES_TOLD} that were not tried",
        f"a list of 1 to {embedding_parsing.MOST_INPUTS:,} strings",
        f"{NUMBERS[embedding.AT_ONCE]} of which are asked at the same time",
        f"Left out, {DEFAULTS.max_wait:g} (`max_wait`)",
    ),
    "hooks.md": (f"remembered for {kept.TTL / 60:g} minutes",),
    "quotas.md": (
        f"is {counters.BUCKETS} buckets and the one being filled",
        f"chats of {capacity.TYPICAL.input:,} tokens in and {capacity.TYPICAL.output:,} out",
        f"90 % of this model's last {tokens.SAMPLES} answers",
        f"({tokens.UNKNOWN_OUTPUT} until {tokens.ENOUGH} are known)",
        f"nobody settled for {LEASE_AGE / 60:g} minutes",
        f"a header's limit for {readings.ANSWERS_HOLD / 86_400:g} days",
        f"a refusal's for {learning.REFUSALS_HOLD / 86_400:g} day.",
        f"at least {learning.AS_GOOD_AS_FULL:.0%} of it as used".replace("%", " %"),
        f"counts as {learning.SUSPICIOUS:.0%} full".replace("%", " %"),
        f"{guesses.CONCURRENCY_PAUSE / 60:g} minutes for requests at once",
        f"raised by {guesses.STEP_FIRST * 100:g} %. Each raise",
        f"doubles the next, to {guesses.STEP_MOST * 100:g} % at most",
        f"{guesses.PAUSE_FACTOR:g} times as long, at most {guesses.PAUSE_MOST / 86_400:g} days",
        f"Forgotten** {guesses.GUESSES_HOLD / 86_400:g} days after the last refusal",
    ),
    "routing.md": (
        f"The last {measurements.MEMORY} attempts or so",
        f"fade by half every {measurements.HALF_LIFE / 3600:g} hours",
        f"sorted again every {orders.RESCORE:g} s at most",
        f"one of the first {orders.EXPLORED} places",
        f"one request in {measurements.EXPLORE_AFTER} and one in {measurements.EXPLORE_EVERY:g} s",
        f"Only after a rest of {sessions.REST / 60:g} minutes",
        f"for {DEFAULTS.max_wait:g} s at most (`max_wait`",
        f"{DEFAULTS.max_waiting} requests may wait at a time (`max_waiting`)",
        f"of its newest {delays.REMEMBERED} answers",
        f"A model needs {delays.FEWEST} answers",
        f"for {sessions.TTL / 60:g} minutes after its last answer",
        f"the first {PASSED_OVER_KEPT} routes that were passed over",
        f"{sessions.MOST:,} conversations",
        f"Up to {DEFAULTS.max_attempts} attempts (`max_attempts`)",
        f"{DEFAULTS.request_timeout:g} s (`request_timeout`), or {reading.DEADLINE_MARGIN:g} s before",
        f"after {attempts.RETRY_AFTER[0] * 1000:g} to {attempts.RETRY_AFTER[1] * 1000:g} ms",
        f"sinks a model by {health.PENALTY_STEP:g} places, at most by {health.PENALTY_MOST:g}",
        f"forgiven every {NUMBERS[int(health.PENALTY_FORGIVEN / 60)]} minutes",
        f"{NUMBERS[health.BREAKER_FAILURES].capitalize()} failures of a model at a provider within {health.BREAKER_WINDOW:g} s",
        f"open its breaker for {health.BREAKER_FIRST:g} s",
        f"at most {health.BREAKER_MOST / 60:g} minutes",
        f"tested again, up to {NUMBERS[guessing.RETESTS]} for one request",
        f"{'an' if health.TOO_LARGE_FOR == 3600 else '?'} hour after a route refused so many tokens",
    ),
    "security.md": (
        f"at most {DEFAULTS.body_limit // MIB} MiB (`FREELLM_BODY_LIMIT`), arrives within {reading.BODY_SECONDS:g} s",
        f"is closed after {server.KEEP_ALIVE:g} s",
        f"after {DEFAULTS.request_timeout:g} s, or {reading.DEADLINE_MARGIN:g} s before",
        f"{images.IMAGE_LIMIT // MIB} MiB and {images.IMAGE_SECONDS:g} s at most, {NUMBERS[images.REDIRECTS]} redirects",
        f"An answer is at most {exchange.ANSWER_LIMIT // MIB} MiB, a stream {exchange.STREAM_LIMIT // MIB} MiB",
        f"MiB and {exchange.STREAM_SECONDS / 60:g} minutes.",
    ),
    "storage-and-secrets.md": (
        f"up to {journal.BOUND:,} notes",
        f"kept for {DEFAULTS.journal_retention_days:g} days",
        f"cut to {redaction.MOST} characters",
    ),
    "decisions/0007-vector-spaces.md": (f"it waits up to {DEFAULTS.max_wait:g} s (`max_wait`)",),
    "decisions/0005-output-ceilings.md": (
        f"up to {ceilings.GENEROUS:,} tokens",
        f"last {tokens.SAMPLES} answers stayed within, {tokens.UNKNOWN_OUTPUT} until {tokens.ENOUGH} are known",
    ),
}
"""Phrases by page; line breaks of the page count as spaces."""
