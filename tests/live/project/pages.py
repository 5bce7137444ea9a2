"""Fetches numbered pages and writes what came of each: a line of JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scrapy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy.http import Response
    from twisted.python.failure import Failure


class PagesSpider(scrapy.Spider):
    """Pages 1 to *last* at *site*; with *follow* all but the first are asked for by its callback."""

    name = "pages"
    allowed_domains = ["127.0.0.1"]
    site: str
    output: str
    last: str
    follow = ""

    async def start(self) -> AsyncIterator[scrapy.Request]:
        yield self.request(1)
        for request in [] if self.follow else self.others():
            yield request

    def request(self, number: int) -> scrapy.Request:
        meta = {"number": number}
        return scrapy.Request(f"{self.site}/item/{number}", errback=self.failed, meta=meta)

    def others(self) -> Iterator[scrapy.Request]:
        yield from map(self.request, range(2, int(self.last) + 1))

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Any]:
        number = response.meta["number"]
        self.note(page=number, heading=response.css("h1::text").get())
        yield {"number": number}
        if self.follow and number == 1:
            yield from self.others()

    def failed(self, failure: Failure) -> None:
        request: scrapy.Request = failure.request  # type: ignore[attr-defined]
        reason = getattr(failure.value, "reason", repr(failure.value))
        self.note(failed=request.meta["number"], reason=reason)

    def closed(self, reason: str) -> None:
        stats = self.crawler.stats
        assert stats is not None
        self.note(stats=stats.get_stats() | {"finish_reason": reason})

    def note(self, **line: Any) -> None:
        with Path(self.output).open("a", encoding="utf-8") as output:
            output.write(json.dumps(line | {"at": time.time()}, default=str) + "\n")
