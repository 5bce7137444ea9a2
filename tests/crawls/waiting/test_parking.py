"""Waiting for captchas does not hold up the crawl, and what waits is not lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Heartbeat, Visitor, crawl, path_of, sandbox
from scrapy import Request
from scrapy.exceptions import CloseSpider
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.defer import deferred_from_coro

from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scrapy.http import Response

    from scrapy_captcha.sandbox import Sandbox

WAITING = [f"/page/{n}" for n in range(1, 51)]
OPEN = [f"/page/{n}" for n in range(51, 251)]
LONGEST_GAP = 0.25  # seconds of CPU; a solve takes longer, and 0.02 to 0.04 are usual

PENDING = Answer("getTaskResult", status=200, body=b'{"status": "processing"}', times=None)


@pytest_twisted.ensureDeferred
async def test_two_hundred_pages_are_crawled_over_two_slots_while_fifty_wait() -> None:
    class Releasing(Visitor):
        """Has the captchas solved once all open pages are there, and not before."""

        sandbox: Sandbox

        def parse(self, response: Response, **kwargs: Any) -> None:
            super().parse(response)
            if len(self.crawled.responses) == len(OPEN):
                self.sandbox.solver.clear_script()

    async def longest_gap() -> float:
        guards = dict.fromkeys(OPEN)
        async with sandbox(guard=Guard(mode=Mode.TOKEN), guards=guards, pages=250) as running:
            running.solver.script(PENDING)
            Releasing.sandbox = running
            settings = {
                "CONCURRENT_REQUESTS": 2,
                "CAPTCHA_CONCURRENT_SOLVES": 50,
                "CAPTCHA_POLL_INTERVAL": 0.25,
            }
            heart = Heartbeat()
            crawled = await crawl(running, WAITING + OPEN, settings, Releasing, heart)

        order = [path_of(response) for response in crawled.responses]
        assert set(order[:200]) == set(OPEN)
        assert set(order[200:]) == set(WAITING)
        assert crawled.stat("parked_max") == 50
        return heart.longest

    # What blocks does so each time; a machine that has other things to do does not.
    gaps = [await longest_gap()]
    while min(gaps) > LONGEST_GAP and len(gaps) < 4:
        gaps.append(await longest_gap())
    assert min(gaps) <= LONGEST_GAP


@pytest_twisted.ensureDeferred
async def test_a_download_from_a_callback_waits_without_the_slot_that_it_holds() -> None:
    class Inline(Visitor):
        """Waits in its first callback for a page that is solved once the others are there."""

        sandbox: Sandbox

        async def parse(self, response: Response, **kwargs: Any) -> None:  # type: ignore[override]
            super().parse(response)
            if len(self.crawled.responses) == 5:
                self.sandbox.solver.clear_script()
            if path_of(response) == "/page/51":
                request = Request(self.sandbox.site_url + "/page/1", callback=NO_CALLBACK)
                engine = self.crawler.engine
                assert engine is not None
                super().parse(await engine.download_async(request))

    async with sandbox(guards=dict.fromkeys(OPEN), pages=250) as running:
        running.solver.script(PENDING)
        Inline.sandbox = running
        crawled = await crawl(running, OPEN[:5], {"CONCURRENT_REQUESTS": 1}, Inline)

    assert crawled.paths == ["/page/1", *OPEN[:5]]


@pytest_twisted.ensureDeferred
async def test_the_spider_stays_open_for_what_waits_and_closes_right_after_it() -> None:
    async with sandbox({"solve_time": 0.4}) as running:
        crawled = await crawl(running, ["/page/1"])

    assert crawled.paths == ["/page/1"]
    # An idle engine looks again every 5 seconds only.
    assert crawled.stats["elapsed_time_seconds"] < 3


def close_from_the_callback(spider: Visitor) -> None:
    raise CloseSpider("enough")


def close_the_spider(spider: Visitor) -> None:

    engine = spider.crawler.engine
    assert engine is not None
    deferred_from_coro(engine.close_spider_async(reason="enough"))


# At a resume Scrapy 2.14 leaves the files of empty queues open.
resumes = pytest.mark.filterwarnings(
    "ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning"
)


@pytest.mark.parametrize("close", [close_from_the_callback, close_the_spider])
@resumes
@pytest.mark.parametrize(
    "waiting", [Answer(error="CAPACITY", retry_after=600, times=None), PENDING]
)
@pytest_twisted.ensureDeferred
async def test_what_waits_when_the_spider_closes_is_crawled_when_the_job_is_resumed(
    close: Callable[[Visitor], None], waiting: Answer, tmp_path: Path
) -> None:
    class Closing(Visitor):
        def parse(self, response: Response, **kwargs: Any) -> None:
            super().parse(response)
            if path_of(response) == "/page/51":
                close(self)

    settings = {"JOBDIR": str(tmp_path), "SCHEDULER_DEBUG": True}
    async with sandbox(
        guard=Guard(mode=Mode.TOKEN), guards={"/page/51": None}, pages=60
    ) as running:
        running.solver.script(waiting)
        first = Request(running.site_url + "/page/51", priority=-1)
        requests = [
            Request(running.site_url + p, meta={"mine": p}, cb_kwargs={"mine": p})
            for p in WAITING[:20]
        ]
        stopped = await crawl(running, [*requests, first], settings, Closing)
        running.solver.clear_script()
        resumed = await crawl(running, [], settings)

    assert stopped.reason == "enough"
    assert stopped.stats["elapsed_time_seconds"] < 3
    assert stopped.paths == ["/page/51"]
    assert resumed.paths == sorted(WAITING[:20])
    assert [r.meta["mine"] for r in resumed.responses] == [path_of(r) for r in resumed.responses]
    assert resumed.failures == []


@pytest_twisted.ensureDeferred
async def test_when_the_lot_is_full_the_crawl_waits_and_nothing_is_lost() -> None:
    pages = [f"/page/{n}" for n in range(1, 31)]
    guard = Guard(mode=Mode.TOKEN)
    async with sandbox({"solve_time": 0.1}, guard=guard, pages=30) as running:
        crawled = await crawl(running, pages, {"CAPTCHA_MAX_PARKED": 3})

    assert crawled.paths == sorted(pages)
    assert crawled.stat("parked_max") <= 4
    assert running.solver.created == 30


@resumes
@pytest_twisted.ensureDeferred
async def test_a_crawl_whose_lot_is_full_stops_at_once_and_is_resumed(tmp_path: Path) -> None:
    pages = [f"/page/{n}" for n in range(1, 31)]
    settings = {"JOBDIR": str(tmp_path), "CAPTCHA_MAX_PARKED": 3}
    async with sandbox(pages=30) as running:
        running.solver.script(Answer(error="CAPACITY", retry_after=600))
        began = time.monotonic()
        stopped = await crawl(running, pages, settings | {"CLOSESPIDER_TIMEOUT": 1})
        took = time.monotonic() - began
        running.solver.clear_script()
        resumed = await crawl(running, [], settings)

    assert stopped.responses == []
    assert stopped.stat("parked_max") <= 4
    assert took < 10
    assert resumed.paths == sorted(pages)
