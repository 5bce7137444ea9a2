"""No page that has its turn waits for money that only a page behind it can release."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from scrapy import Request
from serving import Page, site
from walls import wall

PAGES = 20
LIMITS: list[dict[str, Any]] = [
    {"CAPTCHA_MAX_LOSS_PER_SITE": 0.02},
    {"CAPTCHA_MAX_SOLVES": 8},
    {"CAPTCHA_MAX_SOLVES_PER_SITE": 8},
    {"CAPTCHA_BUDGET": 0.02},
    {},
]


@pytest.mark.parametrize("scope", ["auto", "page"])
@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: "".join(limit) or "none")
@pytest_twisted.ensureDeferred
async def test_pages_at_a_limit_end_at_a_site_that_rejects_everything(
    limit: dict[str, Any], scope: str
) -> None:
    paths = [f"/p{n}" for n in range(PAGES)]
    pages = {path: Page(wall("/verify"), headers={"Set-Cookie": "a=b"}) for path in paths}
    settings = {"CAPTCHA_SCOPE": scope, "CLOSESPIDER_TIMEOUT": 90, **limit}
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + path) for path in paths], settings)

    assert crawled.reason == "finished"
    assert len(crawled.failures) == PAGES
    assert running.solver.created <= 12 + PAGES
