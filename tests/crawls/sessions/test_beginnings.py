"""A crawl up to its first captcha: what is noted of pages that no captcha concerns yet."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import crawl, path_of, sandbox
from scrapy import Request
from serving import Page, site

from scrapy_captcha.sandbox import Guard, Mode
from scrapy_captcha.sessions import in_flight
from scrapy_captcha.state import CHAIN

if TYPE_CHECKING:
    from scrapy.http import Response

WALL = (
    '<form method="post" action="/verify">'
    '<div class="g-recaptcha" data-sitekey="6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"></div></form>'
)


class Late:
    """Keeps answers for as many seconds as their request says, by path."""

    async def process_response(self, request: Request, response: Response) -> Response:
        await asyncio.sleep(request.meta.get("late", {}).get(path_of(response), 0.0))
        return response


class Turns:
    """Pages that change: by path, those of one visit after the other."""

    def __init__(self, pages: dict[str, list[Page]]) -> None:
        self._pages = pages

    def get(self, path: str, default: Page) -> Page:
        turns = self._pages.get(path, [default])
        return turns.pop(0) if len(turns) > 1 else turns[0]


def ours(meta: dict[str, Any]) -> list[str]:
    # That which tells a request's own redirects from those in a copy of its meta stays.
    return [key for key in meta if key.startswith("_captcha") and key != CHAIN]


@pytest_twisted.ensureDeferred
async def test_a_cookie_of_a_redirect_makes_the_captcha_of_the_session_before_an_old_one() -> None:
    """The second page changes the session by its redirect, while the captcha is on its way."""
    pages = {
        "/first": Page("", 302, {"Location": "/captcha", "Set-Cookie": "session=1; Path=/"}),
        "/second": Page("", 302, {"Location": "/free", "Set-Cookie": "session=2; Path=/"}),
        "/captcha": Page(WALL),
        "/free": Page("free"),
    }
    async with sandbox() as running, site(pages, on_post=Page("content")) as own:
        late = {"/second": 0.2, "/captcha": 0.5}
        requests = [Request(own.url + path, meta={"late": late}) for path in ("/first", "/second")]
        settings = {"DOWNLOADER_MIDDLEWARES": {Late: 750}, "CAPTCHA_RETRY_TIMES": 1}
        await crawl(running, requests, settings)

    before = own.requests[: own.requests.index(("POST", "/verify"))]
    assert before.count(("GET", "/captcha")) == 2


@pytest_twisted.ensureDeferred
async def test_no_page_waits_for_one_that_another_middleware_keeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_flight, "_LONGEST_WAIT", 60.0)
    turns = {"/kept": [Page("free")], "/captcha": [Page(WALL), Page("content")]}
    async with sandbox() as running, site({}, on_post=Page("")) as own:
        own.pages = Turns(turns)  # type: ignore[assignment]
        kept = Request(own.url + "/kept", meta={"late": {"/kept": 1.0}})
        requests = [kept, Request(own.url + "/captcha")]
        settings = {"DOWNLOADER_MIDDLEWARES": {Late: 100}, "DOWNLOAD_DELAY": 0.4}
        asked = time.monotonic()
        crawled = await crawl(running, requests, settings)

    assert time.monotonic() - asked < 30.0  # not as long as the longest wait
    assert running.solver.created == 1
    assert [ours(response.meta) for response in crawled.responses] == [[], []]


@pytest.mark.parametrize(
    "first",
    [Page("busy", 503), Page('<meta http-equiv="refresh" content="0; url=/next">')],
    ids=["retried", "refreshed"],
)
@pytest_twisted.ensureDeferred
async def test_a_post_that_led_on_is_not_fetched_by_its_address(first: Page) -> None:
    led = Page("", 302, {"Location": "/results"})
    turns = {
        "/results": [first, Page(WALL), Page("results")],
        "/next": [Page(WALL), Page("results")],
        "/search": [Page("no search")],
    }
    async with sandbox() as running, site({}, on_post=led) as own:
        own.pages = Turns(turns)  # type: ignore[assignment]
        request = Request(own.url + "/search", method="POST", body=b"q=chair")
        crawled = await crawl(running, [request])

    assert [response.text for response in crawled.responses] == ["results"]
    assert ("GET", "/search") not in own.requests
    assert ours(crawled.responses[0].meta) == []


@pytest_twisted.ensureDeferred
async def test_who_has_a_past_makes_the_others_of_its_crowd_no_less_new() -> None:
    """After a resume some have one, and the first answer gives the session that the last one has.

    The site shows a captcha to each under a session of its own, of which the jar keeps the last.
    """
    paths = [f"/page/{number}" for number in range(1, 9)]
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=8, latency=0.1) as running:
        first, *others = [Request(running.site_url + path) for path in paths]
        first.meta["captcha"] = True
        crawled = await crawl(running, [first, *others], {"CAPTCHA_SCOPE": "page"})

    assert crawled.paths == paths
    assert running.site.gate.rejected == {}


@pytest_twisted.ensureDeferred
async def test_a_widget_that_brings_a_cookie_makes_the_captcha_before_it_an_old_one() -> None:
    """As any other page does: that it was looked at more closely changes nothing."""
    pages = {
        "/captcha": Page(WALL),
        "/widget": Page(WALL + "words " * 1000, headers={"Set-Cookie": "session=2; Path=/"}),
    }
    async with sandbox() as running, site(pages, on_post=Page("content")) as own:
        late = {"/widget": 0.1, "/captcha": 0.5}
        requests = [Request(own.url + path, meta={"late": late}) for path in pages]
        settings = {"DOWNLOADER_MIDDLEWARES": {Late: 750}, "CAPTCHA_RETRY_TIMES": 1}
        await crawl(running, requests, settings)

    before = own.requests[: own.requests.index(("POST", "/verify"))]
    assert before.count(("GET", "/captcha")) == 2


@pytest_twisted.ensureDeferred
async def test_the_only_page_that_is_asked_for_shows_its_captcha_once() -> None:
    """Though it brings a cookie, and whether or not the request says something of captchas."""
    pages = {"/captcha": Page(WALL, headers={"Set-Cookie": "session=1; Path=/"})}
    for meta in ({}, {"captcha": True}):
        async with sandbox() as running, site(pages, on_post=Page("content")) as own:
            await crawl(running, [Request(own.url + "/captcha", meta=meta)])

        assert own.requests[:2] == [("GET", "/captcha"), ("POST", "/verify")]


@pytest_twisted.ensureDeferred
async def test_notes_of_an_earlier_run_do_not_reach_the_spider() -> None:
    notes = {"_captcha_newcomer": 3, "_captcha_asked": 12.0, "_captcha_origin": {}}
    async with sandbox() as running, site({"/": Page("free")}) as own:
        crawled = await crawl(running, [Request(own.url + "/", meta=notes)])

    assert ours(crawled.responses[0].meta) == []
