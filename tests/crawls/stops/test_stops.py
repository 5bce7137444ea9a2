"""Whichever way a crawl ends, the next run of its job has every page: once, or at least once if killed."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from forked import sandbox_process
from job import WAITING, Job, journals
from jobs import QUEUES, until_parked
from scrapy import Request
from scrapy.exceptions import CloseSpider
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.defer import deferred_from_coro

from scrapy_captcha.money import micros

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from scrapy.http import Response

    from scrapy_captcha.sandbox.fixture import SandboxProcess

PARKED = 200
OPEN = "/page/1"
GUARDED = [f"/page/{n}" for n in range(2, PARKED + 2)]
SOLVES = 16  # CAPTCHA_CONCURRENT_SOLVES
LONGEST_STOP = 20.0  # seconds; a wait that is not cancelled lasts 600

# At a resume Scrapy 2.14 leaves the file of an empty queue open.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning"
)


# Graceful stops


def nothing(spider: Stopping) -> None:
    """Scrapy stops it."""


def raise_close_spider(spider: Stopping) -> None:
    raise CloseSpider("enough")


def raise_error(spider: Stopping) -> None:
    raise ArithmeticError("a spider's own")


def close_the_spider(spider: Stopping) -> None:
    engine = spider.crawler.engine
    assert engine is not None
    deferred_from_coro(engine.close_spider_async(reason="enough"))


class Stopping(Visitor):
    """Fetches the open page when the others are parked, whose callback does *act*."""

    act: ClassVar[Callable[[Any], None]] = nothing
    stopped_at = float("inf")  # where Scrapy has stopped it before

    async def start(self) -> AsyncIterator[Request]:
        async for request in super().start():
            yield request
        await until_parked(self, PARKED)
        type(self).stopped_at = time.monotonic()
        site = self.settings["SITE"]
        yield Request(site + OPEN, callback=self.parse_open)

    def parse_open(self, response: Response) -> Any:
        self.parse(response)
        yield {"url": response.url}
        type(self).act(self)


STOPS: dict[str, tuple[dict[str, Any], Callable[[Stopping], None]]] = {
    "engine.close_spider": ({}, close_the_spider),
    "CloseSpider": ({}, raise_close_spider),
    "CLOSESPIDER_ITEMCOUNT": ({"CLOSESPIDER_ITEMCOUNT": 1}, nothing),
    "CLOSESPIDER_PAGECOUNT": ({"CLOSESPIDER_PAGECOUNT": 1}, nothing),
    "CLOSESPIDER_ERRORCOUNT": ({"CLOSESPIDER_ERRORCOUNT": 1}, raise_error),
    "CLOSESPIDER_TIMEOUT": ({"CLOSESPIDER_TIMEOUT": 2}, nothing),
}


async def stopped_and_resumed(stop: str, settings: dict[str, Any]) -> tuple[Any, Any, float]:
    """What both crawls came to, and how long the stop took, in seconds."""

    class Stopped(Stopping):
        act = STOPS[stop][1]

    async with sandbox(guards={OPEN: None}, pages=PARKED + 1) as running:
        first = {"SITE": running.site_url, "CAPTCHA_POLL_INTERVAL": 600, **settings}
        first |= STOPS[stop][0]
        stopped = await crawl(running, GUARDED, first, Stopped)
        took = time.monotonic() - Stopped.stopped_at
        resumed = await crawl(running, GUARDED, settings)
    return stopped, resumed, took


@pytest.mark.parametrize(
    ("stop", "queue"),
    [
        *((stop, "default") for stop in STOPS),
        ("engine.close_spider", "sqlite"),
        ("CLOSESPIDER_TIMEOUT", "sqlite"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_each_page_comes_once_after_a_graceful_stop(
    stop: str, queue: str, tmp_path: Path
) -> None:
    settings = {"JOBDIR": str(tmp_path), **QUEUES[queue]}
    stopped, resumed, took = await stopped_and_resumed(stop, settings)

    assert stopped.reason == stop.lower() or stopped.reason == "enough"
    assert took < LONGEST_STOP
    # On a busy machine the time is up before the open page is asked for.
    opened = [path for path in stopped.paths if path == OPEN]
    assert sorted([*stopped.paths, *resumed.paths]) == sorted([*opened, *GUARDED])
    assert opened or stop == "CLOSESPIDER_TIMEOUT"
    assert stopped.failures + resumed.failures == []
    assert journals(tmp_path) == []


class StopsAtOnce(MemoryStatsCollector):
    """Ends the crawl when the first solution has come, before it can be sent."""

    def inc_value(self, key: str, *args: Any, **kwargs: Any) -> None:
        super().inc_value(key, *args, **kwargs)
        engine = self._crawler.engine
        if key == "captcha/solved_count" and engine is not None:
            deferred_from_coro(engine.close_spider_async(reason="enough"))


@pytest.mark.parametrize("queue", QUEUES)
@pytest_twisted.ensureDeferred
async def test_a_page_whose_solution_is_lost_at_each_stop_is_not_given_up(
    queue: str, tmp_path: Path
) -> None:
    """The site has rejected none of them."""
    settings = {"JOBDIR": str(tmp_path), "CAPTCHA_RETRY_TIMES": 1, **QUEUES[queue]}
    async with sandbox() as running:
        for _ in range(2):
            stopped = await crawl(running, ["/page/2"], {"STATS_CLASS": StopsAtOnce, **settings})
            assert stopped.paths + stopped.failures == []
        resumed = await crawl(running, ["/page/2"], settings)

    assert resumed.reasons == []
    assert resumed.paths == ["/page/2"]


# Signals


@contextmanager
def site_with_tokens() -> Iterator[SandboxProcess]:
    with sandbox_process(pages=PARKED + 1, open_pages=1, mode="token") as sandbox:
        yield sandbox


def test_an_interrupted_job_goes_on_where_it_was_and_pays_nothing_twice(tmp_path: Path) -> None:
    job = Job(tmp_path, "default")
    with site_with_tokens() as sandbox:
        with job.run(sandbox, WAITING, last=PARKED + 1) as process:
            job.until("parked")
            interrupted_at = time.monotonic()
            process.send_signal(signal.SIGINT)
            process.wait(120)
        assert time.monotonic() - interrupted_at < LONGEST_STOP
        assert sandbox.state()["solver"]["created"] == SOLVES
        with job.run(sandbox):
            pass
        state = sandbox.state()

    assert sorted(job.log) == sorted([*GUARDED, "parked"])
    assert state["solver"]["created"] == PARKED
    assert job.spent == [PARKED, micros(state["solver"]["spent"])]


def test_a_job_that_is_forced_to_stop_loses_nothing_and_pays_nothing_twice(tmp_path: Path) -> None:
    job = Job(tmp_path, "sqlite")
    with site_with_tokens() as sandbox:
        with job.run(sandbox, WAITING, last=PARKED + 1, busy="yes") as process:
            job.until("busy")
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
        with job.run(sandbox):
            pass
        state = sandbox.state()

    assert sorted(job.log) == sorted([*GUARDED, "parked", "busy"])
    assert state["solver"]["created"] == PARKED
    assert job.spent == [PARKED, micros(state["solver"]["spent"])]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_job_that_is_killed_twice_loses_nothing(queue: str, tmp_path: Path) -> None:
    job = Job(tmp_path, queue)
    with site_with_tokens() as sandbox:
        with job.run(sandbox, WAITING, last=PARKED + 1) as process:
            job.until("parked")
            process.kill()
        with job.run(sandbox) as process:
            job.until(GUARDED[50])
            process.kill()
        with job.run(sandbox):
            pass
        state = sandbox.state()

    assert set(job.log) == {*GUARDED, "parked"}
    # What was under way when it was killed may be paid for again.
    assert PARKED <= state["solver"]["created"] < PARKED + 4 * SOLVES
    assert journals(tmp_path) == []
