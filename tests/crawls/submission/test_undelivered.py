"""Solutions that cannot be sent are soon bought no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest_twisted
from crawling import crawl, sandbox
from listening import listening
from scrapy import Request
from serving import Page, Pages
from twisted.web.server import NOT_DONE_YET, Site
from walls import wall

if TYPE_CHECKING:
    from twisted.web.server import Request as Asked


class Closing(Pages):
    """Each page is a captcha; the first *left* answers to it are closed on, the others taken."""

    def __init__(self, left: int) -> None:
        super().__init__({})
        self.left = left
        self.bodies: list[bytes] = []
        self.opened: set[str] = set()

    def render(self, request: Asked) -> int | bytes:  # type: ignore[override]
        path = request.path.decode()
        if request.method == b"POST":
            content: Any = request.content
            self.bodies.append(content.read())
        if request.method == b"POST" and self.left > 0:
            self.left -= 1
            transport: Any = request.transport
            transport.abortConnection()
            return NOT_DONE_YET
        if request.method == b"POST":
            self.opened.add(path)
        is_open = path in self.opened
        self.opened.discard(path) if request.method == b"GET" else None
        self.pages[path] = Page(f"<h1>Item {path}</h1>" if is_open else wall(path))
        return super().render(request)


PAGES = 60


@pytest_twisted.ensureDeferred
async def test_a_site_that_closes_on_every_answer_is_bought_for_a_few_times_only() -> None:
    root = Closing(left=10_000)
    async with sandbox({"solve_time": 0.5}) as running, listening(Site(root)) as port:
        pages = [Request(f"http://127.0.0.1:{port}/{n}") for n in range(PAGES)]
        crawled = await crawl(running, pages, {"CAPTCHA_SCOPE": "page"})

    assert len(crawled.failures) == PAGES
    # Those that were solved at once, and those that were begun before three could not be sent.
    assert running.solver.created <= PAGES + 3 < 3 * PAGES
    assert crawled.stat("dropped_count/undelivered") == PAGES
    assert crawled.stat("unused_count") == running.solver.created


@pytest_twisted.ensureDeferred
async def test_one_that_was_closed_on_costs_no_page() -> None:
    root = Closing(left=2)
    async with sandbox() as running, listening(Site(root)) as port:
        pages = [Request(f"http://127.0.0.1:{port}/{n}") for n in range(5)]
        crawled = await crawl(running, pages, {"CAPTCHA_CONCURRENT_SOLVES": 1})

    assert len(crawled.responses) == 5
    assert running.solver.created == 7
    assert len(set(root.bodies)) == len(root.bodies) == 7  # a token is never sent twice
