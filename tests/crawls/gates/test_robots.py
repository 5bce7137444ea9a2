"""A captcha instead of robots.txt, inline or at the end of a redirect."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from gating import PICTURE, gate
from scrapy import Request
from serving import Page, site
from walls import wall

PAGES = ["/page/1", "/page/2", "/page/3"]
OBEY = {"ROBOTSTXT_OBEY": True, "CLOSESPIDER_TIMEOUT": 90}
RULES = "User-agent: *\nDisallow: /page\n"


@pytest.mark.parametrize(
    "options", [{}, {"shows": PICTURE}, {"status": 0}], ids=["302", "picture", "refresh"]
)
@pytest_twisted.ensureDeferred
async def test_robots_txt_that_leads_to_a_captcha_holds_no_page_up(options: dict[str, Any]) -> None:
    async with sandbox() as running, gate(**options) as own:
        running.solver.book.show_picture(own.picture, "ABCD")
        crawled = await crawl(running, [Request(own.url + path) for path in PAGES], OBEY)

    assert crawled.paths == PAGES
    assert crawled.failures == []
    assert crawled.reason == "finished"
    assert running.solver.created == 1


@pytest.mark.parametrize("status", [200, 403])
@pytest_twisted.ensureDeferred
async def test_a_captcha_instead_of_robots_txt_is_not_read_as_rules(status: int) -> None:
    shown = wall("/verify").replace("</body>", f"<pre>\n{RULES}\n</pre></body>")
    pages = {"/robots.txt": Page(shown, status), **{path: Page("<h1>1</h1>") for path in PAGES}}
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + path) for path in PAGES], OBEY)

    assert crawled.paths == PAGES
    assert crawled.stat("robots_txt_count") == 1
    assert crawled.stats.get("robotstxt/response_count") is None
    assert running.solver.created == 0


@pytest_twisted.ensureDeferred
async def test_rules_that_can_be_read_are_obeyed() -> None:
    pages = {"/robots.txt": Page(RULES, headers={"Content-Type": "text/plain"})}
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + path) for path in PAGES], OBEY)

    assert crawled.paths == []
    assert len(crawled.failures) == 3


@pytest_twisted.ensureDeferred
async def test_robots_txt_that_a_spider_asks_for_is_a_page() -> None:
    async with sandbox() as running, gate() as own:
        crawled = await crawl(running, [Request(own.url + "/robots.txt")])

    assert crawled.paths == ["/robots.txt"]
    assert running.solver.created == 1


@pytest_twisted.ensureDeferred
async def test_the_picture_of_a_page_that_obeys_no_rules_obeys_none() -> None:
    rules = RULES.replace("/page", "/captcha")
    free = frozenset({"/robots.txt"})
    async with sandbox() as running, gate(shows=PICTURE, free=free, rules=rules) as own:
        running.solver.book.show_picture(own.picture, "ABCD")
        request = Request(own.url + "/page/1", meta={"dont_obey_robotstxt": True})
        other = Request(own.url + "/page/2")
        crawled = await crawl(running, [request], OBEY)
        again = await crawl(running, [other], OBEY)

    assert crawled.paths == ["/page/1"]
    assert again.reasons == ["picture"]
