"""What a spider gets back of its own request after a captcha."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from scrapy_captcha.sandbox import Guard, Mode, Passage, Shown

if TYPE_CHECKING:
    from scrapy.http import Response

    from scrapy_captcha.sandbox import Sandbox

BODY = b"q=caf\xc3\xa9&x=1"

every_way = pytest.mark.parametrize(
    "guard",
    [
        Guard(),
        Guard(mode=Mode.CLEARANCE, passage=Passage.REDIRECT),
        Guard(mode=Mode.CLEARANCE, passage=Passage.JSON),
        Guard(mode=Mode.CLEARANCE, shown=Shown.REDIRECT),
    ],
    ids=["page", "redirect", "json", "redirected"],
)


def a_request_with_everything(running: Sandbox) -> Request:
    return Request(
        running.site_url + "/form/7",
        method="POST",
        body=BODY,
        headers={"Content-Type": "application/x-www-form-urlencoded", "X-Trace": "trace-1"},
        cookies={"basket": "42"},
        cb_kwargs={"number": 7},
        meta={"mine": ["kept"], "cookiejar": "jar-1"},
        priority=5,
        flags=["flagged"],
        encoding="latin-1",
        dont_filter=False,
    )


def assert_nothing_is_lost(request: Request, response: Response) -> None:
    fetched = response.request
    assert fetched is not None
    for name in ("url", "method", "body", "cookies", "cb_kwargs", "priority", "flags"):
        assert getattr(fetched, name) == getattr(request, name), name
    assert fetched.dont_filter == request.dont_filter
    assert fetched.encoding == request.encoding
    assert {k: fetched.meta[k] for k in request.meta} == request.meta
    assert [key for key in fetched.meta if key.startswith("_captcha")] == []
    echoed = json.loads(response.text)
    assert echoed["method"] == "POST"
    assert echoed["body"] == BODY.decode()
    assert echoed["headers"]["x-trace"] == "trace-1"
    assert echoed["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert echoed["cookies"]["basket"] == "42"


@every_way
@pytest_twisted.ensureDeferred
async def test_a_post_arrives_at_its_callback_with_all_that_it_had(guard: Guard) -> None:
    async with sandbox(guard=guard) as running:
        request = a_request_with_everything(running)
        crawled = await crawl(running, [request.copy()])

    (response,) = crawled.responses
    assert_nothing_is_lost(request, response)
    assert response.meta["depth"] == 0
    assert crawled.stat("accepted_count") == 1


@pytest_twisted.ensureDeferred
async def test_where_no_captcha_is_met_requests_come_back_as_they_went() -> None:
    async with sandbox(guard=None) as running:
        page = a_request_with_everything(running)
        gone = Request("http://127.0.0.1:1/")
        crawled = await crawl(running, [page.copy(), gone], {"RETRY_TIMES": 2})

    (response,), (failure,) = crawled.responses, crawled.failures
    assert_nothing_is_lost(page, response)
    keys = [*response.meta, *failure.request.meta]  # type: ignore[attr-defined]  # Scrapy adds it
    assert [key for key in keys if key.startswith("_captcha")] == []


class Inline(Visitor):
    """Downloads its requests from within a callback."""

    name = "inline"

    async def parse(self, response: Response, **kwargs: Any) -> None:  # type: ignore[override]
        engine = self.crawler.engine
        assert engine is not None
        request = response.meta["inline"].replace(callback=NO_CALLBACK)
        self.crawled.responses.append(await engine.download_async(request))


@every_way
@pytest_twisted.ensureDeferred
async def test_a_request_downloaded_inline_waits_in_place_and_keeps_all_that_it_had(
    guard: Guard,
) -> None:
    async with sandbox(guard=guard, guards={"/page/1": None}) as running:
        request = a_request_with_everything(running)
        outer = Request(running.site_url + "/page/1", meta={"inline": request})
        crawled = await crawl(running, [outer], {"CONCURRENT_REQUESTS": 1}, Inline)

    (response,) = crawled.responses
    assert_nothing_is_lost(request, response)


@pytest_twisted.ensureDeferred
async def test_depth_is_that_of_the_link_and_not_of_the_captcha() -> None:
    class Follower(Visitor):
        def parse(self, response: Response, **kwargs: Any) -> Any:
            super().parse(response)
            if response.url.endswith("/page/1"):
                yield response.follow("/page/2", self.parse)

    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, ["/page/1"], spider=Follower)

    assert [r.meta["depth"] for r in crawled.responses] == [0, 1]


@pytest_twisted.ensureDeferred
async def test_cookies_that_the_site_has_set_meanwhile_are_not_overwritten() -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN, passage=Passage.JSON)) as running:
        request = Request(running.site_url + "/page/1", cookies={"session": "stale"})
        crawled = await crawl(running, [request])

    assert crawled.paths == ["/page/1"]
    sent = [visit.headers["cookie"] for visit in running.site.requests]
    assert [cookie == "session=stale" for cookie in sent] == [True, False, False]
