"""A page that comes back from the lot gets on, though others hold all slots until there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from listening import listening
from scrapy import Request
from serving import Page, Pages
from twisted.web.server import NOT_DONE_YET, Site
from walls import wall

if TYPE_CHECKING:
    from typing import Any

PAGES = 7


class Closing(Pages):
    """Answers no POST."""

    def render(self, request: Any) -> Any:
        if request.method != b"POST":
            return super().render(request)
        request.transport.loseConnection()
        return NOT_DONE_YET


@pytest.mark.parametrize("root", [Pages, Closing])
@pytest.mark.parametrize(("room", "slots"), [(2, 1), (2, 2)])
@pytest_twisted.ensureDeferred
async def test_all_pages_end_where_the_room_is_small(
    root: type[Pages], room: int, slots: int
) -> None:
    paths = [f"/p{n}" for n in range(PAGES)]
    pages = {path: Page(wall("/verify"), headers={"Set-Cookie": "a=b"}) for path in paths}
    settings = {
        "CAPTCHA_SCOPE": "page",
        "CAPTCHA_MAX_PARKED": room,
        "CONCURRENT_REQUESTS": slots,
        "CLOSESPIDER_TIMEOUT": 15,
    }
    async with sandbox() as running, listening(Site(root(pages))) as port:
        requests = [Request(f"http://127.0.0.1:{port}{path}") for path in paths]
        crawled = await crawl(running, requests, settings)

    assert crawled.reason == "finished"
    assert len(crawled.failures) == PAGES
    assert running.solver.created <= 12 + PAGES
