"""Captchas are bought for on the user's domains and nowhere else."""

from __future__ import annotations

import pytest

from scrapy_captcha.settings.domains import Domains


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://example.com/", True),
        ("https://EXAMPLE.com:8443/a?b#c", True),
        ("https://www.example.com/", True),
        ("https://a.b.example.com/", True),
        ("https://badexample.com/", False),
        ("https://example.com.evil.example/", False),
        ("https://evil.example/?example.com", False),
        ("https://example.com@evil.example/", False),
        ("https://com/", False),
        ("not a url", False),
        ("", False),
    ],
)
@pytest.mark.parametrize(
    "domains",
    [
        Domains(("example.com",), ()),
        Domains((), ("example.com",)),
        Domains(("Example.COM", "example.org"), ("example.com",)),
    ],
)
def test_a_domain_covers_its_own_hosts_and_those_below(
    domains: Domains, url: str, allowed: bool
) -> None:
    assert domains.allow(url) is allowed


def test_where_both_are_given_a_url_has_to_be_in_both() -> None:
    domains = Domains(("example.com", "example.org"), ("shop.example.com", "example.net"))
    urls = {
        "https://shop.example.com/": True,
        "https://example.com/": False,
        "https://example.org/": False,
        "https://example.net/": False,
    }
    assert {url: domains.allow(url) for url in urls} == urls


def test_where_neither_is_given_nothing_is_bought() -> None:
    assert not Domains((), ())
    assert not Domains((), ()).allow("https://example.com/")


def test_either_is_enough_to_say_where() -> None:
    assert Domains(("example.com",), ())
    assert Domains((), ("example.com",))


@pytest.mark.parametrize(
    ("host", "domain"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("localhost", "localhost")]
)
def test_an_address_or_a_bare_name_stands_for_itself(host: str, domain: str) -> None:
    assert Domains((domain,), ()).allow(f"http://{host}:8000/")
    assert not Domains((domain,), ()).allow("http://10.0.0.1/")
