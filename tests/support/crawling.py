"""Runs real crawls in the reactor of the tests, against the sandbox over real sockets."""

from __future__ import annotations

import gc
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider, signals
from scrapy.crawler import CrawlerRunner
from twisted.internet.task import LoopingCall

from scrapy_captcha.sandbox import Guard, Sandbox, SiteOptions, SolverOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from scrapy.http import Response
    from twisted.python.failure import Failure

API_KEY = "key-0123456789abcdef"
FAST: dict[str, Any] = {
    "CAPTCHA_POLL_INTERVAL": 0.02,
    "TELNETCONSOLE_ENABLED": False,
    "LOGSTATS_INTERVAL": 0,
    "RETRY_TIMES": 1,
    "CLOSESPIDER_TIMEOUT": 100,  # ends what would hang
}


@dataclass
class Crawled:
    """What came out of a crawl: callbacks' responses, errbacks' failures, stats."""

    responses: list[Response] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    reason: str = ""

    @property
    def paths(self) -> list[str]:
        """Of the pages that reached a callback, sorted."""
        return sorted(path_of(response) for response in self.responses)

    @property
    def reasons(self) -> list[str]:
        """Why pages were given up, as the errbacks were told."""
        return sorted(getattr(f.value, "reason", repr(f.value)) for f in self.failures)

    def stat(self, name: str) -> Any:
        """A stat of ours, 0 when nobody has counted it."""
        return self.stats.get(f"captcha/{name}", 0)


class Visitor(Spider):
    """Fetches *requests* and notes what its callback and errback are given."""

    name = "visitor"

    def __init__(self, requests: Iterable[Request], crawled: Crawled) -> None:
        super().__init__()
        self.requests = requests
        self.crawled = crawled

    async def start(self) -> AsyncIterator[Request]:
        for request in self.requests:
            yield (
                request
                if request.callback
                else request.replace(callback=self.parse, errback=self.failed)
            )

    def parse(self, response: Response, **kwargs: Any) -> None:
        self.crawled.times[response.url] = time.monotonic()
        self.crawled.responses.append(response)

    def failed(self, failure: Failure) -> None:
        self.crawled.times[failure.request.url] = time.monotonic()  # type: ignore[attr-defined]
        self.crawled.failures.append(failure)


def reactor_setting() -> dict[str, Any]:
    """Scrapy's setting for the reactor that the tests run in."""
    from twisted.internet import reactor

    cls = type(reactor)
    return {"TWISTED_REACTOR": f"{cls.__module__}.{cls.__qualname__}"}


@asynccontextmanager
async def sandbox(
    solver: dict[str, Any] | None = None,
    guard: Guard | None = None,
    services: dict[str, dict[str, Any]] | None = None,
    **site: Any,
) -> AsyncIterator[Sandbox]:
    """A running sandbox: *solver* and *site* are options, *guard* stands before each page.

    *services* has options for single services, which replace those in *solver*.
    """
    usual: dict[str, Any] = {"api_key": API_KEY, "solve_time": 0.0} | (solver or {})
    own = {name: SolverOptions(**usual | more) for name, more in (services or {}).items()}
    pages = SiteOptions(guard=guard or Guard(), **site)
    async with Sandbox(SolverOptions(**usual), pages, services=own) as running:
        yield running


async def crawl(
    running: Sandbox,
    requests: Iterable[Request | str],
    settings: dict[str, Any] | None = None,
    spider: type[Visitor] = Visitor,
    heart: Heartbeat | None = None,
) -> Crawled:
    """Crawls *requests*, or paths of the site, with the plugin pointed at the sandbox.

    *heart* beats from the opening of the spider to its closing.
    """
    crawled = Crawled()
    runner = CrawlerRunner({**running.settings, **FAST, **reactor_setting(), **(settings or {})})
    crawler = runner.create_crawler(spider)
    if heart is not None:
        crawler.signals.connect(heart.start, signals.spider_opened)
        crawler.signals.connect(heart.stop, signals.spider_closed)
    made = [r if isinstance(r, Request) else Request(running.site_url + r) for r in requests]
    await crawler.crawl(requests=made, crawled=crawled)
    crawled.stats = dict(crawler.stats.get_stats())
    crawled.reason = crawled.stats.get("finish_reason", "")
    return crawled


class Heartbeat:
    """Measures the CPU time, in seconds, that the reactor's thread uses from one turn to the next.

    That a busy machine lets it wait does not count.
    """

    def __init__(self, interval: float = 0.005) -> None:
        self._interval = interval
        self._beat = LoopingCall(self._note)
        self._last = time.thread_time()
        self._delays: list[float] = []

    @property
    def longest(self) -> float:
        """The longest such time."""
        return max(self._delays)

    @property
    def p99(self) -> float:
        """What all but a hundredth of the beats were not later than."""
        return sorted(self._delays)[int(len(self._delays) * 0.99)]

    def _note(self) -> None:
        now = time.thread_time()
        self._delays.append(now - self._last)
        self._last = now

    def start(self) -> None:
        # What the test runner has on its heap is not to be collected meanwhile.
        gc.collect()
        gc.freeze()
        self._last = time.thread_time()
        self._beat.start(self._interval, now=False)

    def stop(self) -> None:
        self._beat.stop()
        gc.unfreeze()


def path_of(response: Response) -> str:
    """The path of its URL."""
    return "/" + response.url.split("/", 3)[3]
