"""A job whose spider starts with the same requests in each run."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from jobs import Job, until_parked
from scrapy import Request
from scrapy.crawler import CrawlerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Repeating(Job):
    """Starts with pages 2 to *last*, and notes when as many as *parked* are.

    With *dont_filter* as a spider with ``start_urls`` does.
    """

    parked = 0
    dont_filter = False

    async def start(self) -> AsyncIterator[Request]:
        for number in range(2, int(self.last) + 1):
            yield Request(f"{self.site}/page/{number}", dont_filter=self.dont_filter)
        if self.parked:
            await until_parked(self, self.parked)
            self.note("parked")


if __name__ == "__main__":
    settings, arguments = map(json.loads, sys.argv[1:])
    process = CrawlerProcess(settings)
    process.crawl(Repeating, **arguments)
    process.start()
