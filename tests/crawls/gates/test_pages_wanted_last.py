"""Gates that lead on to the page that the session wanted last, which may be another request's."""

from __future__ import annotations

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from gating import GATE, PICTURE, gate
from scrapy import Request

PATHS = [f"/item/{n}" for n in range(1, 5)]


@pytest.mark.parametrize("shows", [GATE, PICTURE])
@pytest_twisted.ensureDeferred
async def test_each_page_comes_to_its_own_callback_for_one_solution(shows: str) -> None:
    """All pages have been asked for before the first captcha is met."""
    async with gate(visits=1, slow=0.1, shows=shows) as site, sandbox() as running:
        running.book.show_picture(site.picture, "ABCD")
        requests = [Request(site.url + path, meta={"path": path}) for path in PATHS]
        crawled = await crawl(running, requests)

    came = {response.meta["path"]: response.css("h1::text").get() for response in crawled.responses}
    assert came == {path: f"GET {path}" for path in PATHS}
    assert crawled.reasons == []
    assert running.solver.created <= len(PATHS) + 1  # the first finds out where answers lead
