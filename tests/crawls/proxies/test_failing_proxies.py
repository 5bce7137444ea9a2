"""Proxies of the pool that fail the crawl itself: they cool down, and the pages go on elsewhere."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from listening import listening
from proxying import proxies
from scrapy import Request
from twisted.internet.protocol import Factory, Protocol

from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATHS = [f"/page/{n}" for n in range(1, 9)]


async def refusing() -> str:
    """The URL of a proxy that has just been shut down."""
    async with listening(Factory()) as port:
        return f"http://127.0.0.1:{port}"


class Silent(Protocol):
    """Takes all and answers nothing."""


class Closing(Protocol):
    """Ends each connection at once."""

    def connectionMade(self) -> None:  # noqa: N802 - of Twisted
        assert self.transport is not None
        self.transport.loseConnection()


class Answering(Protocol):
    """Answers all with *status*, whatever it is asked for."""

    status = b"407 Proxy Authentication Required"

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - of Twisted
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % self.status)


class BadGateway(Answering):
    status = b"502 Bad Gateway"


@asynccontextmanager
async def proxy_that(protocol: type[Protocol]) -> AsyncIterator[tuple[str, list[int]]]:
    """Its URL, and its connections."""
    connections: list[int] = []

    class Counting(protocol):  # type: ignore[misc, valid-type]
        def connectionMade(self) -> None:  # noqa: N802 - of Twisted
            connections.append(1)
            super().connectionMade()

    async with listening(Factory.forProtocol(Counting)) as port:
        yield f"http://127.0.0.1:{port}", connections


@pytest.mark.parametrize("retry", [{}, {"RETRY_ENABLED": False}, {"RETRY_TIMES": 0}], ids=str)
@pytest_twisted.ensureDeferred
async def test_no_page_is_lost_to_proxies_that_refuse_connections(retry: dict[str, Any]) -> None:
    dead = [await refusing() for _ in range(4)]
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running, proxies("") as (alive,):
        settings = {"CAPTCHA_PROXIES": [*dead, alive.url], **retry}
        crawled = await crawl(running, PATHS, settings)

    assert crawled.paths == PATHS
    assert len(alive.served) == len(running.site.requests)
    assert crawled.stat("task_count") == len(PATHS)
    assert crawled.stat("proxy_rotation_count") >= 4
    assert crawled.stats.get("retry/count", 0) == 0


@pytest_twisted.ensureDeferred
async def test_a_proxy_that_refuses_cools_down_for_pages_that_come_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    dead = await refusing()
    async with sandbox() as running, proxies("") as (alive,):
        settings = {
            "CAPTCHA_PROXIES": [dead, alive.url],
            "CONCURRENT_REQUESTS": 1,
            "RETRY_ENABLED": False,
        }
        jars = [Request(running.site_url + path, meta={"cookiejar": path}) for path in PATHS]
        crawled = await crawl(running, jars, settings)

    assert crawled.paths == PATHS
    assert crawled.stat("proxy_rotation_count") == 1
    assert caplog.text.count("is cooling down") == 1


@pytest_twisted.ensureDeferred
async def test_a_proxy_that_wants_other_credentials_is_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with sandbox() as running, proxies("ann:one", "") as (closed, alive):
        wrong = closed.url.replace("one", "secret2")
        settings = {"CAPTCHA_PROXIES": [wrong, alive.url], "RETRY_ENABLED": False}
        crawled = await crawl(running, PATHS, settings)

    assert crawled.paths == PATHS
    assert closed.served == []
    assert caplog.text.count("Stopped using proxy") == 1
    assert "secret2" not in caplog.text


@pytest.mark.parametrize("protocol", [Silent, Closing])
@pytest_twisted.ensureDeferred
async def test_where_proxy_or_site_has_failed_the_last_try_goes_through_another(
    protocol: type[Protocol],
) -> None:
    async with (
        sandbox() as running,
        proxy_that(protocol) as (url, connections),
        proxies("") as (alive,),
    ):
        settings = {
            "CAPTCHA_PROXIES": [url, alive.url],
            "DOWNLOAD_TIMEOUT": 0.5,
            "RETRY_TIMES": 2,
        }
        crawled = await crawl(running, PATHS[:2], settings)

    assert crawled.paths == PATHS[:2]
    assert connections


@pytest.mark.parametrize(
    ("protocol", "retries"), [(Answering, 0), (BadGateway, 2)], ids=["407", "502"]
)
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_opens_no_tunnel_is_left(protocol: type[Protocol], retries: int) -> None:
    """The site is on https, where nothing listens but the proxy; the second opens no tunnel either."""
    async with (
        sandbox() as running,
        proxy_that(protocol) as (first, one),
        proxy_that(BadGateway) as (second, two),
    ):
        request = Request("https://shop.example/")
        settings = {"CAPTCHA_PROXIES": [first, second], "RETRY_TIMES": retries}
        crawled = await crawl(running, [request], settings)

    assert len(crawled.failures) == 1
    assert one
    assert two


@pytest_twisted.ensureDeferred
async def test_a_pool_of_dead_proxies_ends_in_the_errback() -> None:
    dead = [await refusing() for _ in range(40)]
    async with sandbox() as running:
        crawled = await crawl(running, PATHS, {"CAPTCHA_PROXIES": dead, "RETRY_TIMES": 1})

    assert len(crawled.failures) == len(PATHS)
    assert running.site.requests == []


class OwnPool:
    """Gives the same dead proxy for ever."""

    url = ""

    def choose(self, site: str, jar: object) -> str | None:
        return self.url

    def refused(self, proxy: str, what: str, site: str) -> None:
        pass

    def wait(self, site: str) -> float | None:
        return 0


@pytest_twisted.ensureDeferred
async def test_a_pool_of_the_users_own_that_learns_nothing_ends_in_the_errback() -> None:
    class Dead(OwnPool):
        pass

    Dead.url = await refusing()
    async with sandbox() as running:
        crawled = await crawl(running, PATHS[:2], {"CAPTCHA_PROXIES": Dead})

    assert len(crawled.failures) == 2


SPELLINGS = [
    "{scheme}://{login}{host}",
    "{scheme}://{login}{host}/",
    "HTTP://{login}{host}",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("credentials", ["", "ann:t/o% "])
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_the_solver_cannot_use_cools_down_wherever_it_was_named(
    credentials: str, spelling: str
) -> None:
    """The request names the first of the pool itself: the pool does not hand it out again."""
    async with sandbox() as running, proxies(credentials, "") as (first, second):
        running.solver.script(Answer(error="PROXY_REFUSED", omit=("retryable",)))
        scheme, _, rest = first.url.partition("://")
        login, at, host = rest.rpartition("@")
        own = spelling.format(scheme=scheme, login=login + at, host=host)
        request = Request(running.site_url + "/page/1", meta={"proxy": own})
        settings = {"CAPTCHA_PROXIES": [first.url, second.url]}
        crawled = await crawl(running, [request], settings)

    assert crawled.paths == ["/page/1"]
    assert len(first.served) == 1
    assert len(second.served) == 3  # the page, the solution, and the page behind it
