"""Clearances that are good for a page, for some, or for some time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor
from homecrawl import crawled_at, items
from homemade import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy import Request
    from scrapy.http import Response


class Following(Visitor):
    """Starts with the first page, and has the others from there."""

    others: tuple[str, ...] = ()

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Request]:  # type: ignore[override]
        super().parse(response)
        if response.url.endswith("/item/1"):
            for path in self.others:
                yield response.follow(path, self.parse, errback=self.failed)


@pytest.mark.parametrize(("cookie", "redirects"), [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("concurrency", [1, 8, 16, 60])
@pytest_twisted.ensureDeferred
async def test_one_for_one_page_is_bought_once_for_each(
    concurrency: int, cookie: bool, redirects: bool
) -> None:
    """Without a cookie, two are sent at once to see what comes of it, which may cost one."""
    rules = Rules(widget=True, cookie=cookie, redirects=redirects, latency=0.01)
    result = await crawled_at(rules, items(60), concurrency)

    assert result.crawled.reasons == []
    assert result.crawled.paths == sorted(items(60))
    tried = 0 if cookie else 1
    assert 60 <= result.solves <= 60 + tried
    assert result.crawled.stat("rejected_count") == result.solves - 60
    assert result.reports == 0


@pytest.mark.parametrize("concurrency", [1, 8, 16])
@pytest.mark.parametrize(("pages", "good_for", "solves"), [(120, 40, 3), (200, 50, 4)])
@pytest_twisted.ensureDeferred
async def test_one_that_has_run_out_is_renewed_once(
    pages: int, good_for: int, solves: int, concurrency: int
) -> None:
    rules = Rules(widget=True, cookie=True, good_for=(good_for,), latency=0.005)
    result = await crawled_at(rules, items(pages), concurrency)

    assert result.crawled.reasons == []
    assert result.crawled.paths == sorted(items(pages))
    assert result.solves == solves
    assert result.most_downloads <= 6


@pytest.mark.parametrize("concurrency", [1, 8, 16])
@pytest.mark.parametrize(("pages", "good_for", "solves"), [(120, 40, 3), (200, 50, 4)])
@pytest_twisted.ensureDeferred
async def test_one_that_the_only_start_page_has_opened_is_renewed_once(
    pages: int, good_for: int, solves: int, concurrency: int
) -> None:
    """No page has waited for the solution, and yet those that come free say that it opens more."""
    rules = Rules(widget=True, cookie=True, good_for=(good_for,), latency=0.005)
    first, *others = items(pages)
    spider = type("Following", (Following,), {"others": tuple(others)})
    result = await crawled_at(rules, [first], concurrency, spider=spider)

    assert result.crawled.reasons == []
    assert result.crawled.paths == sorted(items(pages))
    assert result.solves == solves
    assert result.most_downloads <= 6


@pytest.mark.parametrize("concurrency", [1, 8, 16])
@pytest_twisted.ensureDeferred
async def test_requests_for_a_page_are_bounded_whatever_is_learned(concurrency: int) -> None:
    """One is good for three pages, and each that follows for one."""
    rules = Rules(widget=True, cookie=True, good_for=(3, 1), latency=0.005)
    result = await crawled_at(rules, items(60), concurrency)

    assert result.crawled.reasons == []
    assert result.crawled.paths == sorted(items(60))
    assert result.solves == 58  # a cookie is set for each: none is sent beside another
    assert result.most_downloads <= 6
