"""Cookies that the spider gives, at sites that set one of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from homecrawl import crawled_at, items
from homemade import Rules
from scrapy import Request

if TYPE_CHECKING:
    from collections.abc import Callable


def by_name(url: str) -> Request:
    return Request(url, cookies={"session": "of-the-spider"})


def in_full(url: str) -> Request:
    return Request(url, cookies=[{"name": "session", "value": "of-the-spider", "secure": False}])


def each_its_own(url: str) -> Request:
    return Request(url, cookies={"session": url.rpartition("/")[2], "other": "1"})


@pytest.mark.parametrize("cookie", [False, True])
@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("made", [by_name, in_full, each_its_own])
@pytest_twisted.ensureDeferred
async def test_give_way_to_the_sites_own_after_a_clearance(
    made: Callable[[str], Request], concurrency: int, cookie: bool
) -> None:
    rules = Rules(widget=True, good_for=(float("inf"),), cookie=cookie, latency=0.01)
    result = await crawled_at(rules, items(8), concurrency, made=made)

    assert result.crawled.paths == sorted(items(8))
    assert result.solves == 1
    for response in result.crawled.responses:
        assert response.request is not None
        assert response.request.cookies == made(response.url).cookies
        assert not [key for key in response.request.meta if key.startswith("_captcha")]
