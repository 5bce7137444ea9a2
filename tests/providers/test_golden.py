"""What goes out, for each provider and kind: the documented bodies, written down by hand.

``golden/<provider>.json`` holds three tasks per kind: ``bare``, of which nothing is known but what
every page shows, ``proxyless`` and ``proxy``, of which all is known; null where there is no such
task.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Captcha, Kind
from scrapy_captcha.providers import PROVIDERS, CapMonster, Order
from scrapy_captcha.proxy import Proxy

if TYPE_CHECKING:
    from scrapy_captcha.providers import Provider

GOLDEN = Path(__file__).parent / "golden"
FACTS = Path(__file__).parents[3] / "shared" / "facts" / "tasks.json"
SAME_AS = {"rucaptcha": "2captcha", "generic": "unified"}

URL = "https://shop.example/login"
KEY = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
PROXY = Proxy("http", "proxy.example", 8080, "user", "secret")
WITHOUT_KEY = {Kind.IMAGE, Kind.CLOUDFLARE_CHALLENGE, Kind.DATADOME}
KNOWN: dict[str, Any] = {
    "invisible": True,
    "data_s": "once",
    "action": "login",
    "min_score": 0.5,
    "cdata": "c1",
    "page_data": "p1",
    "api_domain": "www.recaptcha.net",
    "challenge": "c4a1",
    "blob": '{"blob": "b"}',
    "iv": "i",
    "context": "c",
    "challenge_script": "https://e.example/challenge.js",
    "captcha_script": "https://e.example/captcha.js",
    "captcha_url": "https://geo.captcha-delivery.com/captcha/?initialCid=i&cid=c%3D1&t=fe",
    "api_script": "https://cdn.example/friendly/widget.js",
}
API_SERVERS = {Kind.FUNCAPTCHA: "client-api.arkoselabs.com"}


def provider(name: str) -> Provider:
    return PROVIDERS[name](poll_interval=3.0)


def golden(name: str) -> dict[str, dict[str, Any]]:
    text = (GOLDEN / f"{SAME_AS.get(name, name)}.json").read_text()
    bodies: dict[str, dict[str, Any]] = json.loads(text)
    return bodies


def order(kind: Kind, variant: str) -> Order:
    known = {} if variant == "bare" else KNOWN
    if known:
        known = known | {"api_server": API_SERVERS.get(kind, "api.geetest.com")}
    return Order(
        Captcha(kind, URL, None if kind in WITHOUT_KEY else KEY, known),
        "purchase-1",
        image=b"GIF89a" if kind is Kind.IMAGE else b"",
        proxy=PROXY if variant == "proxy" else None,
        user_agent="Mozilla/5.0 (X11; Linux x86_64)" if known else None,
        cookies="a=1; b=2" if known else "",
    )


CASES = [
    pytest.param(name, Kind(kind), variant, body, id=f"{name}-{kind}-{variant}")
    for name in PROVIDERS
    for kind, variants in golden(name).items()
    for variant, body in variants.items()
]


@pytest.mark.parametrize(("name", "kind", "variant", "task"), CASES)
def test_a_purchase_is_the_documented_body_and_nothing_else(
    name: str, kind: Kind, variant: str, task: dict[str, Any] | None
) -> None:
    service, wanted = provider(name), order(kind, variant)
    flow = service.solve(wanted)
    if task is None:
        assert not service.takes(wanted.captcha, wanted.proxy)
        with pytest.raises(SolverError) as caught:
            next(flow)
        assert caught.value.code is ErrorCode.METHOD_INVALID
        return
    assert service.takes(wanted.captcha, wanted.proxy)
    call = next(flow)
    body = service.authenticated(call.payload, "sesame")
    assert (call.path, body) == ("createTask", {"clientKey": "sesame", "task": task})
    assert call.buys


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_kind_of_a_provider_has_its_bodies_here(name: str) -> None:
    bodies = golden(name)
    assert set(bodies) == {kind.value for kind in provider(name).tasks}
    assert all(set(variants) == {"bare", "proxyless", "proxy"} for variants in bodies.values())


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("variant", ["bare", "proxyless", "proxy"])
def test_any_other_kind_is_refused_before_a_call(name: str, variant: str) -> None:
    service = provider(name)
    for kind in set(Kind) - set(service.tasks):
        wanted = order(kind, variant)
        assert not service.takes(wanted.captcha, wanted.proxy)
        with pytest.raises(SolverError) as caught:
            next(service.solve(wanted))
        assert caught.value.code is ErrorCode.METHOD_INVALID


def test_an_order_shows_no_cookies_and_no_credentials() -> None:
    shown = repr(order(Kind.RECAPTCHA_V2, "proxy"))
    assert "proxy.example" in shown
    assert not any(secret in shown for secret in ("a=1", "b=2", "user:", "secret"))


@pytest.mark.parametrize("name", ["anticaptcha", "2captcha", "capsolver", "capmonster"])
def test_the_four_services_sell_no_hcaptcha(name: str) -> None:
    assert not provider(name).takes(Captcha(Kind.HCAPTCHA, URL, KEY), PROXY)


@pytest.mark.parametrize("proxy", [None, Proxy("socks5", "192.0.2.1", 1080)])
def test_a_proxy_without_credentials_is_described_without_any(proxy: Proxy | None) -> None:
    for name in PROVIDERS:
        task = provider(name).task(Order(Captcha(Kind.RECAPTCHA_V2, URL, KEY), "p", proxy=proxy))
        assert not {"proxyLogin", "proxyPassword"} & set(task)
        assert task.get("proxyPort") == (proxy and proxy.port)


@pytest.mark.parametrize(
    ("asked", "sold"), [(0.1, 0.3), (0.3, 0.3), (0.5, 0.7), (0.7, 0.7), (0.8, 0.9), (1.0, 0.9)]
)
@pytest.mark.parametrize("name", ["anticaptcha", "2captcha", "rucaptcha"])
def test_a_score_is_asked_that_the_service_sells(name: str, asked: float, sold: float) -> None:
    captcha = Captcha(Kind.RECAPTCHA_V3, URL, KEY, {"min_score": asked})
    assert provider(name).task(Order(captcha, "p"))["minScore"] == sold


@pytest.mark.parametrize(
    ("username", "password"), [("us%er", "secret"), ("user", "sec%ret"), ("%", "%")]
)
def test_capmonster_is_not_asked_with_a_percent_sign_in_credentials(
    username: str, password: str
) -> None:
    service = CapMonster(poll_interval=3.0)
    captcha = Captcha(Kind.TURNSTILE, URL, KEY)
    proxy = Proxy("http", "proxy.example", 8080, username, password)
    assert not service.takes(captcha, proxy)
    assert service.takes(captcha, PROXY)
    with pytest.raises(SolverError) as caught:
        next(service.solve(Order(captcha, "p", proxy=proxy)))
    assert caught.value.code is ErrorCode.METHOD_INVALID


def test_datadomes_cookie_comes_from_the_captchas_address_where_it_has_one() -> None:
    captcha = Captcha(Kind.DATADOME, URL, None, {"captcha_url": "https://geo.example/?t=fe"})
    task = CapMonster(poll_interval=3.0).task(Order(captcha, "p", proxy=PROXY))
    assert task["metadata"] == {"captchaUrl": "https://geo.example/?t=fe"}


OUR_NAMES = {"anti-captcha": "anticaptcha"}
OUR_KINDS = {"image_to_text": "image"}
ADDED = {("2captcha", "datadome"), ("capmonster", "datadome")}  # documented, but not in the facts


@pytest.mark.skipif(not FACTS.exists(), reason="the collected facts are not here")
@pytest.mark.parametrize("service", ["anti-captcha", "2captcha", "capsolver", "capmonster"])
def test_the_bodies_agree_with_the_collected_facts(service: str) -> None:
    facts = {OUR_KINDS.get(k, k): row for k, row in json.loads(FACTS.read_text())[service].items()}
    name = OUR_NAMES.get(service, service)
    for kind, variants in golden(name).items():
        if (name, kind) in ADDED:
            continue
        row = facts[kind]
        words = " ".join(row["fields"] + row["proxy_fields"])
        for variant, type_name in (("proxyless", "proxyless"), ("proxy", "with_proxy")):
            if variants[variant] is None:
                assert row[type_name] is None
                continue
            expected = (row[type_name] or row["proxyless"]).split(" class=")
            assert variants[variant]["type"] == expected[0]
            assert all(
                f in words for f in variants[variant] if f not in {"type", "class", "websiteURL"}
            )
