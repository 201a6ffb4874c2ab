"""Base URLs as people paste them."""

import pytest

from freellm.base_urls import candidates, origin, plain_url


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("http://127.0.0.1:8080", ["http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"]),
        ("http://127.0.0.1:8080/", ["http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"]),
        ("http://127.0.0.1:8080/v1", ["http://127.0.0.1:8080/v1"]),
        ("http://127.0.0.1:8080/v1/", ["http://127.0.0.1:8080/v1"]),
        ("http://127.0.0.1:8080/v1/chat/completions", ["http://127.0.0.1:8080/v1"]),
        ("http://127.0.0.1:8080/v1/models/", ["http://127.0.0.1:8080/v1"]),
        ("http://127.0.0.1:8080/chat/completions", ["http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"]),
        ("https://gw.example/openai", ["https://gw.example/openai", "https://gw.example/openai/v1"]),
        ("https://gw.example/openai/v1/embeddings", ["https://gw.example/openai/v1"]),
        ("https://gw.example/api/v1beta1", ["https://gw.example/api/v1beta1"]),
    ],
)
def test_what_is_pasted_becomes_what_may_be_meant(pasted: str, meant: list[str]) -> None:
    assert list(candidates(pasted)) == meant


@pytest.mark.parametrize(
    "wrong",
    ["127.0.0.1:8080", "localhost:8080", "ftp://x", "file:///etc", "http://", "https://u:p@x", "https://x?a=1", "https://x#a"],
)  # fmt: skip
def test_what_is_no_base_url_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"expected http|no user name"):
        plain_url(wrong)


def test_an_origin_has_a_port_even_where_it_goes_without_saying() -> None:
    assert origin("https://gw.example/v1") == "https://gw.example:443"
    assert origin("http://Lab.Local/v1") == "http://lab.local:80"
    assert origin("http://[::1]:8080/v1") == "http://::1:8080"
    assert origin("http://x:port") == "http://x:port"
