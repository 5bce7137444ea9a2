"""One site's captchas keep no other site waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from listening import listening
from scrapy import Request
from serving import Page, Pages
from twisted.web.server import NOT_DONE_YET, Site

from scrapy_captcha.crawl import images as pictures
from scrapy_captcha.sandbox import Guard, Mode

if TYPE_CHECKING:
    from typing import Any

PICTURE = (
    "<html><head><title>Captcha</title></head><body><form method='post' action='/check'>"
    "<label>Type the characters</label><img src='/captcha.png' alt='captcha'>"
    "<input type='text' name='captcha'><button>Send</button></form></body></html>"
)
SETTINGS: dict[str, Any] = {
    "CAPTCHA_SCOPE": "page",
    "CAPTCHA_DOMAINS": ["127.0.0.1", "localhost"],
    "CAPTCHA_CONCURRENT_SOLVES": 2,
    "CONCURRENT_REQUESTS": 32,
    "DOWNLOAD_TIMEOUT": 60,
    "RETRY_ENABLED": False,
}


class Dripping(Pages):
    """Sends the head of each picture, and no more."""

    asked = 0

    def render(self, request: Any) -> Any:
        if request.path != b"/captcha.png":
            return super().render(request)
        self.asked += 1
        request.setHeader("Content-Type", "image/png")
        request.write(b"\x89PNG\r\n\x1a\n")
        return NOT_DONE_YET


@pytest_twisted.ensureDeferred
async def test_pictures_that_drip_keep_no_other_site_waiting_and_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "_TIME_LIMIT", 3.0)
    root = Dripping({f"/{n}": Page(PICTURE) for n in range(4)})
    async with (
        sandbox(guard=Guard(mode=Mode.TOKEN), session_bound=False) as running,
        listening(Site(root)) as port,
    ):
        slow = [Request(f"http://127.0.0.1:{port}{path}", priority=10) for path in root.pages]
        others = running.site_url.replace("127.0.0.1", "localhost")
        quick = [Request(f"{others}/page/{n}") for n in (1, 2, 3)]
        crawled = await crawl(running, [*slow, *quick], SETTINGS | {"CAPTCHA_RETRY_TIMES": 1})

    assert crawled.reason == "finished"
    assert len(crawled.responses) == 3
    assert crawled.reasons == ["picture"] * 4
    assert root.asked >= 4
    ends: dict[str | None, list[float]] = {"localhost": [], "127.0.0.1": []}
    for url, at in crawled.times.items():
        ends[urlsplit(url).hostname].append(at)
    assert max(ends["localhost"]) < min(ends["127.0.0.1"])


@pytest.mark.parametrize("room", [1000, 2])
@pytest_twisted.ensureDeferred
async def test_sites_take_turns_where_pages_wait_for_a_purchase_or_for_room(
    room: int,
) -> None:
    solver = {"solve_time": 1.0}
    async with sandbox(solver, Guard(mode=Mode.TOKEN), pages=12, session_bound=False) as running:
        others = running.site_url.replace("127.0.0.1", "localhost")
        many = [Request(f"{running.site_url}/page/{n}", priority=10) for n in range(1, 11)]
        few = [Request(f"{others}/page/{n}") for n in (11, 12)]
        crawled = await crawl(running, [*many, *few], SETTINGS | {"CAPTCHA_MAX_PARKED": room})

        bought = [call.url for call in running.solver.calls if call.method == "createTask"]

    assert len(crawled.responses) == 12
    assert sum("localhost" in url for url in bought[:6]) == 2
