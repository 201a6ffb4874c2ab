import os
import pty
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from subprocess import Popen

import pytest
from aiohttp import web

from commandline import Commandline, answering
from freellm.store import Store
from processes import environment

GOOD, BAD = "gsk_canary-0123456789abcdef", "gsk_refused-0123456789abcdef"


class Groq:
    """Groq's list of models, which tells a good key from a bad one.

    :ivar url: where it answers
    :ivar asked: the keys it was asked with
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append(token)
        if request.method == "GET" and request.path == "/openai/v1/models" and token.startswith("gsk_canary"):
            return web.json_response(
                {"object": "list", "data": [{"id": "openai/gpt-oss-120b", "object": "model"}]}
            )
        error = {
            "message": f"Invalid API Key {token}",
            "type": "invalid_request_error",
            "code": "invalid_api_key",
        }
        return web.json_response({"error": error}, status=401)


@pytest.fixture(scope="module")
def service() -> Iterator[Groq]:
    groq = Groq()
    with answering(groq.answer) as root:
        groq.url = f"{root}/openai/v1"
        yield groq


@pytest.fixture
def line(tmp_path: Path, service: Groq) -> Commandline:
    service.asked.clear()
    return Commandline(tmp_path, FREELLM_GROQ_BASE_URL=service.url)


@pytest.fixture
def offline(tmp_path: Path) -> Commandline:
    """A command line for which nothing answers at Groq's address."""
    return Commandline(tmp_path, FREELLM_GROQ_BASE_URL="http://127.0.0.1:9")


def secret_is_nowhere(line: Commandline, secret: str) -> bool:
    return not any(secret.encode() in file.read_bytes() for file in line.data.iterdir())


def test_an_accepted_key_is_stored_and_says_what_it_unlocks_and_what_is_next(
    line: Commandline, service: Groq
) -> None:
    told = line.run("keys", "add", "groq", "--label", "mine", stdin=f"{GOOD}\n").stdout
    assert told.startswith("GroqCloud accepted the key: it unlocks ")
    assert "openai/gpt-oss-120b" in told
    assert "Next: freellm serve" in told
    assert service.asked == [GOOD]
    (key,) = line.document("keys", "list")["keys"]
    assert (key["provider"], key["label"], key["source"], key["state"]) == ("groq", "mine", "stored", "valid")
    assert key["checked_at"] == pytest.approx(time.time(), abs=60)
    assert len(key["models"]) >= 1
    assert secret_is_nowhere(line, GOOD)


def test_a_refused_key_is_not_stored_and_not_repeated(line: Commandline) -> None:
    sentence = line.refused("keys", "add", "groq", stdin=BAD, exit_code=1)
    assert "GroqCloud refused the key" in sentence
    assert "nothing was stored" in sentence
    assert "https://console.groq.com/keys" in sentence
    assert BAD not in sentence
    assert line.document("keys", "list")["keys"] == []


def test_a_refusal_is_a_document_too(line: Commandline) -> None:
    told = line.document("keys", "add", "groq", stdin=BAD, exit_code=1)
    assert (told["stored"], told["state"]) == (False, "invalid")
    assert BAD not in str(told)


def test_a_key_that_cannot_be_checked_is_stored_as_untested_and_said_so(offline: Commandline) -> None:
    told = offline.run("keys", "add", "groq", stdin=GOOD).stdout
    assert "could not be asked about the key" in told
    assert "stored as untested" in told
    assert "freellm keys check" in told
    (key,) = offline.document("keys", "list")["keys"]
    assert key["state"] == "untested"
    assert "could not be reached" in key["reason"]


def test_a_key_that_does_not_look_right_is_stored_with_a_doubt(offline: Commandline) -> None:
    assert (
        "The API key does not look like those of GroqCloud ("
        in offline.run("keys", "add", "groq", stdin="sk-something").stdout
    )


def test_no_check_asks_nobody(line: Commandline, service: Groq) -> None:
    told = line.run("keys", "add", "groq", "--no-check", stdin=GOOD).stdout
    assert "without a check" in told
    assert "untested" in told
    assert service.asked == []


@pytest.mark.parametrize("arguments", [[GOOD], ["--label", "x", GOOD, "--no-check"], ["first", GOOD]])
def test_a_key_as_an_argument_is_refused_with_the_reason_and_not_repeated(
    line: Commandline, service: Groq, arguments: list[str]
) -> None:
    sentence = line.refused("keys", "add", "groq", *arguments)
    assert "not taken from the command line" in sentence
    assert "freellm keys add groq < FILE" in sentence
    assert GOOD not in sentence
    assert service.asked == []


@pytest.mark.parametrize("arguments", [["--key", GOOD], [f"--token={GOOD}"], [f"-k{GOOD}"]])
def test_a_key_as_an_option_is_refused_and_not_repeated(line: Commandline, arguments: list[str]) -> None:
    result = line.run("keys", "add", "groq", *arguments, exit_code=2)
    assert GOOD not in result.output


def test_a_key_in_the_providers_place_is_not_repeated(line: Commandline) -> None:
    sentence = line.refused("keys", "add", GOOD)
    assert GOOD not in sentence
    assert "groq" in sentence


def test_a_key_of_a_retired_service_is_not_asked_for(line: Commandline) -> None:
    sentence = line.refused("keys", "add", "github", stdin="github_pat_canary", exit_code=1)
    assert "is of no use, because all its models are retired" in sentence
    assert "github_pat_canary" not in sentence
    kept = line.run("keys", "add", "github", "--no-check", stdin="github_pat_canary")
    assert "it unlocks no model that is on" in kept.stdout


def test_a_misspelt_provider_is_answered_by_the_nearest(line: Commandline) -> None:
    assert "did you mean groq?" in line.refused("keys", "add", "gorq", stdin=GOOD)


@pytest.mark.parametrize("text", ["", "  \n", "two words", f"{GOOD}\n{GOOD}"])
def test_what_is_no_key_is_refused_before_anybody_is_asked(
    line: Commandline, service: Groq, text: str
) -> None:
    sentence = line.refused("keys", "add", "groq", stdin=text)
    assert "this is not a key of GroqCloud" in sentence
    assert service.asked == []


def test_the_same_key_is_not_stored_twice(line: Commandline) -> None:
    line.run("keys", "add", "groq", stdin=GOOD)
    assert "stored already" in line.refused("keys", "add", "groq", stdin=GOOD)


def test_a_key_of_several_parts_is_read_as_one_line(line: Commandline) -> None:
    line.run("keys", "add", "cloudflare", "--no-check", stdin=f"{'a' * 32}:token-of-it")
    assert "Expected account_id:token" in line.refused("keys", "add", "cloudflare", stdin="only-a-token")


def test_the_next_command_names_the_data_folder_if_it_was_named(line: Commandline, tmp_path: Path) -> None:
    told = line.document("keys", "add", "groq", "--data-dir", str(tmp_path / "o t"), stdin=GOOD)
    assert told["next"] == f"freellm serve --data-dir '{tmp_path / 'o t'}'"


def test_a_base_url_and_a_paid_plan_are_stored_with_the_key(tmp_path: Path) -> None:
    line = Commandline(tmp_path)
    line.run(
        "keys", "add", "groq", "--no-check", "--unlimited", "--base-url", "https://eu.example/v1", stdin=GOOD
    )
    (key,) = line.document("keys", "list")["keys"]
    assert (key["base_url"], key["unlimited"]) == ("https://eu.example/v1", True)
    assert "base URL" in line.refused("keys", "add", "groq", "--base-url", "nonsense", stdin=GOOD + "2")


def test_the_keys_of_the_environment_are_listed_as_untested(line: Commandline) -> None:
    line.variables["GROQ_API_KEY"] = GOOD
    (key,) = line.document("keys", "list")["keys"]
    assert (key["id"], key["source"], key["state"]) == ("env:GROQ_API_KEY", "environment", "untested")
    table = line.run("keys", "list").stdout
    assert "untested" in table
    assert GOOD not in table


def test_without_a_key_the_list_says_where_to_get_one(line: Commandline) -> None:
    told = line.run("keys", "list").stdout
    assert "freellm keys add groq" in told
    assert "https://console.groq.com/keys" in told


def test_the_key_of_a_provider_that_is_not_installed_is_orphaned_and_kept(line: Commandline) -> None:
    line.run("keys", "add", "groq", "--no-check", stdin=GOOD)
    line.variables["FREELLM_LOAD_PLUGINS"] = "google"
    (key,) = line.document("keys", "list")["keys"]
    assert (key["state"], key["models"], key["enabled"]) == ("orphaned", [], False)
    assert key["reason"]
    del line.variables["FREELLM_LOAD_PLUGINS"]
    assert line.document("keys", "list")["keys"][0]["state"] == "untested"


def test_a_check_asks_about_every_key_and_notes_the_verdicts(line: Commandline, service: Groq) -> None:
    line.run("keys", "add", "groq", "--no-check", "--label", "good", stdin=GOOD)
    line.run("keys", "add", "groq", "--no-check", "--label", "bad", stdin=BAD)
    told = line.document("keys", "check", exit_code=1)
    assert {key["label"]: key["state"] for key in told["keys"]} == {"good": "valid", "bad": "invalid"}
    assert sorted(service.asked) == [GOOD, BAD]
    assert line.document("keys", "list") == told
    assert (
        "1 of 2 keys cannot be used; replace: freellm keys add groq"
        in line.run("keys", "check", exit_code=1).stderr
    )


@pytest.mark.parametrize("which", ["groq", "mine", "id", "prefix"])
def test_a_check_takes_a_provider_a_label_an_id_or_its_start(line: Commandline, which: str) -> None:
    id_ = line.document("keys", "add", "groq", "--no-check", "--label", "mine", stdin=GOOD)["id"]
    named = {"id": id_, "prefix": id_[:8]}.get(which, which)
    assert [key["state"] for key in line.document("keys", "check", named)["keys"]] == ["valid"]


def test_a_check_of_an_environment_key_tells_its_state(line: Commandline) -> None:
    line.variables["GROQ_API_KEY"] = GOOD
    assert line.document("keys", "check")["keys"][0]["state"] == "valid"


def test_a_check_without_a_network_is_not_a_refusal(offline: Commandline) -> None:
    offline.run("keys", "add", "groq", "--no-check", stdin=GOOD)
    assert offline.document("keys", "check")["keys"][0]["state"] == "untested"


def test_a_removed_key_is_gone_and_the_server_can_tell(line: Commandline) -> None:
    id_ = line.document("keys", "add", "groq", "--no-check", stdin=GOOD)["id"]
    with Store(line.data) as store:
        before = store.data_version()
        assert "within a second" in line.run("keys", "remove", id_[:6]).stdout
        assert store.data_version() != before
    assert line.document("keys", "list")["keys"] == []


def test_what_names_no_key_or_several_removes_none(line: Commandline) -> None:
    for token in (GOOD, BAD):
        line.run("keys", "add", "groq", "--no-check", "--label", "twin", stdin=token)
    assert "2 keys are called so" in line.refused("keys", "remove", "twin")
    assert GOOD not in line.refused("keys", "remove", GOOD)
    assert len(line.document("keys", "list")["keys"]) == 2


def test_an_environment_key_is_not_removed_but_explained(line: Commandline) -> None:
    line.variables["GROQ_API_KEY"] = GOOD
    assert "unset GROQ_API_KEY" in line.refused("keys", "remove", "env:GROQ_API_KEY")


def env_file(folder: Path, text: str) -> str:
    file = folder / "keys.env"
    file.write_text(text)
    return str(file)


def test_an_import_takes_what_it_knows_and_names_the_rest_without_values(
    line: Commandline, tmp_path: Path
) -> None:
    file = env_file(tmp_path, f"export GROQ_API_KEY='{GOOD}'\nDATABASE_URL=postgres://u:hunter2@h\n# no\n")
    told = line.document("keys", "import", file)
    assert [(row["provider"], row["outcome"], row["state"]) for row in told["keys"]] == [
        ("groq", "stored", "valid")
    ]
    assert told["ignored"] == ["DATABASE_URL"]
    assert "hunter2" not in str(told)
    assert [key["label"] for key in line.document("keys", "list")["keys"]] == ["GROQ_API_KEY"]
    assert line.document("keys", "import", file)["keys"][0]["outcome"] == "known"


def test_a_dry_run_asks_nobody_and_stores_nothing(line: Commandline, service: Groq, tmp_path: Path) -> None:
    told = line.document("keys", "import", env_file(tmp_path, f"GROQ_API_KEY={GOOD}"), "--dry-run")
    assert [row["outcome"] for row in told["keys"]] == ["take"]
    assert service.asked == []
    assert line.document("keys", "list")["keys"] == []


def test_an_import_stores_the_good_and_says_why_not_the_others(line: Commandline, tmp_path: Path) -> None:
    file = env_file(tmp_path, f"GROQ_API_KEY={BAD}\nCLOUDFLARE_API_KEY=no-colon\n")
    told = line.document("keys", "import", file, exit_code=1)
    assert {row["provider"]: row["outcome"] for row in told["keys"]} == {
        "groq": "refused",
        "cloudflare": "wrong",
    }
    assert BAD not in str(told)
    assert "no-colon" not in str(told)
    assert "2 of 2 keys were not stored" in line.run("keys", "import", file, exit_code=1).stderr


def test_an_import_reads_stdin(line: Commandline) -> None:
    told = line.document("keys", "import", "-", "--no-check", stdin=f"GROQ_API_KEY={GOOD}\n")
    assert [row["state"] for row in told["keys"]] == ["untested"]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"GROQ_API_KEY=x\nwhat is this\n", "line 2"), (b"\xff\xfe\x00", "UTF-8"), (None, "cannot be read")],
)
def test_a_file_that_is_none_is_refused_by_name(
    line: Commandline, tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "odd.env"
    if content is not None:
        file.write_bytes(content)
    sentence = line.refused("keys", "import", str(file))
    assert "odd.env" in sentence
    assert says in sentence


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_the_key_is_asked_for_and_not_shown(line: Commandline) -> None:
    terminal, theirs = pty.openpty()
    process = Popen(
        [sys.executable, "-m", "freellm", "keys", "add", "groq"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**line.variables),
        start_new_session=True,
    )
    os.close(theirs)
    shown, typed = b"", False
    while True:
        try:
            read = os.read(terminal, 4096)
        except OSError:  # Linux's end of a pseudo-terminal
            break
        if not read:
            break
        shown += read
        if b"API key:" in shown and not typed:
            os.write(terminal, f"{GOOD}\n".encode())
            typed = True
    os.close(terminal)
    assert process.wait(30) == 0
    assert b"https://console.groq.com/keys" in shown
    assert b"accepted the key" in shown
    assert GOOD.encode() not in shown


def test_the_groq_package_these_tests_rely_on_is_installed() -> None:
    assert "groq" in metadata.entry_points(group="freellm.providers").names


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8080/v1", "http://box.lan/v1", "https://10.0.0.7/v1"])
def test_a_key_of_a_known_provider_is_not_bound_to_a_server_of_one_s_own(
    tmp_path: Path, base_url: str
) -> None:
    line = Commandline(tmp_path)
    sentence = line.refused("keys", "add", "groq", "--base-url", base_url, stdin=GOOD)
    assert "freellm keys add custom --name NAME --base-url URL" in sentence
    assert "FREELLM_GROQ_BASE_URL" in sentence


def test_while_only_keyless_providers_answer_the_others_are_named(tmp_path: Path) -> None:
    told = Commandline(tmp_path, FREELLM_LOAD_PLUGINS="kilo,groq,github").run("keys", "list").stdout
    assert "keyless:kilo" in told
    assert "freellm keys add groq   https://console.groq.com/keys" in told
    assert "freellm keys add kilo" not in told
    assert "freellm keys add github" not in told


@pytest.mark.parametrize("words", [["keys", "list"], ["models", "list"]])
def test_without_a_provider_the_cure_is_to_install_one(tmp_path: Path, words: list[str]) -> None:
    told = Commandline(tmp_path, FREELLM_LOAD_PLUGINS="").run(*words).stdout
    assert "pip install ./plugins/freellm_provider_NAME" in told


def test_a_key_is_edited(line: Commandline) -> None:
    id_ = line.document("keys", "add", "groq", stdin=GOOD)["id"]
    edited = line.document("keys", "edit", id_[:8], "--label", "work", "--disable", "--unlimited")["keys"][0]
    assert (edited["label"], edited["enabled"], edited["unlimited"]) == ("work", False, True)
    (listed,) = (row for row in line.document("keys", "list")["keys"] if row["id"] == id_)
    assert (listed["label"], listed["enabled"], listed["models"]) == ("work", False, [])
    again = line.document("keys", "edit", "work", "--enable")["keys"][0]
    assert (again["label"], again["enabled"], again["unlimited"]) == ("work", True, True)
    assert "say what to change" in line.refused("keys", "edit", "work")
    assert "no key has that id" in line.refused("keys", "edit", "nobody", "--enable")


def test_a_key_of_the_environment_is_edited_there(tmp_path: Path) -> None:
    line = Commandline(tmp_path, GROQ_API_KEY="gsk_environment")
    assert "GROQ_API_KEY" in line.refused("keys", "edit", "env:GROQ_API_KEY", "--disable")
