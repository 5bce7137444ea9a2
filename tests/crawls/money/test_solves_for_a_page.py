"""How many solutions are bought for each page that comes of them is bounded at each site."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from listening import listening
from scrapy import Request
from serving import Page, Pages
from twisted.web.server import Site
from walls import wall

if TYPE_CHECKING:
    from twisted.web.server import Request as Asked


class Choosy(Pages):
    """Each page is a captcha, of which one answer *of* so many is accepted."""

    def __init__(self, of: int) -> None:
        super().__init__({})
        self._of = of
        self._answers = count(1)
        self._opened: set[str] = set()

    def render(self, request: Asked) -> bytes:
        path = request.path.decode()
        request.setHeader("Set-Cookie", "visitor=1")
        if request.method == b"POST" and next(self._answers) % self._of == 0:
            self._opened.add(path)
        is_open = path in self._opened
        self.pages[path] = Page(f"<h1>Item {path}</h1>" if is_open else wall(path))
        return super().render(request)


PAGES = 60


GIVEN = 5  # where the setting is not given


# What is under way is bought still, and rejections of solutions that were sent at once may be our
# own doing. Without the bound some 150 are bought.
@pytest.mark.parametrize(("of", "most"), [(11, 15 + 10 + 16 + 2 * 16), (2, 200)])
@pytest_twisted.ensureDeferred
async def test_a_site_that_accepts_few_is_bought_for_no_more(
    of: int, most: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with sandbox() as running, listening(Site(Choosy(of))) as port:
        pages = [Request(f"http://127.0.0.1:{port}/{n}") for n in range(PAGES)]
        crawled = await crawl(running, pages, {"CAPTCHA_SCOPE": "page"})

    assert running.solver.created <= most
    assert len(crawled.responses) + len(crawled.failures) == PAGES
    is_shut = of > GIVEN
    assert bool(crawled.stat("dropped_count/per_page")) is is_shut
    assert caplog.text.count("CAPTCHA_MAX_SOLVES_PER_PAGE = 5.0 is reached") == is_shut
    assert len(crawled.responses) == crawled.stat("accepted_count") > 0


@pytest_twisted.ensureDeferred
async def test_nothing_is_bounded_with_0() -> None:
    async with sandbox() as running, listening(Site(Choosy(11))) as port:
        pages = [Request(f"http://127.0.0.1:{port}/{n}") for n in range(PAGES)]
        settings = {"CAPTCHA_SCOPE": "page", "CAPTCHA_MAX_SOLVES_PER_PAGE": 0}
        crawled = await crawl(running, pages, settings)

    assert running.solver.created > 100
    assert crawled.stat("dropped_count/per_page") == 0
