"""An answer that is a cookie goes to the origin that showed the captcha."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from listening import listening
from scrapy import Request
from serving import Page, Pages, site
from tls import needs_tls, self_signed
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.server import Site

from scrapy_captcha import Kind
from scrapy_captcha.sandbox import Guard, Mode
from scrapy_captcha.sandbox.widgets import WIDGETS

if TYPE_CHECKING:
    from twisted.web.server import Request as Asked

BOTH = {"CAPTCHA_DOMAINS": ["127.0.0.1", "localhost"]}
PAGES = [f"/page/{n}" for n in range(1, 6)]


@pytest.mark.parametrize("mode", [Mode.CLEARANCE, Mode.TOKEN])
@pytest_twisted.ensureDeferred
async def test_it_goes_to_the_host_that_a_redirect_leads_to(mode: Mode) -> None:
    guard = Guard(kind=Kind.AMAZON_WAF, mode=mode)
    async with sandbox(guard=guard) as running, site({}) as first:
        there = running.site_url.replace("127.0.0.1", "localhost")
        first.pages |= {path: Page("", 302, {"Location": there + path}) for path in PAGES}
        requests = [Request(first.url + path, headers={"X-Own": "1"}) for path in PAGES]
        crawled = await crawl(running, requests, BOTH)

    assert crawled.paths == PAGES
    assert running.solver.created == crawled.stat("accepted_count")
    assert running.solver.created == (1 if mode is Mode.CLEARANCE else len(PAGES))
    assert first.cookies == {None}


class Waf(Pages):
    """Shows a captcha to those that come without its cookie."""

    def __init__(self) -> None:
        widget = WIDGETS[Kind.AMAZON_WAF]
        head, body = widget.render(widget.site_key, "context", "")
        self._wall = Page(f"<html><head>{head}</head><body><h1>Check</h1>{body}</body></html>")
        super().__init__({})

    def render(self, request: Asked) -> bytes:
        is_open = "aws-waf-token" in (request.getHeader("cookie") or "")
        page = Page("<h1>Item</h1>") if is_open else self._wall
        self.pages = {request.path.decode(): page}
        return super().render(request)


@needs_tls
@pytest.mark.filterwarnings("ignore")  # of Scrapy's and Twisted's TLS
@pytest_twisted.ensureDeferred
async def test_shown_over_tls_it_never_goes_out_in_clear_text() -> None:
    root = Waf()
    secure = TLSMemoryBIOFactory(self_signed(), isClient=False, wrappedFactory=Site(root))
    async with sandbox() as running, site({}) as plain, listening(secure) as port:
        plain.pages["/"] = Page("", 302, {"Location": f"https://localhost:{port}/"})
        plain.pages["/other"] = Page("<h1>Other</h1>")
        here = plain.url.replace("127.0.0.1", "localhost")
        requests = [Request(here + "/"), Request(here + "/other", priority=-1)]
        settings = {"CAPTCHA_DOMAINS": ["localhost"], "CONCURRENT_REQUESTS": 1}
        crawled = await crawl(running, requests, settings)

    assert len(crawled.responses) == 2
    assert running.solver.created == 1
    assert any("aws-waf-token" in (cookie or "") for cookie in root.cookies)
    assert plain.cookies == {None}
