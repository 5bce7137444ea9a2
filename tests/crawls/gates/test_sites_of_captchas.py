"""A captcha counts for the site that shows it, and a solution by where redirects end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_twisted
from crawling import crawl, sandbox
from scrapy import Request
from serving import Page, site
from walls import wall

if TYPE_CHECKING:
    from collections.abc import Mapping

BOTH = {"CAPTCHA_DOMAINS": ["127.0.0.1", "localhost"], "CLOSESPIDER_TIMEOUT": 90}
OUT = [f"/out/{n}" for n in range(1, 21)]


@pytest_twisted.ensureDeferred
async def test_a_captcha_of_another_site_is_counted_and_limited_there() -> None:
    kept = {"Set-Cookie": "a=b"}
    shown = {f"/wall{n}": Page(wall("/verify"), headers=kept) for n in range(1, 21)}
    settings = {**BOTH, "CAPTCHA_MAX_LOSS_PER_SITE": 0.01}
    async with sandbox() as running, site(shown) as other, site({}) as own:
        there = other.url.replace("127.0.0.1", "localhost")
        own.pages |= {
            path: Page("", 302, {"Location": f"{there}/wall{n}"})
            for n, path in enumerate(OUT, start=1)
        }
        requests = [Request(own.url + path) for path in OUT]
        crawled = await crawl(running, requests, settings)

    assert len(crawled.failures) == len(OUT)
    assert crawled.stat("site/localhost/met_count") >= 1
    assert crawled.stat("site/localhost/task_count") == running.solver.created > 0
    assert crawled.stat("site/localhost/rejected_count") == crawled.stat("rejected_count")
    assert "captcha/site/127.0.0.1/task_count" not in crawled.stats


@pytest_twisted.ensureDeferred
async def test_what_a_meta_refresh_leads_to_is_no_acceptance() -> None:
    refresh = '<html><head><meta http-equiv="refresh" content="0; url=/next{}"></head></html>'
    pages: Mapping[str, Page] = {
        f"{path}{n}": Page(text.format(n), headers={"Set-Cookie": "a=b"})
        for n in range(1, 21)
        for path, text in (("/p", refresh), ("/next", wall("/verify")))
    }
    settings = {
        "CAPTCHA_MAX_LOSS_PER_SITE": 0.01,
        "CAPTCHA_RETRY_TIMES": 10,
        "CLOSESPIDER_TIMEOUT": 90,
    }
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(f"{own.url}/p1")], settings)

    assert crawled.stat("accepted_count") == 0
    assert crawled.reasons == ["loss"]
    assert 1 < running.solver.created == crawled.stat("rejected_count") <= 5
