"""A page does not wait for what it has bought itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from listening import listening
from scrapy import Request
from serving import Page, Pages
from twisted.web.server import NOT_DONE_YET, Site

if TYPE_CHECKING:
    from typing import Any

CHALLENGE = (
    "<html><head><title>One moment</title>"
    '<script src="https://www.google.com/recaptcha/api.js" async defer></script></head>'
    '<body><form method="post" action="/verify">'
    '<div class="g-recaptcha" data-sitekey="6LfKey0000000000000000000000000000000000"></div>'
    '<button type="submit">Continue</button></form></body></html>'
)


class Dropping(Pages):
    """Closes the connection of each POST."""

    def render(self, request: Any) -> Any:
        if request.method != b"POST":
            return super().render(request)
        request.transport.abortConnection()
        return NOT_DONE_YET


@pytest.mark.parametrize("pages", [1, 3])
@pytest_twisted.ensureDeferred
async def test_where_a_site_drops_the_submission_its_pages_end_at_the_loss_limit(
    pages: int,
) -> None:
    settings = {
        "CAPTCHA_SCOPE": "page",
        "CAPTCHA_MAX_LOSS_PER_SITE": 0.0015,
        "CAPTCHA_PRICES": {"recaptcha_v2": 0.001},
        "CLOSESPIDER_TIMEOUT": 90,
        "RETRY_ENABLED": False,
    }
    root = Dropping({f"/{n}": Page(CHALLENGE) for n in range(pages)})
    async with sandbox({"price": 0.001}) as running, listening(Site(root)) as port:
        requests = [Request(f"http://127.0.0.1:{port}{path}") for path in root.pages]
        crawled = await crawl(running, requests, settings)

    assert crawled.reason == "finished"
    assert len(crawled.failures) == pages
    assert set(crawled.reasons) == {"loss"}
    assert running.solver.created == crawled.stat("unused_count") == 1
