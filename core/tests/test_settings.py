from pathlib import Path

import pytest

from freellm.errors import SettingsError
from freellm.settings import (
    ENVIRONMENT,
    Settings,
    check_base_url,
    check_providers,
    is_loopback,
    load_settings,
    take_secrets,
)

CANARY = "canary-9f8e7d6c5b4a3210"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"FREELLM_DATA_DIR": str(tmp_path), "HOME": "/home/nobody"}


def write_config(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text, "utf-8")


def refusal(environ: dict[str, str], **overrides: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, overrides)
    return str(caught.value)


def test_without_any_word_it_listens_on_loopback_port_3001(environ: dict[str, str]) -> None:
    settings = load_settings(environ, {})
    assert (settings.host, settings.port, settings.no_auth) == ("127.0.0.1", 3001, False)
    assert settings.load_plugins is None
    assert settings.body_limit == 32 * 1024**2


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_scalar_setting_has_a_variable() -> None:
    tables = {"limits", "strategies", "profiles", "base_urls", "unlimited", "instances"}
    assert set(ENVIRONMENT.values()) == set(Settings.model_fields) - tables


def test_the_command_line_wins_over_the_environment_over_the_file(
    environ: dict[str, str], tmp_path: Path
) -> None:
    write_config(tmp_path, "port = 1\nmax_attempts = 2\nstall_timeout = 3\n")
    environ |= {"FREELLM_PORT": "10", "FREELLM_MAX_ATTEMPTS": "11"}
    settings = load_settings(environ, {"port": 100, "host": None})
    assert (settings.port, settings.max_attempts, settings.stall_timeout) == (100, 11, 3.0)


def test_an_empty_variable_is_unset_but_an_empty_list_is_empty(environ: dict[str, str]) -> None:
    environ |= {"FREELLM_API_KEY": "", "FREELLM_PORT": "", "FREELLM_LOAD_PLUGINS": ""}
    settings = load_settings(environ, {})
    assert settings.api_key is None
    assert settings.port == 3001
    assert settings.load_plugins == ()


def test_lists_are_comma_separated(environ: dict[str, str]) -> None:
    environ |= {"FREELLM_LOAD_PLUGINS": "one, two,", "FREELLM_ALLOWED_HOSTS": "box.lan"}
    settings = load_settings(environ, {})
    assert settings.load_plugins == ("one", "two")
    assert settings.allowed_hosts == ("box.lan",)


def test_a_provider_with_a_dash_is_set_through_an_underscore(environ: dict[str, str]) -> None:
    environ |= {"FREELLM_ACME_AI_BASE_URL": "http://127.0.0.1:9/v1/", "FREELLM_ACME_AI_UNLIMITED": "1"}
    settings = load_settings(environ, {})
    assert settings.base_urls == {"acme-ai": "http://127.0.0.1:9/v1"}
    assert settings.unlimited == {"acme-ai"}


def test_a_provider_variable_wins_over_the_file_for_this_provider_only(
    environ: dict[str, str], tmp_path: Path
) -> None:
    write_config(
        tmp_path,
        'unlimited = ["acme", "other"]\n[base_urls]\nacme = "https://a.example"\nother = "https://o.example"\n',
    )
    environ |= {"FREELLM_ACME_BASE_URL": "http://127.0.0.1:1", "FREELLM_ACME_UNLIMITED": "0"}
    settings = load_settings(environ, {})
    assert settings.base_urls == {"acme": "http://127.0.0.1:1", "other": "https://o.example"}
    assert settings.unlimited == {"other"}


def test_limits_of_a_model_are_read_from_the_file(environ: dict[str, str], tmp_path: Path) -> None:
    write_config(
        tmp_path,
        '[limits.acme."openai/gpt-oss-120b"]\nrpm = 60\n[limits.acme."requests/60s:*"]\nlimit = 90\n',
    )
    limits = load_settings(environ, {}).limits["acme"]
    assert limits["openai/gpt-oss-120b"].rpm == 60
    assert limits["openai/gpt-oss-120b"].tpd is None
    assert limits["requests/60s:*"].limit == 90


def test_a_body_limit_may_have_a_unit(environ: dict[str, str]) -> None:
    assert load_settings({**environ, "FREELLM_BODY_LIMIT": "2MiB"}, {}).body_limit == 2 * 1024**2


def test_systemd_credentials_are_found_through_its_variable(environ: dict[str, str], tmp_path: Path) -> None:
    settings = load_settings({**environ, "CREDENTIALS_DIRECTORY": str(tmp_path)}, {})
    assert settings.credentials_dir == tmp_path


def test_paths_become_absolute(environ: dict[str, str]) -> None:
    settings = load_settings({**environ, "FREELLM_CONFIG_DIR": "relative"}, {})
    assert settings.config_dir.is_absolute()


def test_an_unknown_variable_is_refused_with_the_nearest_name(environ: dict[str, str]) -> None:
    assert refusal({**environ, "FREELLM_PROT": "1"}) == (
        "FREELLM_PROT is not a setting; did you mean FREELLM_PORT?"
    )


def test_an_unknown_key_in_the_file_is_refused_with_the_file_and_the_nearest_name(
    environ: dict[str, str], tmp_path: Path
) -> None:
    write_config(tmp_path, "heartbeat_aftr = 3\n")
    assert refusal(environ) == (
        f"{tmp_path}/config.toml: heartbeat_aftr is not a setting; did you mean heartbeat_after?"
    )


def test_an_unknown_limit_is_refused_with_its_path(environ: dict[str, str], tmp_path: Path) -> None:
    write_config(tmp_path, "[limits.acme.m]\nrpn = 1\n")
    assert refusal(environ) == (
        f"{tmp_path}/config.toml: limits.acme.m.rpn is not a setting; did you mean rpm?"
    )


def test_a_limit_without_a_model_is_explained(environ: dict[str, str], tmp_path: Path) -> None:
    write_config(tmp_path, "[limits.acme]\nrpm = 1\n")
    assert '[limits.PROVIDER."MODEL"]' in refusal(environ)


def test_a_wrong_value_names_where_it_stands(environ: dict[str, str], tmp_path: Path) -> None:
    write_config(tmp_path, 'port = "x"\nmax_attempts = 0\n')
    text = refusal({**environ, "FREELLM_STALL_TIMEOUT": "-1"}, body_limit="lots")
    assert f"{tmp_path}/config.toml: port: " in text
    assert f"{tmp_path}/config.toml: max_attempts: " in text
    assert "FREELLM_STALL_TIMEOUT: " in text
    assert "--body-limit: " in text


@pytest.mark.parametrize("text", ["port = ", "\x00", 'a = "\n'])
def test_a_file_that_is_not_toml_is_refused_by_name(
    environ: dict[str, str], tmp_path: Path, text: str
) -> None:
    write_config(tmp_path, text)
    assert refusal(environ).startswith(f"{tmp_path}/config.toml cannot be read: ")


@pytest.mark.parametrize("name", ["api_key", "master_key", "data_dir", "config_dir"])
def test_secrets_and_places_do_not_belong_in_the_file(
    environ: dict[str, str], tmp_path: Path, name: str
) -> None:
    write_config(tmp_path, f'{name} = "{CANARY}"\n')
    text = refusal(environ)
    assert name in text
    assert CANARY not in text


@pytest.mark.parametrize(
    "variables",
    [
        {"FREELLM_API_KEY": f"{CANARY} with spaces"},
        {"FREELLM_PORT": CANARY},
        {"FREELLM_ACME_BASE_URL": f"https://user:{CANARY}@host/v1"},
        {"FREELLM_ACME_UNLIMITED": CANARY},
        {"FREELLM_LOG_LEVEL": CANARY},
    ],
)
def test_a_refused_value_is_never_repeated(environ: dict[str, str], variables: dict[str, str]) -> None:
    text = refusal(environ | variables)
    assert next(iter(variables)) in text
    assert CANARY not in text


def test_secrets_do_not_show(environ: dict[str, str]) -> None:
    environ |= {"FREELLM_API_KEY": CANARY, "FREELLM_MASTER_KEY": CANARY * 2}
    settings = load_settings(environ, {})
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == CANARY
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_taking_secrets_leaves_the_rest(environ: dict[str, str]) -> None:
    before = dict(environ)
    environ |= {"FREELLM_API_KEY": CANARY, "FREELLM_MASTER_KEY": CANARY}
    take_secrets(environ)
    take_secrets(environ)
    assert environ == before


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "localhost.example.org", "127.0.0.1.evil"]
)
def test_a_wide_host_without_auth_is_refused(environ: dict[str, str], host: str) -> None:
    assert "loopback" in refusal({**environ, "FREELLM_NO_AUTH": "1"}, host=host)
    assert load_settings(environ, {"host": host}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_loopback_without_auth_is_accepted(environ: dict[str, str], host: str) -> None:
    assert is_loopback(host)
    assert load_settings(environ, {"host": host, "no_auth": True}).no_auth


@pytest.mark.parametrize(
    "url", ["ftp://host", "host:80", "https://", "https://h/?q=1", "https://h/#f", "http://u@h"]
)
def test_what_is_not_a_base_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        check_base_url(url)


def test_settings_for_a_provider_that_is_not_installed_are_refused(
    environ: dict[str, str], tmp_path: Path
) -> None:
    settings = load_settings({**environ, "FREELLM_ACNE_BASE_URL": "http://127.0.0.1"}, {})
    with pytest.raises(SettingsError, match=r"no provider is called 'acne'; did you mean acme\?"):
        check_providers(settings, ["acme", "other"])
    check_providers(settings, ["acne"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[strategies.mine]\nspede = 1\n", "strategies.mine.spede is not a setting; did you mean speed?"),
        ("[strategies.mine]\nspeed = 0\n", "strategies.mine: give at least one of intelligence, speed"),
        ("[strategies.Mine]\nspeed = 1\n", "strategies.Mine.[key]: String should match pattern"),
        ("[profiles.coding]\nmodel = 'a'\n", "profiles.coding.model is not a setting; did you mean models?"),
        ("[profiles.coding]\nmodels = ['auto']\n", "'auto' and profiles are no models"),
        ("[profiles.coding]\nabilities = ['fly']\n", "profiles.coding.abilities.0: Input should be 'tools'"),
    ],
)
def test_a_strategy_and_a_profile_that_cannot_be_are_named(
    text: str, sentence: str, environ: dict[str, str], tmp_path: Path
) -> None:
    write_config(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, {})
    assert sentence in str(caught.value)
