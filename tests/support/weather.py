"""A site, a solver and proxies that fail as they are scripted, and a crawl that goes on meanwhile."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawling import FAST, path_of, reactor_setting, sandbox
from following import reserved_ports
from proxying import proxies
from scrapy import Request, Spider, signals
from scrapy.crawler import CrawlerRunner
from scrapy.exceptions import DontCloseSpider
from scrapy.utils.defer import deferred_from_coro
from twisted.internet.task import deferLater

from scrapy_captcha import CaptchaError
from scrapy_captcha.sandbox.script import HttpReply
from scrapy_captcha.sandbox.web import Listener, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure
    from twisted.web.server import Request as Asked

    from scrapy_captcha.sandbox import Guard, Sandbox

PATIENCE = 10.0  # seconds in which every page has to end
WALL = HttpReply(
    403,
    b"<title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>"
    b'<div id="cf-error-details">Cloudflare Ray ID: 1</div>',
    {"Content-Type": "text/html", "Server": "cloudflare", "CF-RAY": "1"},
)


async def pause(seconds: float) -> None:
    from twisted.internet import reactor

    await deferLater(reactor, seconds)


class Front:
    """Stands before the sandbox's site, and answers in its place as long as *faults* says so.

    A fault is a status, or one of ``"close"``, ``"move"`` and ``"wall"``; those of a path are used
    up one by one, those of ``"*"`` by any request whose path has none.
    """

    def __init__(self, running: Sandbox) -> None:
        self.faults: dict[str, list[int | str]] = {}
        self._site = running.site
        self._numbers = itertools.count()
        self._listener = Listener(self.respond)

    @property
    def url(self) -> str:
        return self._listener.url

    async def respond(self, request: Asked) -> None:
        path = urlsplit(request.path.decode("latin-1")).path
        left = self.faults.get(path) or self.faults.get("*")
        fault = left.pop(0) if left else None
        if fault is None:
            await self._site.respond(request)
        elif fault == "close":
            request.loseConnection()
        elif fault == "move":
            # Another URL each time: Scrapy filters what leads to where it has been.
            location = f"{path}?moved={next(self._numbers)}"
            send(request, HttpReply(307, b"", {"Location": location}))
        elif fault == "wall":
            send(request, WALL)
        else:
            send(request, HttpReply(int(fault), b"<h1>Error</h1>", {"Content-Type": "text/html"}))

    async def __aenter__(self) -> Front:
        await self._listener.listen(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listener.stop_listening()


class Patient(Spider):
    """Asks for what it is given while it runs, and notes how each request ends."""

    name = "patient"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.pages: list[Response] = []
        self.failures: list[Failure] = []
        self.may_close = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Any:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.stay, signals.spider_idle)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        nothing: list[Request] = []
        for request in nothing:
            yield request

    def stay(self) -> None:
        if not self.may_close:
            raise DontCloseSpider

    def ask(self, url: str, **more: Any) -> None:
        self.asked.append(url)
        engine = self.crawler.engine
        assert engine is not None
        meta = {"asked": url}
        engine.crawl(Request(url, self.parse, errback=self.failed, meta=meta, **more))

    def parse(self, response: Response, **kwargs: Any) -> None:
        self.pages.append(response)

    def failed(self, failure: Failure) -> None:
        self.failures.append(failure)

    @property
    def ended(self) -> Counter[str]:
        """How often each request has come to its callback or errback."""
        requests = [p.request for p in self.pages]
        requests += [f.request for f in self.failures]  # type: ignore[attr-defined]
        return Counter(r.meta["asked"] for r in requests if r is not None)


class Lines(logging.Handler):
    """The warnings, and what is worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.name} {record.levelname} {record.getMessage()}")


class Crawl:
    """A crawl that is under way, until ``finish``."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self.guards: dict[str, Guard | None] = {}
        self.lines = Lines()

    async def start(self, usual: Guard, proxied: Sequence[str], settings: dict[str, Any]) -> None:
        """*proxied* names proxies, each ``"good"`` or ``"refused"``."""
        enter = self._stack.enter_async_context
        self.running = await enter(sandbox({}, usual, guards=self.guards, pages=10_000))
        self.front = await enter(Front(self.running))
        pool = []
        for kind in proxied:
            if kind == "good":
                [proxy] = await enter(proxies(""))
                pool.append(proxy.url)
            else:
                [port] = self._stack.enter_context(reserved_ports(1))
                pool.append(f"http://127.0.0.1:{port}")
        given = {"CAPTCHA_PROXIES": pool} if pool else {}
        usually = {**self.running.settings, **FAST, **reactor_setting(), "CLOSESPIDER_TIMEOUT": 0}
        self.crawler = CrawlerRunner({**usually, **settings, **given}).create_crawler(Patient)
        logging.getLogger().addHandler(self.lines)
        self._stack.callback(logging.getLogger().removeHandler, self.lines)
        self._done = self.crawler.crawl()
        while not self.crawler.crawling or self.crawler.spider is None:
            await pause(0.005)
        while "start_time" not in self.stats:
            await pause(0.005)

    @property
    def spider(self) -> Patient:
        assert isinstance(self.crawler.spider, Patient)
        return self.crawler.spider

    def ask(self, path: str, **more: Any) -> None:
        self.spider.ask(self.front.url + path, **more)

    async def settle(self) -> None:
        """Until each request has ended; not for ever."""
        for _ in range(int(PATIENCE / 0.01)):
            if self.spider.ended.total() >= len(self.spider.asked):
                return
            await pause(0.01)

    async def finish(self) -> None:
        """The crawl, and all that it needed."""
        try:
            self.spider.may_close = True
            await deferred_from_coro(self.crawler.stop_async())
            await self._done
        finally:
            await self._stack.aclose()

    @property
    def stats(self) -> dict[str, Any]:
        assert self.crawler.stats is not None
        return self.crawler.stats.get_stats()

    @property
    def given_up(self) -> Counter[str]:
        """The reasons of the plugin's errbacks."""
        errors = [f.value for f in self.spider.failures]
        return Counter(e.reason for e in errors if isinstance(e, CaptchaError))


def heading(response: Response) -> str:
    """That of a page of the sandbox: the path that it stands at."""
    number = response.css("h1::text").re_first(r"Item (\d+)")
    return f"/page/{number}" if number else path_of(response)
