"""The answer to a solution may be the page itself, at another URL than the page's own."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from listening import listening
from scrapy import Request
from twisted.web.resource import Resource
from twisted.web.server import Site
from walls import wall

from scrapy_captcha import build_submission

if TYPE_CHECKING:
    from twisted.web.server import Request as Asked

    from scrapy_captcha import Captcha, Solution

TEXT = "<p>It came by the evening coach, and stood for a year on a shelf of the reading room.</p>"
PAGES = [f"/item/{n}" for n in range(1, 21)]


class Says(Enum):
    PAGE = "the page, at /verify"
    MOVED = "a redirect to the page, with a word in its query"
    THANKS = "a thank-you, after which the page is a captcha again"
    PASS = "a thank-you, after which the page comes once"


class Shop(Resource):
    """Each page is a captcha; what *says* an answer to it is, is all that one gets for it."""

    isLeaf = True  # noqa: N815 - the name in Resource

    def __init__(self, says: Says, text: str = TEXT) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._says = says
        self._text = text
        self._passes: set[str] = set()

    def render(self, request: Asked) -> bytes:
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        path = request.path.decode()
        if request.method == b"POST":
            return self._answer(request, request.args[b"item"][0].decode())
        if path in self._passes:
            self._passes.discard(path)
            return self._page(path)
        if b"passed" in request.args:
            return self._page(path)
        form = wall("/verify").replace('name="a" value="b"', f'name="item" value="{path}"')
        return form.encode()

    def _page(self, path: str) -> bytes:
        return f"<html><body><h1>{path}</h1>{self._text}</body></html>".encode()

    def _answer(self, request: Asked, path: str) -> bytes:
        if self._says is Says.PAGE:
            return self._page(path)
        if self._says is Says.MOVED:
            request.redirect(f"{path}?passed=1".encode())
            return b""
        if self._says is Says.PASS:
            self._passes.add(path)
        return self._page("Thank you")


async def visit(
    says: Says,
    pages: list[str],
    settings: dict[str, Any] | None = None,
    *,
    text: str = TEXT,
    spider: type[Visitor] = Visitor,
    meta: dict[str, Any] | None = None,
) -> tuple[list[str], list[str], int]:
    """Titles of the pages that came, why others did not, and how many solves were bought."""
    async with sandbox() as running, listening(Site(Shop(says, text))) as port:
        requests = [Request(f"http://127.0.0.1:{port}{path}", meta=meta or {}) for path in pages]
        crawled = await crawl(running, requests, settings, spider=spider)
    titles = [f"{response.css('h1::text').get()}" for response in crawled.responses]
    for response in crawled.responses:
        assert response.request is not None
        assert response.request.method == "GET"
    return sorted(titles), crawled.reasons, running.solver.created


@pytest.mark.parametrize("scope", ["auto", "page"])
@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize("says", [Says.PAGE, Says.MOVED, Says.PASS])
@pytest_twisted.ensureDeferred
async def test_each_page_comes_for_one_solution(says: Says, concurrency: int, scope: str) -> None:
    settings = {"CONCURRENT_REQUESTS": concurrency, "CAPTCHA_SCOPE": scope}
    titles, reasons, bought = await visit(says, PAGES, settings)

    assert (titles, reasons) == (sorted(PAGES), [])
    assert bought <= len(PAGES) + 1


@pytest.mark.parametrize("text", [TEXT, TEXT * 9, ""])
@pytest_twisted.ensureDeferred
async def test_what_several_pages_are_answered_is_no_page(text: str) -> None:
    titles, reasons, _ = await visit(Says.THANKS, PAGES, text=text)

    assert titles == []
    assert len(reasons) == len(PAGES)
    assert set(reasons) <= {"rejected", "wall"}


@pytest_twisted.ensureDeferred
async def test_a_single_page_of_some_length_costs_one_more() -> None:
    assert await visit(Says.PAGE, PAGES[:1], text=TEXT * 3) == (PAGES[:1], [], 2)


@pytest_twisted.ensureDeferred
async def test_a_single_short_answer_may_be_an_error() -> None:
    titles, reasons, _ = await visit(Says.PAGE, PAGES[:1], text="")
    assert titles == []
    assert reasons == ["rejected"]


class Knowing(Visitor):
    def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
        submission = build_submission(request, captcha, solution)
        submission.meta["captcha"] = {"refetch": "never"}
        return submission


@pytest.mark.parametrize("way", ["setting", "meta", "hook"])
@pytest_twisted.ensureDeferred
async def test_it_may_be_said(way: str) -> None:
    titles, reasons, bought = await visit(
        Says.PAGE,
        PAGES[:3],
        {"CAPTCHA_REFETCH": "never"} if way == "setting" else {},
        text="",
        spider=Knowing if way == "hook" else Visitor,
        meta={"captcha": {"refetch": "never"}} if way == "meta" else {},
    )
    assert (titles, reasons, bought) == (PAGES[:3], [], 3)


@pytest_twisted.ensureDeferred
async def test_it_may_be_denied() -> None:
    titles, reasons, _ = await visit(Says.MOVED, PAGES[:2], {"CAPTCHA_REFETCH": "always"})
    assert titles == []
    assert len(reasons) == 2
