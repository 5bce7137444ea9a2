"""Proxies are read without showing their credentials; the pool keeps a session to its proxy."""

from __future__ import annotations

import traceback
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapy_captcha.proxy import Proxy, Rest
from scrapy_captcha.sessions import proxies
from scrapy_captcha.sessions.proxies import OwnPool, ProxyPool


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy.example:8080", Proxy("http", "proxy.example", 8080)),
        ("http://proxy.example:8080/", Proxy("http", "proxy.example", 8080)),
        ("HTTPS://PROXY.example:8080", Proxy("https", "proxy.example", 8080)),
        ("socks4://10.0.0.1:1080", Proxy("socks4", "10.0.0.1", 1080)),
        ("socks5://10.0.0.1:1080", Proxy("socks5", "10.0.0.1", 1080)),
        ("http://[2001:db8::1]:8080", Proxy("http", "2001:db8::1", 8080)),
        ("http://user:secret@[::1]:80", Proxy("http", "::1", 80, "user", "secret")),
        ("http://user@h:1", Proxy("http", "h", 1, "user", "")),
        ("http://us%40er:p%3Aa%2Fs%25s@h:1", Proxy("http", "h", 1, "us@er", "p:a/s%s")),
        ("http://user:a:b@h:1", Proxy("http", "h", 1, "user", "a:b")),
        # What is not encoded belongs to the credentials all the same.
        ("http://us@er:se#cr/et?%@h:1", Proxy("http", "h", 1, "us@er", "se#cr/et?%")),
        ("http://user:123/secret@h:1", Proxy("http", "h", 1, "user", "123/secret")),
        ("http://%C3%BC:%C3%9F@h:1", Proxy("http", "h", 1, "\u00fc", "\u00df")),
    ],
)
def test_a_url_is_read_as_a_proxy(url: str, proxy: Proxy) -> None:
    assert Proxy.parse(url) == proxy


BAD = [
    "",
    "proxy.example",
    "user:secret@proxy.example:8080",
    "ftp://user:secret@proxy.example:21",
    "http://user:secret@proxy.example",
    "http://user:secret@proxy.example:0",
    "http://user:secret@proxy.example:99999",
    "http://user:secret@proxy.example:port",
    "http://user:secret@:8080",
    "http://user:secret@[::1:8080",
]


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_proxy_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as caught:
        Proxy.parse(url)
    assert "cret" not in "".join(traceback.format_exception(caught.value))
    assert "user" not in str(caught.value)


def test_neither_str_nor_repr_shows_credentials() -> None:
    proxy = Proxy("http", "::1", 80, "user", "secret")
    assert str(proxy) == "http://[::1]:80"
    assert repr(proxy) == "<Proxy http://[::1]:80>"
    assert f"{[proxy]}" == "[<Proxy http://[::1]:80>]"


def test_the_url_has_the_credentials_percent_encoded() -> None:
    assert Proxy("http", "h", 1, "us@er", "p:a/s%s").url == "http://us%40er:p%3Aa%2Fs%25s@h:1"
    assert Proxy("http", "::1", 1).url == "http://[::1]:1"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)
@pytest.mark.thorough
@given(username=st.text(min_size=1, max_size=12), password=st.text(max_size=12))
def test_any_credentials_survive_the_way_into_a_url_and_back(username: str, password: str) -> None:
    url = f"http://{quote(username, safe='')}:{quote(password, safe='')}@h:1"
    proxy = Proxy.parse(url)
    assert (proxy.username, proxy.password) == (username, password)
    assert Proxy.parse(proxy.url) == proxy


def pool_of(number: int) -> ProxyPool:
    return ProxyPool([Proxy("http", f"p{i}", 80) for i in range(number)])


def test_proxies_are_known_by_their_index() -> None:
    pool = pool_of(3)
    assert len(pool) == 3
    assert pool[1] == Proxy("http", "p1", 80)


def test_sessions_get_the_proxies_in_turn() -> None:
    pool = pool_of(3)
    assert [pool.choose("a.example", jar, 0.0) for jar in range(4)] == [0, 1, 2, 0]


def test_a_session_keeps_its_proxy() -> None:
    pool = pool_of(3)
    first = [pool.choose("a.example", jar, 0.0) for jar in (None, 1, "x")]
    later = [pool.choose("a.example", jar, 9.0) for jar in (None, 1, "x")]
    assert later == first


def test_another_site_is_another_session() -> None:
    pool = pool_of(2)
    assert pool.choose("a.example", None, 0.0) == 0
    assert pool.choose("b.example", None, 0.0) == 1


def test_a_resting_proxy_is_left_out_until_its_rest_is_over() -> None:
    pool = pool_of(2)
    pool.rest(0, now=0.0)
    assert pool.choose("a.example", 1, 59.9) == 1
    assert pool.choose("a.example", 2, 60.0) == 0


def test_a_session_moves_away_from_a_resting_proxy_and_stays_where_it_went() -> None:
    pool = pool_of(2)
    assert pool.choose("a.example", None, 0.0) == 0
    pool.rest(0, now=0.0)
    assert pool.choose("a.example", None, 1.0) == 1
    assert pool.choose("a.example", None, 100.0) == 1


def test_each_rest_is_twice_as_long_as_the_last_up_to_an_hour() -> None:
    pool, now, lengths = pool_of(2), 0.0, []
    for number in range(9):
        pool.rest(0, now)
        length = next(
            s for s in range(1, 4000) if pool.choose("a.example", (number, s), now + s) == 0
        )
        lengths.append(length)
        now += 10_000.0
    assert lengths == pytest.approx([60, 120, 240, 480, 960, 1920, 3600, 3600, 3600], abs=1)


def test_where_all_rest_the_one_whose_rest_ends_first_serves() -> None:
    pool = pool_of(3)
    pool.rest(0, now=0.0)
    pool.rest(0, now=0.0)  # 120 s
    pool.rest(1, now=0.0)  # until 60 s
    pool.rest(2, now=10.0)  # until 70 s
    assert pool.choose("a.example", None, 20.0) == 1


def test_a_banned_proxy_is_left_out_at_that_site_only() -> None:
    pool = pool_of(2)
    pool.ban(0, "a.example")
    assert {pool.choose("a.example", jar, 0.0) for jar in range(6)} == {1}
    assert {pool.choose("b.example", jar, 0.0) for jar in range(6)} == {0, 1}


def test_a_session_leaves_a_banned_proxy() -> None:
    pool = pool_of(2)
    assert pool.choose("a.example", None, 0.0) == 0
    pool.ban(0, "a.example")
    assert pool.choose("a.example", None, 0.0) == 1


def test_a_proxy_that_is_taken_out_serves_nobody() -> None:
    pool = pool_of(2)
    assert pool.choose("a.example", None, 0.0) == 0
    pool.take_out(0)
    assert {pool.choose(site, None, 0.0) for site in ("a.example", "b.example")} == {1}


def test_a_banned_proxy_does_not_serve_where_all_others_rest() -> None:
    pool = pool_of(2)
    pool.ban(0, "a.example")
    pool.rest(1, now=0.0)
    assert pool.choose("a.example", None, 1.0) == 1


def test_without_a_usable_proxy_there_is_none() -> None:
    pool = pool_of(2)
    pool.take_out(0)
    pool.ban(1, "a.example")
    assert pool.choose("a.example", None, 0.0) is None
    assert pool.choose("b.example", None, 0.0) == 1
    assert pool_of(0).choose("a.example", None, 0.0) is None


def test_who_does_not_want_a_resting_proxy_is_told_how_long_to_wait() -> None:
    pool = pool_of(2)
    assert pool.wait("shop.example", 0.0) == 0.0
    pool.rest(0, 0.0)
    pool.ban(1, "shop.example")
    assert pool.wait("shop.example", 10.0) == 50.0
    assert pool.wait("news.example", 10.0) == 0.0
    pool.take_out(0)
    assert pool.wait("shop.example", 10.0) is None


def test_a_session_may_be_moved_to_a_proxy_that_may_be_used() -> None:
    pool = pool_of(2)
    assert pool.choose("shop.example", None, 0.0) == 0
    assert pool.move("shop.example", None, 1, 0.0)
    assert pool.choose("shop.example", None, 0.0) == 1
    pool.rest(0, 0.0)
    assert not pool.move("shop.example", None, 0, 0.0)
    assert pool.choose("shop.example", None, 0.0) == 1


class Lender:
    """Lends one proxy after the other to each site, and hears of what fails."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        self.left = ["http://me:s%40crt@a:1", "http://b:2"]

    def choose(self, site: str, jar: object) -> str | None:
        return self.left[0] if self.left else None

    def refused(self, proxy: str, what: str, site: str) -> None:
        self.heard.append((proxy, what, site))
        self.left.remove(proxy)

    def wait(self, site: str) -> float | None:
        return 0.0 if self.left else None


def test_a_class_of_the_users_own_takes_the_place_of_the_pool() -> None:
    lender = Lender()
    pool = OwnPool(lender)
    assert pool
    assert [pool.choose("shop.example", jar, 0.0) for jar in range(2)] == [0, 0]
    assert pool[0] == Proxy("http", "a", 1, "me", "s@crt")
    pool.refused(0, Rest.BANNED, "shop.example", 0.0)
    assert lender.heard == [("http://me:s%40crt@a:1", "ban", "shop.example")]
    assert (pool.choose("shop.example", 0, 0.0), pool.wait("shop.example", 0.0)) == (1, 0.0)
    pool.refused(1, Rest.OUT, "shop.example", 0.0)
    assert (pool.choose("shop.example", 0, 0.0), pool.wait("shop.example", 0.0)) == (None, None)
    assert not pool.move("shop.example", 0, 0, 0.0)
    assert len(pool) == 2


def test_sessions_and_bans_are_kept_in_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "_KEPT", 3)
    pool = ProxyPool([Proxy("http", "a.example", 1), Proxy("http", "b.example", 2)])
    for number in range(6):
        pool.ban(0, f"{number}.example")
        pool.choose(f"{number}.example", None, 0.0)

    assert len(pool._banned) == len(pool._chosen) == 3
    assert pool.choose("5.example", None, 0.0) == 1
