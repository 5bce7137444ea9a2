"""Proxies that a request gets on its way out, from the environment or from a middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from homecrawl import crawled_at, items
from homemade import Rules
from proxying import proxies

if TYPE_CHECKING:
    from scrapy.http import Request

OPEN = Rules(widget=True, cookie=True, good_for=(float("inf"),), latency=0.02)


class Proxying:
    """Puts the proxy of a setting into each request."""

    url = ""

    def process_request(self, request: Request, spider: Any = None) -> None:
        request.meta["proxy"] = self.url


@pytest.mark.parametrize("where", ["environment", "middleware"])
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_comes_later_makes_no_other_session(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"CAPTCHA_SCOPE": "site"}
    async with proxies("") as (proxy,):
        if where == "environment":
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.delenv("no_proxy", raising=False)
        else:
            monkeypatch.setattr(Proxying, "url", proxy.url)
            settings["DOWNLOADER_MIDDLEWARES"] = {Proxying: 650}
        result = await crawled_at(OPEN, items(60), 8, solve_time=0.3, **settings)

    assert result.crawled.paths == sorted(items(60))
    assert result.solves == 1
    # Eight at once, and one for each of two that come back before the third in a row shows that
    # this session gets nothing but captchas: with fewer, free pages would be held back.
    assert result.crawled.stat("detected_count") <= 10
    assert result.crawled.stat("held_count") >= 50
