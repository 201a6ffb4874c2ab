from freellm_simulator.testing import Client


async def test_requests_a_minute_end_exactly_at_the_limit_and_open_again(client: Client) -> None:
    for used in range(1, 31):
        got = await client.groq(max_tokens=20)
        assert got.status == 200
        assert got.headers["x-ratelimit-remaining-requests"] == str(1000 - used)
        client.simulation.clock.advance(1)

    refused = await client.groq(max_tokens=20)

    assert refused.status == 429
    assert refused.json["error"]["code"] == "rate_limit_exceeded"
    assert refused.json["error"]["type"] == "requests"
    assert (
        "on requests per minute (RPM): Limit 30, Used 30, Requested 1. Please try again in 30s"
        in (refused.json["error"]["message"])
    )
    assert refused.headers["retry-after"] == "30"
    client.simulation.clock.advance(29.5)
    assert (await client.groq(max_tokens=20)).headers["retry-after"] == "1"
    client.simulation.clock.advance(0.5)
    assert (await client.groq(max_tokens=20)).status == 200


async def test_the_door_counts_max_tokens_and_settles_to_what_was_used(client: Client) -> None:
    first = await client.groq("Hi", max_tokens=7900)
    spent = first.json["usage"]["total_tokens"]
    assert first.headers["x-ratelimit-remaining-tokens"] == str(
        8000 - first.json["usage"]["prompt_tokens"] - 7900
    )
    refused = await client.groq("Hi", max_tokens=7950)
    assert refused.status == 429
    assert f"(TPM): Limit 8000, Used {spent}, Requested" in refused.json["error"]["message"]
    assert refused.headers["x-ratelimit-remaining-tokens"] == str(8000 - spent)
    assert refused.headers["x-ratelimit-reset-tokens"] == "1m0s"
    too_large = await client.groq("Hi", max_tokens=8000)
    assert too_large.status == 413
    assert too_large.json["error"]["message"].startswith("Request too large for model `openai/gpt-oss-120b`")
    assert "retry-after" not in too_large.headers


async def test_each_key_is_an_organization_of_its_own(client: Client) -> None:
    for _ in range(30):
        await client.groq(max_tokens=5)
    assert (await client.groq(max_tokens=5)).status == 429
    client.keys["groq"] = "gsk_another"
    assert (await client.groq(max_tokens=5)).status == 200
