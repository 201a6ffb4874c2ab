"""The package as freellm finds it."""

from importlib.metadata import entry_points

from freellm.extensions import load_extensions


def test_freellm_loads_the_plugin() -> None:
    _, records = load_extensions(["dashboard"])
    (record,) = [record for record in records if record.id == "dashboard"]
    assert record.status == "loaded", record.reason
    assert "register_routes" in record.hooks


def test_freellm_offers_its_command() -> None:
    (point,) = entry_points(group="freellm.commands", name="dashboard")
    assert point.load().name == "dashboard"
