"""Captchas that are older than the clearance of their session, and solutions bought for them."""

from __future__ import annotations

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from homecrawl import crawled_at, items
from homemade import Rules, homemade
from scrapy import Request

from scrapy_captcha.sandbox import Answer

OPEN = Rules(widget=True, cookie=True, good_for=(float("inf"),), latency=0.02)


@pytest.mark.parametrize("scope", ["auto", "site"])
@pytest_twisted.ensureDeferred
async def test_solutions_for_a_session_that_was_opened_meanwhile_are_not_sent(scope: str) -> None:
    """After three pages that could not be solved each buys for itself, all at the same time."""
    settings = {"CONCURRENT_REQUESTS_PER_DOMAIN": 16, "CAPTCHA_SCOPE": scope}
    async with sandbox({"solve_time": 0.3}) as running, homemade(running, OPEN) as site:
        running.solver.script(Answer(error="INPUT_MISSING", times=3))
        requests = [Request(site.url + path) for path in items(11)]
        crawled = await crawl(running, requests, settings)
        bought = running.solver.created

    assert len(crawled.responses) == 8
    assert crawled.reasons == ["INPUT_MISSING"] * 3
    assert bought > 1
    assert (site.right, site.wrong) == (1, 0)
    assert crawled.stat("accepted_count") == 1
    assert crawled.stat("unused_count") == bought - 1
    assert crawled.stat("shared_count") == 7


@pytest.mark.parametrize("adjust", [2, -10])
@pytest_twisted.ensureDeferred
async def test_a_captcha_is_as_old_as_the_first_request_of_its_redirects(adjust: int) -> None:
    """With a negative priority all pages are sent to their captchas before one of them is asked.

    Most captchas are asked for when the first has been solved, and are shown all the same.
    """
    always = float("inf")
    rules = Rules(widget=True, cookie=True, good_for=(always,), gate="/captcha", latency=0.05)
    result = await crawled_at(rules, items(12), 1, REDIRECT_PRIORITY_ADJUST=adjust)

    assert result.crawled.paths == sorted(items(12))
    assert result.solves == 1
    assert result.crawled.stat("rejected_count") == 0
