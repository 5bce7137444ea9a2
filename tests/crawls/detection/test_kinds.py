"""Every kind of captcha, from the page that shows it to the page behind it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from crawling import crawl, sandbox

from scrapy_captcha.providers import Unified
from scrapy_captcha.sandbox import Guard, Mode, Passage, Shown

if TYPE_CHECKING:
    from scrapy_captcha import Kind

KINDS = pytest.mark.parametrize("kind", Unified.tasks, ids=lambda kind: kind.value)


@KINDS
@pytest.mark.parametrize("mode", [Mode.CLEARANCE, Mode.TOKEN], ids=lambda mode: mode.value)
@pytest_twisted.ensureDeferred
async def test_a_page_behind_a_captcha_of_each_kind_is_scraped(kind: Kind, mode: Mode) -> None:
    async with sandbox(guard=Guard(kind, mode)) as running:
        crawled = await crawl(running, ["/page/1"])

    assert crawled.paths == ["/page/1"]
    assert crawled.responses[0].css("title::text").get() == "Item 1"
    assert crawled.stat(f"detected_count/{kind.value}") == 1
    assert (crawled.stat("task_count"), crawled.stat("accepted_count")) == (1, 1)
    assert running.solver.created == 1
    assert running.site.gate.rejected == {}


@pytest.mark.parametrize(
    ("mode", "shown", "passage", "status"),
    [
        way
        for way in product([Mode.CLEARANCE, Mode.TOKEN], Shown, Passage, [200, 403, 429, 503])
        # A page at the captcha's own URL, given for one visit, cannot be told from a thank-you.
        if way[:3] != (Mode.TOKEN, Shown.REDIRECT, Passage.PAGE)
    ],
)
@pytest_twisted.ensureDeferred
async def test_wherever_the_challenge_stands_the_callback_gets_the_page_itself(
    mode: Mode, shown: Shown, passage: Passage, status: int
) -> None:
    guard = Guard(mode=mode, shown=shown, passage=passage, status=status)
    async with sandbox(guard=guard) as running:
        crawled = await crawl(running, ["/page/1", "/page/2"], {"CONCURRENT_REQUESTS": 1})

    assert crawled.paths == ["/page/1", "/page/2"]
    titles = [r.css("title::text").get() for r in crawled.responses]
    assert sorted(filter(None, titles)) == ["Item 1", "Item 2"]
    assert crawled.stats.get("retry/count", 0) == 0
    assert running.site.gate.rejected == {}
