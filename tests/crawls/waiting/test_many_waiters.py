"""However many pages wait for the same thing, each ends in its callback or its errback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import crawl, sandbox

from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from pathlib import Path

    from crawling import Crawled

    from scrapy_captcha.sandbox import Sandbox

LONG = 3.0  # seconds for a solve: so that all pages wait before the first is solved
PER_PAGE = Guard(mode=Mode.TOKEN)
MANY = {
    "CAPTCHA_SCOPE": "page",
    "CONCURRENT_REQUESTS": 64,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 64,
    "LOG_LEVEL": "ERROR",
    "CLOSESPIDER_TIMEOUT": 110,  # ends what would hang
}
resumes = pytest.mark.filterwarnings(
    "ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning"
)


def paths(pages: int) -> list[str]:
    return [f"/page/{n}" for n in range(1, pages + 1)]


async def crawled_to_the_end(running: Sandbox, pages: int, settings: dict[str, Any]) -> Crawled:
    """Each page exactly once, and no error that is only logged."""
    crawled = await crawl(running, paths(pages), {**MANY, **settings})

    assert crawled.reason == "finished"
    assert crawled.stats.get("log_count/CRITICAL", 0) == 0
    assert "error" not in crawled.reasons
    urls = [response.url for response in crawled.responses]
    urls += [f.request.url for f in crawled.failures]  # type: ignore[attr-defined]
    assert sorted(urls) == sorted(running.site_url + path for path in paths(pages))
    return crawled


@pytest.mark.parametrize("pages", [110, 200])
@pytest_twisted.ensureDeferred
async def test_a_limit_of_solves_is_reached_while_many_wait(pages: int) -> None:
    solver = {"solve_time": LONG}
    async with sandbox(solver, PER_PAGE, pages=pages, session_bound=False) as running:
        crawled = await crawled_to_the_end(running, pages, {"CAPTCHA_MAX_SOLVES": 16})

    assert running.solver.created == len(crawled.responses) == 16
    assert crawled.stat("dropped_count/budget") == pages - 16


@pytest_twisted.ensureDeferred
async def test_a_budget_is_used_up_while_two_hundred_wait() -> None:
    solver = {"solve_time": LONG, "price": 0.01}
    settings = {"CAPTCHA_BUDGET": "0.165", "CAPTCHA_PRICES": {"recaptcha_v2": 0.01}}
    async with sandbox(solver, PER_PAGE, pages=200, session_bound=False) as running:
        crawled = await crawled_to_the_end(running, 200, settings)

    assert running.solver.created == len(crawled.responses) == 16
    assert crawled.stat("spent") == 0.16


@pytest_twisted.ensureDeferred
async def test_a_site_rejects_everything_while_two_hundred_wait() -> None:
    wall = Guard(mode=Mode.WALL)
    async with sandbox({"solve_time": 1.0}, wall, pages=200, session_bound=False) as running:
        crawled = await crawled_to_the_end(running, 200, {"CLOSESPIDER_TIMEOUT": 110})

    assert crawled.responses == []
    assert crawled.stat("dropped_count/wall") > 150


@pytest.mark.parametrize("pages", [200, 500])
@pytest_twisted.ensureDeferred
async def test_a_site_key_is_refused_while_many_wait(pages: int) -> None:
    refused = Answer(error="PROVIDER_SITEKEY", method="createTask", delay=LONG, times=None)
    async with sandbox(guard=PER_PAGE, pages=pages, session_bound=False) as running:
        running.solver.script(refused)
        crawled = await crawled_to_the_end(running, pages, {})

    assert crawled.stat("dropped_count/PROVIDER_SITEKEY") == pages


@resumes
@pytest_twisted.ensureDeferred
async def test_a_job_is_stopped_and_resumed_while_two_hundred_wait_at_a_limit(
    tmp_path: Path,
) -> None:
    settings = {**MANY, "JOBDIR": str(tmp_path), "CAPTCHA_MAX_SOLVES": 16}
    solver = {"solve_time": LONG}
    async with sandbox(solver, PER_PAGE, pages=200, session_bound=False) as running:
        expected = sorted(running.site_url + path for path in paths(200))
        stopped = await crawl(running, paths(200), settings | {"CLOSESPIDER_PAGECOUNT": 8})
        resumed = await crawl(running, paths(200), settings)

    ended = [r.url for c in (stopped, resumed) for r in c.responses]
    ended += [f.request.url for c in (stopped, resumed) for f in c.failures]  # type: ignore[attr-defined]
    assert stopped.reason == "closespider_pagecount"
    assert resumed.reason == "finished"
    assert sorted(ended) == expected
    assert running.solver.created == 16
