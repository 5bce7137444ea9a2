"""Where a site sets no cookie for solutions, they are sent at once after a short trial."""

from __future__ import annotations

from itertools import pairwise

import pytest
import pytest_twisted
from crawling import crawl, sandbox

from scrapy_captcha.sandbox import Guard, Mode, Passage

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
