"""Where a site sets no cookie for solutions, they are sent at once after a short trial."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox

from scrapy_captcha.sandbox import Guard, Mode, Passage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy import Request
    from scrapy.http import Response

PAGES = [f"/page/{n}" for n in range(1, 31)]
LATENCY = 0.1


@pytest.mark.parametrize("passage", [Passage.REDIRECT, Passage.JSON, Passage.THANKS])
@pytest_twisted.ensureDeferred
async def test_solutions_do_not_wait_for_one_another(passage: Passage) -> None:
    guard = Guard(mode=Mode.TOKEN, passage=passage)
    settings = {"CAPTCHA_SCOPE": "page", "CONCURRENT_REQUESTS_PER_DOMAIN": 16}
    async with sandbox(guard=guard, pages=30, latency=LATENCY) as running:
        crawled = await crawl(running, ["/", *PAGES], settings)

    assert crawled.paths == sorted(["/", *PAGES])
    assert running.solver.created == 30
    sent = [visit.at for visit in running.site.requests if visit.method == "POST"]
    at_once = sum(after - before < LATENCY for before, after in pairwise(sent))
    assert at_once >= 8  # the next one would be two answers later


class Entering(Visitor):
    """Fetches the first of its requests, which begins the session, and then all others."""

    async def start(self) -> AsyncIterator[Request]:
        for request in list(self.requests)[:1]:
            yield request.replace(callback=self.entered, errback=self.failed)

    def entered(self, response: Response) -> Iterator[Request]:
        self.parse(response)
        for request in list(self.requests)[1:]:
            yield request.replace(callback=self.parse, errback=self.failed)


@pytest_twisted.ensureDeferred
async def test_pages_are_held_back_once_and_fetched_twice() -> None:
    guard = Guard(mode=Mode.TOKEN, passage=Passage.REDIRECT)
    pages = [f"/page/{n}" for n in range(1, 41)]
    settings = {"CONCURRENT_REQUESTS_PER_DOMAIN": 4}
    async with sandbox(guard=guard, pages=40, latency=0.05) as running:
        crawled = await crawl(running, ["/", *pages], settings, Entering)

    asked = Counter(visit.path for visit in running.site.requests if visit.method == "GET")
    assert crawled.paths == sorted(["/", *pages])
    assert running.solver.created == 40
    assert sum(asked[path] for path in pages) <= 2 * 40 + 4  # as many as are on their way at once
    assert crawled.stat("held_count") <= 40
