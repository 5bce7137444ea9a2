"""Gates that lead on to the page that the session wanted last, which may be another request's."""

from __future__ import annotations

import pytest_twisted
from crawling import crawl, sandbox
from gating import gate
from scrapy import Request

PATHS = [f"/item/{n}" for n in range(1, 6)]


@pytest_twisted.ensureDeferred
async def test_no_page_is_given_to_the_callback_of_another() -> None:
    """All pages have been asked for before the first captcha is met."""
    async with gate(visits=1, slow=0.2) as site, sandbox() as running:
        requests = [Request(site.url + path, meta={"path": path}) for path in PATHS]
        crawled = await crawl(running, requests, {"CAPTCHA_RETRY_TIMES": 6})

    came = {response.meta["path"]: response.css("h1::text").get() for response in crawled.responses}
    assert came == {path: f"GET {path}" for path in PATHS}
    assert crawled.reasons == []
