"""A site that takes no solution, and sessions whose manner is still to be found out."""

from __future__ import annotations

import pytest
import pytest_twisted
from crawling import crawl, sandbox

from scrapy_captcha.sandbox import Guard, Mode

PAGES = 200
MANY = {"CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": 64, "LOG_LEVEL": "ERROR"}


@pytest.mark.parametrize(("scope", "most"), [("page", 12 + 32), ("auto", 13)])
@pytest_twisted.ensureDeferred
async def test_costs_twelve_solves_and_those_under_way(scope: str, most: int) -> None:
    wall = Guard(mode=Mode.WALL)
    settings = MANY | {"CAPTCHA_SCOPE": scope, "CLOSESPIDER_TIMEOUT": 60}
    async with sandbox({"solve_time": 0.5}, wall, pages=PAGES, session_bound=False) as running:
        paths = [f"/page/{n}" for n in range(1, PAGES + 1)]
        crawled = await crawl(running, paths, settings)

    assert crawled.reason == "finished"
    assert len(crawled.failures) == PAGES
    assert crawled.stat("dropped_count/wall") >= PAGES - 3
    assert 12 <= running.solver.created <= most
