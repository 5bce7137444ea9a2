"""A session keeps its proxy and its user agent, and no credentials stay behind in a request."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.downloadermiddlewares.httpproxy import HttpProxyMiddleware
from scrapy.http import Request

from scrapy_captcha.proxy import Proxy, Rest
from scrapy_captcha.requests import site_of, without_proxy
from scrapy_captcha.sessions.routing import Sessions

PROXIES = (
    Proxy("http", "p0", 80, "user", "secret"),
    Proxy("http", "p1", 80, "us@er", "p:a/s%s"),
    Proxy("http", "p2", 80),
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(PROXIES, clock)


@pytest.fixture(autouse=True)
def _no_proxies_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def page(host: str = "example.com", **meta: Any) -> Request:
    return Request(f"https://{host}/a", meta=meta)


def through_scrapy(request: Request) -> Request:
    """What Scrapy does about the proxy on the way to the downloader."""
    HttpProxyMiddleware().process_request(request)
    return request


def equipped(sessions: Sessions, request: Request, *, keep_proxy: bool = False) -> str | None:
    assert sessions.equip(request, keep_proxy=keep_proxy)
    proxy: str | None = request.meta.get("proxy")
    return proxy


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("example.com", "example.com"),
        ("www.example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("", ""),
    ],
)
def test_a_site_is_the_registrable_domain_or_the_host_itself(host: str, site: str) -> None:
    assert site_of(host) == site


def test_customers_of_one_host_are_sites_of_their_own() -> None:
    assert site_of("a.github.io") != site_of("b.github.io")


def test_a_session_keeps_its_proxy_and_others_take_turns(sessions: Sessions) -> None:
    first = [equipped(sessions, page(cookiejar=jar)) for jar in range(3)]
    assert first == [proxy.url for proxy in PROXIES]
    assert [equipped(sessions, page(cookiejar=jar)) for jar in range(3)] == first


def test_hosts_of_one_site_share_a_session(sessions: Sessions) -> None:
    assert equipped(sessions, page("www.example.com")) == equipped(sessions, page("example.com"))
    assert equipped(sessions, page("example.org")) == PROXIES[1].url


def test_without_a_pool_no_proxy_is_set(clock: Clock) -> None:
    request = page()
    assert equipped(Sessions((), clock), request) is None
    assert request.meta == {}


@pytest.mark.parametrize("proxy", ["http://own:1", None, ""])
def test_a_proxy_that_the_spider_has_set_is_left_alone(
    sessions: Sessions, proxy: str | None
) -> None:
    request = page(proxy=proxy)
    assert equipped(sessions, request) == proxy
    assert request.meta == {"proxy": proxy}


def test_a_spiders_own_proxy_that_failed_is_left_for_one_of_the_pool(sessions: Sessions) -> None:
    request = through_scrapy(page(proxy="http://me:secret@own:1"))
    rotated = sessions.rotated(request, Rest.GROWING)
    assert rotated is not None
    assert "own" not in repr(rotated.meta)
    assert "Proxy-Authorization" not in rotated.headers


def test_where_no_proxy_may_go_the_request_does_not_go(clock: Clock) -> None:
    sessions = Sessions(PROXIES[:1], clock)
    request = page()
    assert sessions.equip(request, keep_proxy=False)
    assert sessions.rotated(request, Rest.OUT) is None
    assert not sessions.equip(page(), keep_proxy=False)


def test_a_solution_stays_at_its_proxy_though_that_has_to_rest(sessions: Sessions) -> None:
    request = page()
    equipped(sessions, request)
    assert sessions.rotated(request, Rest.BANNED) is not None
    assert equipped(sessions, request, keep_proxy=True) == PROXIES[0].url
    assert equipped(sessions, request, keep_proxy=False) == PROXIES[1].url


@pytest.mark.parametrize("index", ["0", 3, -1, True, None])
def test_a_damaged_place_in_the_pool_counts_as_absent(sessions: Sessions, index: object) -> None:
    request = page(_captcha_proxy=index, proxy="http://gone:1")
    assert equipped(sessions, request, keep_proxy=True) == PROXIES[0].url


def test_a_user_agent_is_bound_to_its_session(sessions: Sessions) -> None:
    sessions.bind(page("www.example.com", cookiejar=1), "Mozilla/5.0")
    requests = [page(cookiejar=1), page(cookiejar=2), page("example.org", cookiejar=1)]
    for request in requests:
        sessions.equip(request, keep_proxy=False)
    assert [r.headers.get("User-Agent") for r in requests] == [b"Mozilla/5.0", None, None]


@pytest.mark.parametrize("index", range(3))
def test_the_proxy_of_a_request_is_known_with_its_credentials(
    sessions: Sessions, index: int
) -> None:
    for jar in range(index + 1):
        request = page(cookiejar=jar)
        equipped(sessions, request)
    assert sessions.proxy_of(request) == PROXIES[index]
    assert sessions.proxy_of(through_scrapy(request)) == PROXIES[index]


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://own:1", Proxy("http", "own", 1)),
        ("http://user:secret@own:1", Proxy("http", "own", 1, "user", "secret")),
        ("http://user:p%C3%A4ss@own:1", Proxy("http", "own", 1, "user", "p\u00e4ss")),
        ("http://user:a%3Ab@own:1", Proxy("http", "own", 1, "user", "a:b")),
    ],
)
def test_a_proxy_of_the_spiders_own_is_read_back_from_what_scrapy_made_of_it(
    sessions: Sessions, url: str, proxy: Proxy
) -> None:
    assert sessions.proxy_of(page(proxy=url)) == proxy
    assert sessions.proxy_of(through_scrapy(page(proxy=url))) == proxy


@pytest.mark.parametrize("proxy", [None, "", "own", "ftp://own:1"])
def test_what_is_no_proxy_is_none(sessions: Sessions, proxy: str | None) -> None:
    assert sessions.proxy_of(page(proxy=proxy)) is None
    assert sessions.proxy_of(page()) is None


@pytest.mark.parametrize("header", [b"Bearer abc", b"Basic", b"Basic !", b"Basic YQ", b""])
def test_credentials_that_cannot_be_read_are_left_out(sessions: Sessions, header: bytes) -> None:
    request = page(proxy="http://own:1")
    request.headers["Proxy-Authorization"] = header
    assert sessions.proxy_of(request) == Proxy("http", "own", 1)


def test_rotated_is_a_copy_that_holds_nothing_of_the_old_proxy(sessions: Sessions) -> None:
    request = page(page=2)
    equipped(sessions, request)
    request = through_scrapy(request)
    request.headers["Accept"] = "x"
    before = (dict(request.meta), request.headers.copy())
    rotated = sessions.rotated(request, Rest.GROWING)
    assert rotated is not None
    assert rotated.meta == {"page": 2, "_captcha_proxy": 1}
    assert rotated.headers == {b"Accept": [b"x"]}
    assert "secret" not in str(rotated.to_dict())
    assert (dict(request.meta), request.headers) == before
    assert equipped(sessions, rotated, keep_proxy=True) == PROXIES[1].url


def test_the_session_stays_where_it_was_rotated_to(sessions: Sessions, clock: Clock) -> None:
    request = page()
    equipped(sessions, request)
    assert sessions.rotated(request, Rest.GROWING) is not None
    clock.now = 100_000.0
    assert equipped(sessions, page()) == PROXIES[1].url


def test_without_another_proxy_there_is_nothing_to_rotate_to(clock: Clock) -> None:
    request = page()
    assert Sessions((), clock).rotated(request, Rest.GROWING) is None
    single = Sessions(PROXIES[:1], clock)
    equipped(single, request)
    assert single.rotated(request, Rest.GROWING) is None


@pytest.mark.parametrize(
    ("rest", "here", "elsewhere", "here_later"),
    [
        (Rest.GROWING, False, False, True),
        (Rest.BANNED, False, True, False),
        (Rest.OUT, False, False, False),
    ],
)
def test_the_old_proxy_is_treated_as_it_deserves(
    clock: Clock, rest: Rest, here: bool, elsewhere: bool, here_later: bool
) -> None:
    sessions = Sessions(PROXIES[:2], clock)
    request = page()
    equipped(sessions, request)
    sessions.rotated(request, rest)

    def serves(host: str) -> bool:
        jars = (f"{host} at {clock.now}: {number}" for number in range(4))
        chosen = {equipped(sessions, page(host, cookiejar=jar)) for jar in jars}
        return PROXIES[0].url in chosen

    assert (serves("example.com"), serves("example.org")) == (here, elsewhere)
    clock.now = 61.0
    assert serves("example.com") is here_later


def test_credentials_are_forgotten_before_a_request_can_reach_a_disk(sessions: Sessions) -> None:
    request = page(page=2)
    equipped(sessions, request)
    sessions.forget_credentials(through_scrapy(request))
    assert request.meta == {"page": 2, "_captcha_proxy": 0}
    assert "Proxy-Authorization" not in request.headers
    assert "secret" not in str(request.to_dict())
    assert equipped(sessions, request, keep_proxy=True) == PROXIES[0].url


def test_credentials_of_the_spiders_own_proxy_are_its_own_affair(sessions: Sessions) -> None:
    request = through_scrapy(page(proxy="http://user:secret@own:1"))
    meta = dict(request.meta)
    sessions.forget_credentials(request)
    assert request.meta == meta
    assert request.headers["Proxy-Authorization"] == b"Basic dXNlcjpzZWNyZXQ="


def test_without_proxy_a_request_is_as_if_it_had_never_had_one() -> None:
    request = through_scrapy(page(proxy="http://user:secret@own:1", page=2))
    bare = without_proxy(request)
    assert (bare.meta, dict(bare.headers)) == ({"page": 2}, {})
    assert request.meta["proxy"] == "http://own:1"
