"""Clearances that are good for one user agent, and middlewares that change it all the time."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from homecrawl import crawled_at, items
from homemade import Rules
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler

if TYPE_CHECKING:
    from scrapy.http import Request, Response

BOUND = Rules(widget=True, cookie=True, bound=True, good_for=(float("inf"),), latency=0.01)
_NUMBERS = count()


class AnotherBrowser:
    """A user agent for each request, as such middlewares put it in."""

    def process_request(self, request: Request, spider: Any = None) -> None:
        request.headers["User-Agent"] = f"Browser/{next(_NUMBERS)}"
        request.meta["impersonate"] = f"browser{next(_NUMBERS)}"


class Impersonating(HTTP11DownloadHandler):
    """Plays the browser that meta names."""

    async def download_request(self, request: Request) -> Response:
        request.headers["User-Agent"] = request.meta["impersonate"]
        return await super().download_request(request)


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("handlers", [{}, {"http": Impersonating}])
@pytest.mark.parametrize("place", [400, 700])
@pytest_twisted.ensureDeferred
async def test_a_session_keeps_the_browser_that_it_was_opened_with(
    place: int, handlers: dict[str, Any], concurrency: int
) -> None:
    settings: dict[str, Any] = {
        "DOWNLOADER_MIDDLEWARES": {AnotherBrowser: place},
        "DOWNLOAD_HANDLERS": handlers,
    }
    result = await crawled_at(BOUND, items(10), concurrency, **settings)

    assert result.crawled.reasons == []
    assert result.crawled.paths == sorted(items(10))
    assert result.solves == 1
    assert len({agent for path in items(10) for agent in result.site.agents[path]}) == 1
