"""A solution is accepted where a page comes of it, and not before."""

from __future__ import annotations

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


class Ending(Pages):
    """Each page is a captcha, and *page* once that is answered, but for those in ``there``."""

    def __init__(self, page: Page) -> None:
        super().__init__({})
        self._page = page
        self.there: dict[str, Page] = {}
        self._answered: set[str] = set()

    def render(self, request: Asked) -> bytes:
        path = request.path.decode()
        if request.method == b"POST":
            self._answered.add(path)
            self.pages[path] = Page('{"ok": true}', headers={"Content-Type": "application/json"})
        else:
            page = self._page if path in self._answered else Page(wall(path))
            self.pages[path] = self.there.get(path, page)
        return super().render(request)


@pytest.mark.parametrize(
    "page",
    [
        Page("Not found", 404),
        Page("Go away", 403),
        Page("Slow down", 429),
        Page("Broken", 500),
        Page("", 200),
    ],
    ids=lambda page: f"{page.status}",
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_page_counts_as_loss(page: Page) -> None:
    async with sandbox() as running, listening(Site(Ending(page))) as port:
        pages = [Request(f"http://127.0.0.1:{port}/{n}") for n in range(60)]
        price = running.solver.options.price
        settings = {"CAPTCHA_MAX_LOSS_PER_SITE": 10 * price, "CAPTCHA_SCOPE": "page"}
        crawled = await crawl(running, pages, settings)

    assert running.solver.created == 10
    assert crawled.stat("accepted_count") == 0
    assert crawled.stat("unused_count") == 10
    assert crawled.stat("dropped_count/loss") == 50
    assert crawled.stat("report_count") == 0


@pytest_twisted.ensureDeferred
async def test_a_page_is_one() -> None:
    async with sandbox() as running, listening(Site(Ending(Page("<h1>Item</h1>")))) as port:
        pages = [Request(f"http://127.0.0.1:{port}/{n}") for n in range(20)]
        price = running.solver.options.price
        settings = {"CAPTCHA_MAX_LOSS_PER_SITE": 10 * price, "CAPTCHA_SCOPE": "page"}
        crawled = await crawl(running, pages, settings)

    assert len(crawled.responses) == 20
    assert crawled.stat("accepted_count") == 20


@pytest_twisted.ensureDeferred
async def test_at_a_site_whose_free_pages_are_all_404_such_a_page_is_one() -> None:
    site = Ending(Page("<h1>Item</h1>", 404))
    site._answered.update(f"/free/{n}" for n in range(8))
    async with sandbox() as running, listening(Site(site)) as port:
        home = f"http://127.0.0.1:{port}"
        pages = [Request(f"{home}/free/{n}", priority=1) for n in range(8)]
        pages += [Request(f"{home}/{n}") for n in range(12)]
        price = running.solver.options.price
        settings = {"CAPTCHA_MAX_LOSS_PER_SITE": 3 * price, "CAPTCHA_SCOPE": "page"}
        settings |= {"HTTPERROR_ALLOW_ALL": True, "CONCURRENT_REQUESTS": 1}
        crawled = await crawl(running, pages, settings)

    assert len(crawled.responses) == 20
    assert crawled.stat("accepted_count") == running.solver.created == 12


@pytest_twisted.ensureDeferred
async def test_where_one_free_page_was_found_a_404_is_none() -> None:
    site = Ending(Page("<h1>Item</h1>", 404))
    site._answered.update(f"/free/{n}" for n in range(8))
    async with sandbox() as running, listening(Site(site)) as port:
        home = f"http://127.0.0.1:{port}"
        pages = [Request(f"{home}/free/{n}", priority=2) for n in range(8)]
        pages += [Request(f"{home}/there", priority=1)]
        pages += [Request(f"{home}/{n}") for n in range(12)]
        site.there["/there"] = Page("<h1>Item</h1>")
        price = running.solver.options.price
        settings = {"CAPTCHA_MAX_LOSS_PER_SITE": 3 * price, "CAPTCHA_SCOPE": "page"}
        settings |= {"HTTPERROR_ALLOW_ALL": True, "CONCURRENT_REQUESTS": 1}
        crawled = await crawl(running, pages, settings)

    assert crawled.stat("accepted_count") == 0
    assert running.solver.created == 3
