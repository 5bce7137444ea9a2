"""A job that is stopped and killed: a spider that notes each page where no kill undoes it.

Run by ``endurance.soak`` and ``endurance.workers``, in processes of its own, with settings and
arguments as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider, signals
from scrapy.crawler import CrawlerProcess
from scrapy.exceptions import DontCloseSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from typing_extensions import Self

STARTED = "started"


class Job(Spider):
    """Fetches *pages* pages of *site* and notes their paths, and each start, in *output*.

    One that *stays* does not end by itself.
    """

    name = "job"
    site: str
    output: str
    pages: int
    stays = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """As in Spider."""
        job = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(job.idle, signals.spider_idle)
        return job

    def idle(self) -> None:
        """Others may bring more."""
        if self.stays:
            raise DontCloseSpider

    async def start(self) -> AsyncIterator[Request]:
        """All pages; Scrapy filters those that an earlier run has seen."""
        self._note(STARTED)
        for number in range(1, self.pages + 1):
            yield Request(f"{self.site}/page/{number}")

    def parse(self, response: Response) -> None:
        """Notes the page."""
        self._note(response.url.removeprefix(self.site))

    def _note(self, line: str) -> None:
        with Path(self.output).open("a", encoding="utf-8") as log:
            log.write(line + "\n")


if __name__ == "__main__":
    settings, arguments = map(json.loads, sys.argv[1:])
    process = CrawlerProcess(settings)
    process.crawl(Job, **arguments)
    process.start()
