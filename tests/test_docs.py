"""The documentation says what the code does. What can be run is run in test_docs_run.py."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import freellm
from doc_figures import FIGURES
from doc_models import providers
from doc_pages import DOCS, PAGES, TOP, Block, anchors, blocks, headings, links, prose, rows, section, text_of
from doc_reference import CLOSED_FOR, EFFECTS, TYPICAL
from doc_source import docstring, error_codes, header_names, hooks, pages_named_in_code
from doc_tables import made, parts
from freellm import catalogue, signed_catalogue
from freellm.cli import cli
from freellm.cli.exits import EXIT_CODES
from freellm.gateway.consequences import RULES, Consequences
from freellm.health import Health
from freellm.keyring import ProviderKey
from freellm.ledger import Demand, Ledger
from freellm.settings import ENVIRONMENT, Settings, load_settings
from freellm.surfaces.openai.fields import CHECKS
from freellm.surfaces.openai.parsing import _OWN
from freellm.types import Failure, Kind
from freellm_simulator.faults import DELIVERIES, REFUSALS, Fault

EMPTY = re.compile(r"-->\n<!-- end -->")


def in_backticks(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text))


def flat(text: str) -> str:
    return " ".join(text.split())


# Hooks


def test_every_hook_has_a_heading_that_is_its_signature_and_no_heading_is_without_a_hook() -> None:
    documented = [words for level, words in headings(text_of("hooks.md")) if level == 3]
    assert documented == list(hooks())


@pytest.mark.parametrize("heading", hooks())
def test_a_hook_is_documented_with_its_arguments_its_age_and_an_example(heading: str) -> None:
    text = section(text_of("hooks.md"), heading)
    assert re.search(r"Since \d+\.\d+\.", flat(text))
    assert "```python" in text
    arguments = inspect.signature(hooks()[heading]).parameters.keys() - {"self"}
    assert not [name for name in arguments if f"- `{name}`" not in text]


@pytest.mark.parametrize("name", freellm.__all__)
def test_a_public_name_has_a_docstring_and_is_documented(name: str) -> None:
    assert docstring(name)
    assert re.search(rf"\b{name}\b", text_of("hooks.md") + text_of("write-a-provider.md"))


# Tables and figures


@pytest.mark.parametrize(("page", "part"), list(parts()), ids=lambda value: getattr(value, "stem", value))
def test_a_generated_part_is_fresh(page: Path, part: str) -> None:
    text = page.read_text("utf-8")
    if EMPTY.search(text):
        pytest.skip("it has not been made yet")
    assert text == made(page), "run: python tests/doc_tables.py --write"


@pytest.mark.parametrize(
    ("page", "phrase"), [(page, phrase) for page, phrases in FIGURES.items() for phrase in phrases]
)
def test_a_figure_is_the_codes(page: str, phrase: str) -> None:
    assert phrase in flat(text_of(page))


def test_every_setting_is_documented() -> None:
    named = in_backticks(text_of("settings.md"))
    assert not set(ENVIRONMENT) - named
    assert not {
        name for name in Settings.model_fields if name not in named and name not in ENVIRONMENT.values()
    }


def test_the_failure_table_has_every_kind() -> None:
    assert set(RULES) == set(EFFECTS) == set(TYPICAL) == set(Kind)
    kinds = [row[0].strip("`") for row in rows(text_of("failures.md"))]
    assert kinds == list(RULES)


@pytest.mark.parametrize("kind", CLOSED_FOR)
def test_a_failure_without_a_stated_time_closes_for_as_long_as_the_table_says(kind: Kind) -> None:
    health, ledger, now = Health(), Ledger(), 1_000_000.0
    provider = providers()[0]
    key = ProviderKey(id="1", provider=provider.name, label="", fingerprint="f", account="a", source="stored")
    route = next(iter(catalogue.build([provider], [key], {}, ledger, health, {}).routes.values()))
    Consequences(ledger, health).draw(route, Failure(kind=kind), Demand(10, 10, 10), now)
    assert max(standing.closed_until for standing in route.standings()) - now == CLOSED_FOR[kind]


def test_a_kind_that_says_it_changes_nothing_changes_nothing() -> None:
    effects = Consequences(Ledger(), Health())._effects
    assert {kind for kind, text in EFFECTS.items() if text.startswith("Nothing")} == set(Kind) - set(effects)


# The HTTP interface


def test_the_headers_in_the_documentation_are_those_in_the_code() -> None:
    text = text_of("http-api.md")
    tabled = {
        name.lower() for row in rows(text) for name in in_backticks(row[0]) if "-" in name and " " not in name
    }
    documented = {name for name in tabled if name.startswith(("x-", "retry-after", "api-key"))}
    assert documented == header_names()
    mentioned = re.findall(r"(?i)`(x-[a-z-]+|retry-after[a-z-]*)[`:]", prose(text))
    assert {name.lower() for name in mentioned} <= header_names()


def test_the_error_codes_in_the_documentation_are_those_in_the_code() -> None:
    documented = [row[0].strip("`") for row in rows(section(text_of("http-api.md"), "Errors"))]
    assert documented == sorted(error_codes())


def test_every_field_of_a_request_is_documented() -> None:
    text = section(text_of("http-api.md"), "The request")
    named = {name for row in rows(text) for name in in_backticks(row[0])}
    assert named == {*CHECKS, *_OWN, "tool_choice"}


def test_every_exit_code_is_documented() -> None:
    codes = {row[0] for row in rows(section(text_of("storage-and-secrets.md"), "Exit codes"))}
    assert codes == {"0", "1", *map(str, EXIT_CODES.values())}


def test_every_fault_of_the_simulator_is_documented_with_every_field() -> None:
    tabled = [
        name for row in rows(section(text_of("simulator.md"), "Faults")) for name in in_backticks(row[0])
    ]
    fields = [field.name for field in dataclasses.fields(Fault)]
    assert sorted(tabled) == sorted([*fields, *REFUSALS, *DELIVERIES])


# Dependencies


def test_the_decision_on_dependencies_names_every_one_and_no_other() -> None:
    files = [*TOP.glob("*/pyproject.toml"), *TOP.glob("plugins/*/pyproject.toml")]
    projects = [tomllib.loads(file.read_text("utf-8"))["project"] for file in files]
    declared = {
        project["name"]: sorted(
            re.split(r"[^\w-]", line)[0]
            for lines in (project["dependencies"], *project.get("optional-dependencies", {}).values())
            for line in lines
        )
        for project in projects
    }
    text = text_of("decisions/0002-dependencies.md")
    documented = {
        name: sorted(re.findall(r"^- `([\w-]+)`: ", section(text, name), re.MULTILINE))
        for level, name in headings(text)
        if level == 2
    }
    assert documented == declared


# Links, files, commands


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_the_index_leads_to_every_page_and_that_of_the_decisions_to_every_decision() -> None:
    for index in (DOCS / "index.md", DOCS / "decisions" / "README.md"):
        linked = {(index.parent / target).resolve() for target in links(index)}
        assert not set(index.parent.glob("*.md")) - linked - {index}


def test_the_pages_that_the_code_names_exist() -> None:
    assert not [page for page in pages_named_in_code() if not (TOP / page).exists()]


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_a_toml_block_is_toml(block: Block) -> None:
    assert tomllib.loads(block.text)


@pytest.mark.parametrize("block", [b for b in blocks("toml") if b.file is None], ids=str)
def test_a_toml_block_without_a_file_is_a_config_file_that_loads(block: Block, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(block.text, "utf-8")
    settings = load_settings({"FREELLM_DATA_DIR": str(tmp_path)}, {})
    known = {provider.name: provider for provider in providers()}
    for name, limits in settings.limits.items():
        quotas = {quota.name for quota in known[name].quotas}
        models = {model.id for model in known[name].models}
        assert limits.keys() <= quotas | models


def test_the_catalogue_file_of_the_documentation_would_be_signed() -> None:
    (block,) = [block for block in blocks("toml") if block.page == "docs/catalogue.md" and block.file]
    filed = signed_catalogue.parse(block.text.encode(), str(block))
    assert filed.strangers(providers()) == []
    signed_catalogue.check(filed, str(block), providers())


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_a_json_block_is_json(block: Block) -> None:
    assert json.loads(block.text)


def commands() -> Iterator[Any]:
    for block in blocks("sh", "console", ""):
        for line in re.sub(r"\\\n", " ", block.text).splitlines():
            if match := re.match(r"\s*(?:\$ )?(?:uv run )?(freellm [a-z].*?)(?:#.*)?$", line):
                yield pytest.param(match[1], id=f"{block}: {match[1]}")
    for page in PAGES:
        for command in re.findall(r"`(freellm [a-z][^`\n]*)`", prose(page.read_text("utf-8"))):
            yield pytest.param(command, id=f"{page.name}: {command}")


@pytest.mark.parametrize("line", list(commands()))
def test_a_command_line_names_a_command_and_options_that_exist(line: str) -> None:
    words = [word.rstrip(",.;:") for word in shlex.split(line)[1:]]
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words and words[0][:1].isalpha():
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no {words[0]!r} in {line!r}"
        command, context = found, click.Context(found, parent=context)
        words = words[1:]
    known = {"--help", "--version"}.union(*(option.opts for option in command.params))
    assert not [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
