"""Crawls of a homemade site, with as many requests at once as a test wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crawling import Visitor, crawl, sandbox
from homemade import homemade
from scrapy import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crawling import Crawled
    from homemade import Homemade, Rules


@dataclass(frozen=True)
class Result:
    """What came of a crawl, the site, and how many solutions were bought."""

    crawled: Crawled
    site: Homemade
    solves: int
    reports: int

    @property
    def most_downloads(self) -> int:
        """Of one page, its submissions not included."""
        return max(n for path, n in self.site.asked.items() if path.startswith("/item/"))


def items(count: int) -> list[str]:
    """The paths of as many pages."""
    return [f"/item/{n}" for n in range(1, count + 1)]


async def crawled_at(
    rules: Rules,
    paths: Iterable[str],
    concurrency: int,
    *,
    spider: type[Visitor] = Visitor,
    made: Callable[[str], Request] = Request,
    solve_time: float = 0.0,
    **settings: Any,
) -> Result:
    """Crawls *paths* of such a site; *made* makes the request for a URL."""
    usual = {"CONCURRENT_REQUESTS": concurrency, "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency}
    async with sandbox({"solve_time": solve_time}) as running, homemade(running, rules) as site:
        requests = [made(site.url + path) for path in paths]
        crawled = await crawl(running, requests, {**usual, **settings}, spider)
        return Result(crawled, site, running.solver.created, len(running.solver.reports))
