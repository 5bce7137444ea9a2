"""A crawl in a process of its own: takes a `Job` as JSON on stdin, prints a `Crawled` as JSON.

``python -m benchmarks.crawl``; the commands beside it start it and read what it prints.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import tracemalloc
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.downloadermiddlewares import cookies
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.misc import load_object
from tldextract import TLDExtract
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.http import Response
    from twisted.internet.interfaces import IReactorTime
    from typing_extensions import Self

READY = "ready"

_BEAT = 0.005  # seconds
_SETTLED = 1.0  # seconds after the last download, until what comes of it is done
_SLICE = 20  # requests that a spider yields before the reactor has its turn
_SHOWN = 40  # lines of a trace


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to crawl.

    * *waves*: URLs; those of a wave are asked for when all of the wave before have arrived
    * *counted*: the URLs that are waited for, all when there are none
    * *enough*: how many of them make the crawl count as done
    * *ready_after*: downloads after which READY is printed and the memory is measured, 0 for never
    * *stops*: whether the crawl ends when it is ready or, where that is never, done
    * *keeps*: whether the requests are held when their pages have arrived
    * *traced*: how many frames of each allocation are looked at, 0 for no trace
    * *spider*: where a class of `Visitor`'s kind is to be found, "" for itself
    """

    waves: list[list[str]]
    settings: dict[str, Any]
    counted: list[str] = field(default_factory=list)
    enough: int = 0
    stops: bool = False
    ready_after: int = 0
    keeps: bool = False
    traced: int = 0
    spider: str = ""


@dataclass(kw_only=True)
class Crawled:
    """What came of it. Times are in seconds since the last wave began.

    * *done*: when enough had arrived
    * *downloads*: when each answer came, and its URL; *arrivals*: the same of pages that reached
      their callback; *failed*: how many reached the errback
    * *gap*: the longest time for which the reactor had no turn, *gap_cpu* the longest CPU time
      between two turns
    * *memory*: resident bytes that came on top since the spider was opened, once it was ready
    * *trace*: where the memory was allocated
    """

    done: float = 0.0
    downloads: list[tuple[float, str]] = field(default_factory=list)
    arrivals: list[tuple[float, str]] = field(default_factory=list)
    failed: int = 0
    gap: float = 0.0
    gap_cpu: float = 0.0
    memory: int = 0
    trace: list[str] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of what the process prints."""
        return cls(**json.loads(text))


class Visitor(Spider):
    """Crawls *job* and notes in *crawled* what comes of it; *heart* beats from the last wave on."""

    name = "visitor"

    def __init__(self, job: Job, crawled: Crawled, heart: Heartbeat) -> None:
        super().__init__()
        self._heart = heart
        self._job = job
        self._crawled = crawled
        self._counted = frozenset(job.counted or [url for wave in job.waves for url in wave])
        self._enough = job.enough or len(self._counted)
        self._began = time.monotonic()
        self._left = 0
        self._wave_is_over: Deferred[None] = Deferred()
        self._is_ready: Deferred[None] = Deferred()
        self._kept: list[Request] = []

    async def start(self) -> AsyncIterator[Request]:
        """The waves."""
        for wave in self._job.waves:
            self._left, self._wave_is_over = len(wave), Deferred()
            self._began = time.monotonic()
            self._crawled.downloads.clear()
            self._crawled.arrivals.clear()
            if wave is self._job.waves[-1]:
                self._heart.start()
            for number, url in enumerate(wave):
                if number % _SLICE == 0:  # else Scrapy would schedule all in one turn
                    await maybe_deferred_to_future(turn_of_the_reactor())
                yield Request(url, self.parse, errback=self.failed)
            if wave is not self._job.waves[-1]:
                await maybe_deferred_to_future(self._wave_is_over)
        if self._job.ready_after:
            await maybe_deferred_to_future(self._is_ready)

    def parse(self, response: Response, **_: Any) -> Request | None:
        """A page has arrived."""
        assert response.request is not None  # noqa: S101 - Scrapy sets it
        self._crawled.arrivals.append((self._since(), response.url))
        if self._job.keeps:
            self._kept.append(response.request)
        if response.url in self._counted:
            self._enough -= 1
            if self._enough == 0:
                self._crawled.done = self._since()
                if self._job.stops and not self._job.ready_after:
                    self.crawler.engine.close_spider(self)
        self._ended()
        return None

    def failed(self, _failure: object) -> None:
        """A page has not arrived."""
        self._crawled.failed += 1
        self._ended()

    def downloaded(self, response: Response) -> None:
        """An answer has come, whatever it is."""
        self._crawled.downloads.append((self._since(), response.url))
        if len(self._crawled.downloads) == self._job.ready_after:
            Deferred.fromCoroutine(self._ready())

    async def _ready(self) -> None:
        await turn_of_the_reactor(_SETTLED)
        gc.collect()
        self._crawled.memory += _resident()
        if self._job.traced:
            self._crawled.trace = _trace(self._job.ready_after)
        self._is_ready.callback(None)
        sys.stdout.write(READY + "\n")
        sys.stdout.flush()
        if self._job.stops:
            self.crawler.engine.close_spider(self)

    def _since(self) -> float:
        return time.monotonic() - self._began

    def _ended(self) -> None:
        self._left -= 1
        if not self._left:
            self._wave_is_over.callback(None)


class Heartbeat:
    """Measures the longest time for which the reactor had no turn, into *crawled*."""

    def __init__(self, crawled: Crawled) -> None:
        self._crawled = crawled
        self._beat = LoopingCall(self._note)
        self._last = self._last_cpu = 0.0

    def start(self) -> None:
        """From now on; what Scrapy and its packages have on the heap is not to be collected."""
        gc.collect()
        gc.freeze()
        self._last, self._last_cpu = time.monotonic(), time.process_time()
        self._beat.start(_BEAT, now=False)

    def stop(self) -> None:
        """Until now."""
        self._beat.stop()

    def _note(self) -> None:
        now, cpu = time.monotonic(), time.process_time()
        self._crawled.gap = max(self._crawled.gap, now - self._last - _BEAT)
        self._crawled.gap_cpu = max(self._crawled.gap_cpu, cpu - self._last_cpu)
        self._last, self._last_cpu = now, cpu


def turn_of_the_reactor(after: float = 0) -> Deferred[None]:
    """Fires *after* so many seconds."""
    from twisted.internet import reactor

    return deferLater(cast("IReactorTime", reactor), after)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _trace(requests: int) -> list[str]:
    """Bytes per request by the line that allocated them, the greatest first."""
    statistics = tracemalloc.take_snapshot().statistics("lineno")
    return [
        f"{s.size / requests:8.0f} B {s.count / requests:6.2f} objects  {s.traceback[0]}"
        for s in statistics[:_SHOWN]
    ]


def main() -> None:
    """Crawl."""
    job, crawled = Job(**json.load(sys.stdin)), Crawled()
    # Scrapy would download the public suffix list at the first cookie; the packaged one will do.
    cookies._split_domain = TLDExtract(suffix_list_urls=(), include_psl_private_domains=True)
    cookies._split_domain("")  # reads it: a tenth of a second that is no captcha's
    process = AsyncCrawlerProcess(job.settings)
    crawler = process.create_crawler(load_object(job.spider) if job.spider else Visitor)
    heart = Heartbeat(crawled)

    def opened(spider: Visitor) -> None:
        crawler.signals.connect(spider.downloaded, signals.response_downloaded)
        crawled.memory = -_resident()
        if job.traced:
            tracemalloc.start(job.traced)

    crawler.signals.connect(opened, signals.spider_opened)
    crawler.signals.connect(heart.stop, signals.spider_closed)
    process.crawl(crawler, job=job, crawled=crawled, heart=heart)
    process.start()
    crawled.stats = crawler.stats.get_stats()
    sys.stdout.write(json.dumps(asdict(crawled), default=str) + "\n")


if __name__ == "__main__":
    main()
