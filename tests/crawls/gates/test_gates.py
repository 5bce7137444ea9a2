"""Gates: captchas at one fixed URL, to which every page without a clearance is redirected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from gating import gate
from scrapy import Request

if TYPE_CHECKING:
    from pathlib import Path

    from crawling import Crawled
    from scrapy.http import Response

PAGES = [f"/page/{n}" for n in range(1, 21)]
# At a resume Scrapy 2.14 leaves the file of an empty queue open.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning"
)
BOUNDED = {"CLOSESPIDER_TIMEOUT": 90}


def all_pages(crawled: Crawled, pages: list[str]) -> bool:
    """Whether each of *pages* has come once, and nothing else has."""
    return crawled.paths == sorted(pages) and crawled.failures == []


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"status": 303},
        {"status": 307},
        {"status": 0},
        {"home": True},
        {"where": "/gate?why=robot"},
        {"where": "/first", "moved": {"/first": "/second", "/second": "/gate"}},
        {"slow": 0.3},
        {"slow": 0.3, "status": 0},
    ],
    ids=str,
)
@pytest_twisted.ensureDeferred
async def test_each_start_page_behind_a_gate_comes(options: dict[str, Any]) -> None:
    async with sandbox() as running, gate(**options) as own:
        crawled = await crawl(running, [Request(own.url + path) for path in PAGES], BOUNDED)

    assert all_pages(crawled, PAGES)
    assert running.solver.created == 1


class Follower(Visitor):
    """Asks for the other pages once the first has come."""

    def parse(self, response: Response, **kwargs: Any) -> Any:
        super().parse(response)
        if response.url.endswith("/page/1"):
            for path in PAGES[1:]:
                yield response.follow(path, callback=self.parse, errback=self.failed)


@pytest.mark.parametrize("options", [{"life": 1.0}, {"visits": 3}], ids=str)
@pytest_twisted.ensureDeferred
async def test_pages_come_though_the_clearance_expires(options: dict[str, Any]) -> None:
    settings = {**BOUNDED, "CONCURRENT_REQUESTS": 4, "DOWNLOAD_DELAY": 0.1}
    async with sandbox() as running, gate(**options) as own:
        crawled = await crawl(running, [Request(own.url + "/page/1")], settings, Follower)

    assert all_pages(crawled, PAGES)
    assert running.solver.created <= 20


@pytest_twisted.ensureDeferred
async def test_pages_that_may_not_be_bought_for_end_in_their_errbacks() -> None:
    async with sandbox() as running, gate() as own:
        requests = [Request(own.url + path) for path in PAGES]
        crawled = await crawl(running, requests, {**BOUNDED, "CAPTCHA_DOMAINS": ["example.com"]})

    assert crawled.reasons == ["domain"] * 20
    assert running.solver.created == 0


@pytest_twisted.ensureDeferred
async def test_each_page_goes_on_where_the_lot_is_full() -> None:
    async with sandbox({"solve_time": 0.3}) as running, gate() as own:
        requests = [Request(own.url + path) for path in PAGES]
        crawled = await crawl(running, requests, {**BOUNDED, "CAPTCHA_MAX_PARKED": 2})

    assert all_pages(crawled, PAGES)


@pytest.mark.parametrize("guarded", [False, True])
@pytest_twisted.ensureDeferred
async def test_what_the_filter_drops_otherwise_stays_dropped(guarded: bool) -> None:
    moved = {f"/old/{n}": "/" for n in range(1, 6)}
    free = frozenset({"/"} if guarded else {"/", *PAGES})
    async with sandbox() as running, gate(moved=moved, free=free) as own:
        paths = ["/", *moved, *PAGES, *PAGES]
        requests = [Request(own.url + path) for path in paths]
        crawled = await crawl(running, requests, BOUNDED)

    assert all_pages(crawled, ["/", *PAGES])
    assert crawled.stats["dupefilter/filtered"] >= 25
    assert own.asked["GET", "/"] <= 2 + own.home


@pytest_twisted.ensureDeferred
async def test_a_gate_of_an_earlier_run_is_a_gate_after_a_resume(tmp_path: Path) -> None:
    settings = {**BOUNDED, "JOBDIR": str(tmp_path)}
    async with sandbox() as running, gate() as own:
        first = await crawl(running, [Request(own.url + path) for path in PAGES[:2]], settings)
        second = await crawl(running, [Request(own.url + path) for path in PAGES[2:]], settings)

    assert all_pages(first, PAGES[:2])
    assert all_pages(second, PAGES[2:])


@pytest_twisted.ensureDeferred
async def test_what_was_dropped_when_a_job_is_stopped_comes_in_the_next_run(tmp_path: Path) -> None:
    async with sandbox() as running, gate(slow=1.5) as own:
        settings = {"JOBDIR": str(tmp_path), "DOWNLOAD_DELAY": 0}
        requests = [Request(own.url + path) for path in PAGES]
        stopped = await crawl(running, requests, {**settings, "CLOSESPIDER_TIMEOUT": 1})
        own.slow = 0
        resumed = await crawl(running, [], settings)

    assert stopped.stats["finish_reason"] == "closespider_timeout"
    assert sorted(stopped.paths + resumed.paths) == sorted(PAGES)
    assert stopped.failures == resumed.failures == []
