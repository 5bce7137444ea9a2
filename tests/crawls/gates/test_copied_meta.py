"""What a request of the spider knows of captchas is its own, whatever copies get its meta."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from gating import gate
from proxying import proxies
from scrapy import Request
from scrapy.http import TextResponse
from serving import Page, site
from walls import wall

from scrapy_captcha import captcha_request
from scrapy_captcha.sandbox import Guard, Mode

if TYPE_CHECKING:
    from scrapy.http import Response

OTHERS = [f"/page/{n}" for n in range(2, 8)]


class Copying(Visitor):
    """Follows with the meta of the first response, in several ways."""

    def parse(self, response: Response, **kwargs: Any) -> Any:
        super().parse(response)
        assert response.request
        if response.meta.get("depth", 0) > 0:
            return
        own: dict[str, Any] = {"callback": self.parse, "errback": self.failed}
        urls = [response.urljoin(path) for path in OTHERS]
        yield Request(urls[0], meta=response.meta, **own)
        yield Request(urls[1], meta=dict(response.request.meta), **own)
        yield response.request.replace(url=urls[2], dont_filter=True)
        yield response.follow(urls[3], meta=response.meta, **own)
        yield response.request.replace(url=urls[4], method="POST", body=b"a=b")
        yield Request(urls[5], meta=response.meta | {"mine": 1}, priority=2, **own)


@pytest.mark.parametrize("how", ["pass", "drop"])
@pytest_twisted.ensureDeferred
async def test_pages_that_follow_from_one_that_was_given_up_are_their_own(how: str) -> None:
    guards = {"/page/1": Guard(mode=Mode.WALL)}
    async with sandbox(guards=guards, guard=Guard(mode=Mode.TOKEN)) as running:
        request = Request(
            running.site_url + "/page/1", meta={"captcha": {"on_give_up": how}}, priority=7
        )
        settings = {"CAPTCHA_RETRY_TIMES": 2, "CLOSESPIDER_TIMEOUT": 90}
        crawled = await crawl(running, [request], settings, Copying)
        url = running.site_url + "/page/1"

    if how == "drop":
        assert crawled.reasons == ["rejected"]
        return
    assert crawled.failures == []
    assert crawled.paths == ["/page/1", *OTHERS]
    first = crawled.responses[0]
    assert first.request
    assert (first.request.method, first.request.body, first.request.priority) == ("GET", b"", 7)
    assert first.request.url == url
    assert [key for key in first.meta if key.startswith("_captcha")] == []
    assert crawled.stat("accepted_count") == len(OTHERS)


@pytest_twisted.ensureDeferred
async def test_a_copy_of_a_page_that_was_redirected_is_not_that_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with sandbox() as running, gate(moved={"/old": "/"}) as own:
        crawled = await crawl(running, [Request(own.url + "/old")], {}, Copying)

    assert crawled.failures == []
    assert crawled.paths == ["/", *OTHERS]


class Failing(Visitor):
    """Sends the meta of the request that failed along with others."""

    def failed(self, failure: Any) -> Any:
        super().failed(failure)
        if "again" not in failure.request.url:
            meta = failure.request.meta
            own: dict[str, Any] = {"callback": self.parse, "errback": self.failed}
            yield failure.request.replace(url=failure.request.url + "again")
            yield Request(failure.request.url + "again2", meta=meta, **own)


@pytest_twisted.ensureDeferred
async def test_copies_that_an_errback_makes_buy_for_themselves() -> None:
    shown = Page(wall("/verify"), headers={"Set-Cookie": "a=b"})
    pages = {"/a": shown, "/aagain": shown, "/aagain2": shown}
    async with sandbox() as running, site(pages) as own:
        settings = {"CAPTCHA_RETRY_TIMES": 2, "CAPTCHA_SCOPE": "page"}
        crawled = await crawl(running, [Request(own.url + "/a")], settings, Failing)

    assert crawled.reasons == ["rejected"] * 3
    assert running.solver.created == 6


@pytest_twisted.ensureDeferred
async def test_scrapy_does_not_warn_of_requests_that_captcha_request_makes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Asking(Visitor):
        async def parse(self, response: Response, **kwargs: Any) -> Any:
            if response.url.endswith("/results"):
                self.crawled.responses.append(response)
                return
            assert isinstance(response, TextResponse)
            yield await captcha_request(
                self, response, formdata={"q": "x"}, callback=self.results, errback=self.failed
            )

        def results(self, response: Response) -> None:
            self.crawled.responses.append(response)

    async with sandbox() as running, proxies("own:secret") as (own,):
        request = Request(running.site_url + "/search", meta={"proxy": own.url})
        crawled = await crawl(running, [request], {}, Asking)

    assert crawled.paths == ["/search"]
    assert crawled.failures == []
    warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert [text for text in warnings if "meta" in text] == []
    assert len(own.served) == len(running.site.requests)
