import pytest

from freellm_simulator.testing import Client


@pytest.mark.parametrize("model", ["openai/gpt-4.1", "openai/gpt-5", "nobody/knows"])
async def test_whatever_is_asked_github_models_is_gone(client: Client, model: str) -> None:
    for got in (
        await client.ask("github", model),
        await client.path("github", "/models", method="GET"),
        await client.path("github", "/embeddings", {"model": model, "input": "one"}),
        await client.path("github", "/nowhere", method="GET"),
    ):
        assert got.status == 410
        assert got.json["error"]["code"] == "github_models_retirement_brownout"
