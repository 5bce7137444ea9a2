"""Pages that are made to be slow do not stop the reactor, and what went by unread is counted."""

from __future__ import annotations

import pytest_twisted
from crawling import Heartbeat, crawl, sandbox
from scrapy import Request
from serving import Page, site

WIDGET = '<div class="h-captcha" data-sitekey="10000000-ffff-ffff-ffff-000000000001"></div>'
STYLED = f"<div style='color: red; {'x' * 900}'>"
NESTED = STYLED * 240 + "<input name=captcha><img src='ftp://captcha.png'>" * 200
OBJECTS = WIDGET + "<form><object>" * 60 + "<input name=captcha type=hidden>" * 19_000


@pytest_twisted.ensureDeferred
async def test_the_reactor_goes_on_while_pages_are_judged() -> None:
    pages = {"/nested": Page(NESTED), "/objects": Page(OBJECTS)}
    heart = Heartbeat()
    async with sandbox() as running, site(pages) as own:
        requests = [Request(own.url + path) for path in pages]
        crawled = await crawl(running, requests, heart=heart)

    assert crawled.paths == ["/nested", "/objects"]
    assert heart.longest < 1.0  # some 0.2 s on an ordinary machine; 4 s before there was a budget


@pytest_twisted.ensureDeferred
async def test_what_went_by_unread_is_counted() -> None:
    wall = f"<form method=post>{WIDGET}</form>"
    pages = {
        "/comment": Page(f"<!--{'x' * 1_100_000}-->{wall}"),
        "/tags": Page("<b></b>" * 20_001 + wall),
        "/fields": Page(OBJECTS),
        "/content": Page("<b></b>" * 20_001),
    }
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + path) for path in pages])

    assert crawled.paths == sorted(pages)
    assert crawled.stat("unjudged_count") == 3
