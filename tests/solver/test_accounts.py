"""Which accounts solutions are bought from."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.exceptions import NotConfigured
from scrapy.settings import BaseSettings

from scrapy_captcha.providers import CapSolver, Generic, TwoCaptcha, Unified
from scrapy_captcha.settings.config import Config
from scrapy_captcha.solver.accounts import Account, accounts_of, key_variable

KEY, OTHER = "k-0123456789", "k-other-9876"
URL = "https://api.example.com"


def accounts(**given: Any) -> tuple[Account, ...]:
    settings = {f"CAPTCHA_{name.upper()}": value for name, value in given.items()}
    return accounts_of(Config.from_settings(BaseSettings(settings)))


def test_url_and_key_make_an_account_at_the_unified_api() -> None:
    assert accounts(api_url=URL, api_key=KEY) == (Account(Unified, URL, KEY),)


def test_a_named_provider_needs_a_key_only() -> None:
    expected = (Account(CapSolver, CapSolver.base_url, KEY),)

    assert accounts(providers=["capsolver"], api_key=KEY) == expected
    assert accounts(providers="capsolver", keys={"capsolver": KEY}) == expected


def test_several_providers_have_their_own_keys_and_urls() -> None:
    assert accounts(
        providers=["2captcha", "generic"],
        keys={"2captcha": KEY, "generic": OTHER},
        api_urls={"generic": URL},
    ) == (Account(TwoCaptcha, TwoCaptcha.base_url, KEY), Account(Generic, URL, OTHER))


def test_the_one_key_and_the_one_url_are_the_first_providers_alone() -> None:
    with pytest.raises(ValueError, match=r"^capsolver is in CAPTCHA_PROVIDERS: set CAPTCHA_KEYS"):
        accounts(providers=["generic", "capsolver"], api_key=KEY, api_url=URL)
    with pytest.raises(ValueError, match=r"^generic is in CAPTCHA_PROVIDERS: set CAPTCHA_API_URLS"):
        accounts(providers=["capsolver", "generic"], keys={"generic": KEY}, api_key=KEY)


def test_keys_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTCHA_KEY_CAPSOLVER", KEY)
    monkeypatch.setenv(key_variable("2captcha"), OTHER)

    assert [a.key for a in accounts(providers=["capsolver", "2captcha"])] == [KEY, OTHER]


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({}, "CAPTCHA_API_URL"),
        ({"api_key": KEY}, "CAPTCHA_API_URL"),
        ({"api_url": URL}, "CAPTCHA_API_KEY"),
        ({"api_url": URL, "api_key": ""}, "CAPTCHA_API_KEY"),
        ({"providers": ["capsolver"]}, "CAPTCHA_API_KEY"),
    ],
)
def test_it_stays_off_without_an_account(settings: dict[str, Any], hint: str) -> None:
    with pytest.raises(NotConfigured, match=hint) as caught:
        accounts(**settings)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://10.0.0.1:8000",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ],
)
def test_plain_http_is_refused_on_another_machine_unless_allowed(url: str) -> None:
    for given in ({"api_url": url}, {"api_urls": {"unified": url}}):
        with pytest.raises(ValueError, match=r"^CAPTCHA_API_URL.* CAPTCHA_ALLOW_HTTP"):
            accounts(api_key=KEY, **given)
        assert accounts(api_key=KEY, allow_http=True, **given)[0].url == url


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_plain_http_is_fine_on_this_machine(host: str) -> None:
    assert accounts(api_url=f"http://{host}:8000/", api_key=KEY)[0].url == f"http://{host}:8000"


def test_no_key_is_in_the_repr() -> None:
    assert KEY not in repr(accounts(api_url=URL, api_key=KEY))
