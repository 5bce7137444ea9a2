"""Where a site may lead the request that carries a solution, and what goes along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from listening import listening
from scrapy import Request
from twisted.web.resource import Resource
from twisted.web.server import Site
from walls import wall

if TYPE_CHECKING:
    from twisted.web.server import Request as Asked

HEADERS = {"Authorization": "Bearer abc", "X-Api-Key": "own", "Referer": "http://own.example/"}
CLIENT = {b"host", b"user-agent", b"accept", b"accept-language", b"accept-encoding", b"connection"}
FORM = {b"content-type", b"content-length", b"origin", b"referer"}


class Leading(Resource):
    """Redirects each answer to its captcha to *leads_to*, and shows a page then."""

    isLeaf = True  # noqa: N815 - the name in Resource

    def __init__(self, leads_to: str = "/done", status: int = 302) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.leads_to = leads_to
        self.status = status
        self.is_open = False
        self.moves_to = ""
        self.asked: list[tuple[str, str, dict[bytes, Any]]] = []

    def render(self, request: Asked) -> bytes:
        method, path = request.method.decode(), request.uri.decode()
        self.asked.append((method, path, dict(request.requestHeaders.getAllRawHeaders())))
        request.setHeader("Content-Type", "text/html")
        if path == "/verify":
            self.is_open = True
            request.setResponseCode(self.status)
            request.setHeader("Location", self.leads_to)
            return b""
        if self.is_open and self.moves_to and path != "/done":
            request.setResponseCode(302)
            request.setHeader("Location", self.moves_to)
            return b""
        return b"<h1>content</h1>" if self.is_open else wall("/verify").encode()


class Allowing(Visitor):
    allowed_domains = ["127.0.0.1"]


@pytest.mark.parametrize("spider", [Visitor, Allowing])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest_twisted.ensureDeferred
async def test_an_answer_is_led_to_no_other_site(spider: type[Visitor], status: int) -> None:
    own, other = Leading(status=status), Leading()
    async with sandbox() as running, listening(Site(own)) as port, listening(Site(other)) as there:
        own.leads_to = f"http://localhost:{there}/steal"
        request = Request(f"http://127.0.0.1:{port}/a", headers=HEADERS)
        settings = {"CAPTCHA_DOMAINS": ["127.0.0.1"], "CLOSESPIDER_TIMEOUT": 90}
        crawled = await crawl(running, [request], settings, spider)

    assert other.asked == []
    assert crawled.paths == ["/a"]
    assert crawled.stat("accepted_count") == 1
    assert running.solver.created == 1


class Both(Visitor):
    allowed_domains = ["127.0.0.1", "localhost"]


@pytest.mark.parametrize(("host", "spider"), [("localhost", Both), ("127.0.0.1", Visitor)])
@pytest_twisted.ensureDeferred
async def test_what_is_for_one_origin_is_not_led_to_another(
    host: str, spider: type[Visitor]
) -> None:
    own, other = Leading(), Leading()
    async with sandbox() as running, listening(Site(own)) as port, listening(Site(other)) as there:
        own.leads_to = f"http://{host}:{there}/welcome"
        request = Request(f"http://127.0.0.1:{port}/a", headers=HEADERS)
        settings = {"CAPTCHA_DOMAINS": ["127.0.0.1", "localhost"], "CLOSESPIDER_TIMEOUT": 90}
        crawled = await crawl(running, [request], settings, spider)

    assert crawled.paths == ["/a"]
    ((method, path, headers),) = other.asked
    assert (method, path) == ("GET", "/welcome")
    assert {name.lower() for name in headers} <= CLIENT


@pytest_twisted.ensureDeferred
async def test_what_is_for_one_origin_goes_along_within_it() -> None:
    own = Leading()
    async with sandbox() as running, listening(Site(own)) as port:
        request = Request(f"http://127.0.0.1:{port}/a", headers=HEADERS)
        crawled = await crawl(running, [request])

    assert crawled.paths == ["/a"]
    asked: dict[str, Any] = {path: headers for _, path, headers in own.asked}
    assert asked["/done"][b"Authorization"] == [b"Bearer abc"]


@pytest_twisted.ensureDeferred
async def test_what_is_for_one_origin_is_not_led_to_another_with_the_page() -> None:
    own, other = Leading(), Leading()
    other.is_open = True
    async with sandbox() as running, listening(Site(own)) as port, listening(Site(other)) as there:
        own.moves_to = f"http://localhost:{there}/page"
        request = Request(f"http://127.0.0.1:{port}/a", headers=HEADERS)
        settings = {"CAPTCHA_DOMAINS": ["127.0.0.1", "localhost"], "CLOSESPIDER_TIMEOUT": 90}
        crawled = await crawl(running, [request], settings)
        # What the other site shows is a captcha as well.
        other.is_open = own.is_open = False
        again = await crawl(running, [request.replace(url=request.url + "2")], settings)

    assert crawled.paths == ["/page"]
    assert {name.lower() for _, _, headers in other.asked for name in headers} <= CLIENT | FORM
    assert all(b"Authorization" in headers for _, _, headers in own.asked)
    assert again.failures == []
