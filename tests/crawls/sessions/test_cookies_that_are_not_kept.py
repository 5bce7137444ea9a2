"""Sites that remember a solution by a cookie, and crawls that keep none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from homecrawl import crawled_at, items
from homemade import Rules
from scrapy import Request

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN = Rules(widget=True, cookie=True, good_for=(float("inf"),), latency=0.01)


def without_merging(url: str) -> Request:
    return Request(url, meta={"dont_merge_cookies": True})


@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize(
    ("settings", "made"),
    [
        ({"COOKIES_ENABLED": False}, Request),
        ({}, without_merging),
        (
            {
                "DOWNLOADER_MIDDLEWARES": {
                    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None
                }
            },
            Request,
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_second_purchase_that_opens_nothing_says_which_setting_it_is(
    settings: dict[str, Any],
    made: Callable[[str], Request],
    concurrency: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = await crawled_at(OPEN, items(13), concurrency, made=made, **settings)

    assert result.solves == 2
    assert result.crawled.reasons == ["no_cookies"] * 13
    said = [line for line in caplog.messages if "COOKIES_ENABLED" in line]
    assert len(said) == 1


@pytest_twisted.ensureDeferred
async def test_a_site_that_answers_with_the_page_needs_no_cookies() -> None:
    rules = Rules(widget=True, stateless=True)
    result = await crawled_at(rules, items(8), 8, COOKIES_ENABLED=False)

    assert result.crawled.reasons == []
    assert result.solves == 8
