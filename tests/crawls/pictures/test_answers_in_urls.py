"""What was read in a picture goes into a URL where the form of its page is sent so, and only there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest_twisted
from crawling import crawl, sandbox
from listening import listening
from scrapy import Request
from twisted.web.resource import Resource
from twisted.web.server import Site

from scrapy_captcha.sandbox import Answer
from scrapy_captcha.sandbox.pictures import draw

if TYPE_CHECKING:
    from twisted.web.server import Request as Asked

TEXT = "5K3M9"
READ = Answer(
    "getTaskResult",
    status=200,
    body=json.dumps({"status": "ready", "solution": {"text": TEXT}}).encode(),
    times=None,
)
WALL = (
    '<!doctype html><title>Security check</title><form method="{method}" action="{action}">'
    '<p>Type what you see to go on<img src="/captcha.png" alt=captcha width=160 height=60>'
    "<input type=text name=captcha><button>Go on</button></form>"
)


class Shop(Resource):
    """Shows a picture before its page; the form is sent by *method* to *action*."""

    isLeaf = True  # noqa: N815 - the name in Resource

    def __init__(self, method: str, action: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._wall = WALL.format(method=method, action=action)
        self._is_open = False
        self.uris: list[str] = []

    def render(self, request: Asked) -> bytes:
        self.uris.append(request.uri.decode())
        path = request.path.decode()
        if path == "/captcha.png":
            request.setHeader("Content-Type", "image/png")
            return draw(TEXT)
        if path == "/check":
            self._is_open = request.args.get(b"captcha") == [TEXT.encode()]
            request.setResponseCode(302)
            request.setHeader("Location", "/page")
            return b""
        return b"<h1>The page</h1>" if self._is_open else self._wall.encode()


async def with_text(shop: Shop) -> tuple[list[str], list[str], int]:
    """Reasons and URIs with the answer of a crawl of *shop*, and how many tasks it bought."""
    async with sandbox() as running, listening(Site(shop)) as port:
        running.solver.script(READ)
        url = f"http://127.0.0.1:{port}/page"
        crawled = await crawl(running, [Request(url)], {"CAPTCHA_RETRY_TIMES": 1})
    return crawled.reasons, [uri for uri in shop.uris if TEXT in uri], running.solver.created


@pytest_twisted.ensureDeferred
async def test_a_form_that_is_posted_puts_the_answer_into_no_url() -> None:
    assert await with_text(Shop("post", "/check")) == ([], [], 1)


@pytest_twisted.ensureDeferred
async def test_a_form_that_is_sent_by_get_is_filled_in_as_a_browser_does() -> None:
    assert await with_text(Shop("get", "/check")) == ([], [f"/check?captcha={TEXT}"], 1)


@pytest_twisted.ensureDeferred
async def test_no_url_of_another_origin_is_given_the_answer() -> None:
    other = Shop("get", "/check")
    async with listening(Site(other)) as port:
        shop = Shop("get", f"http://127.0.0.1:{port}/check")
        assert await with_text(shop) == (["other_origin"], [], 0)
    assert other.uris == []
