"""A job that can be killed, and the queues that jobs are tried with."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queuelib.queue import FifoSQLiteQueue
from scrapy import Request, Spider, squeues
from scrapy.crawler import CrawlerProcess
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.task import deferLater

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.http import Response


class _HastyQueue(FifoSQLiteQueue):
    """Does not wait for the disk: a process is killed here, not the machine."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._db.execute("PRAGMA synchronous = OFF")


def _for_requests(queue: Any) -> Any:
    """As Scrapy makes its PickleFifoSQLiteQueue, which it has from 2.19 on."""
    made: Any = squeues
    stored = made._serializable_queue(made._with_mkdir(queue), made._pickle_serialize, pickle.loads)
    return made._scrapy_serialization_queue(stored)


SQLiteQueue = _for_requests(_HastyQueue)

QUEUES: dict[str, dict[str, Any]] = {
    "default": {},
    "sqlite": {
        "SCHEDULER_DISK_QUEUE": f"{__name__}.SQLiteQueue",
        "SCHEDULER_START_DISK_QUEUE": f"{__name__}.SQLiteQueue",
    },
}


async def until_parked(spider: Spider, count: int) -> None:
    """Waits until *count* requests have been parked."""
    from twisted.internet import reactor

    stats = spider.crawler.stats
    assert stats is not None
    while stats.get_value("captcha/parked_max", 0) < count:
        await maybe_deferred_to_future(deferLater(reactor, 0.01))


class Job(Spider):
    """Fetches pages 2 to *last* of *site* and notes each in *output*, where no kill undoes it.

    Once all of them are parked it notes that, too. With *busy* it then fetches page 1, whose
    callback does not end.
    """

    name = "job"
    site: str
    output: str
    last = "1"
    busy = ""

    async def start(self) -> AsyncIterator[Request]:
        for number in range(2, int(self.last) + 1):
            yield Request(f"{self.site}/page/{number}")
        if self.last != "1":
            await until_parked(self, int(self.last) - 1)
            self.note("parked")
        if self.busy:
            yield Request(f"{self.site}/page/1", callback=self.parse_for_ever)

    def parse(self, response: Response, **kwargs: Any) -> None:
        self.note(response.url.partition(self.site)[2])

    async def parse_for_ever(self, response: Response) -> None:
        self.note("busy")
        await until_parked(self, 1_000_000)

    def note(self, line: str) -> None:
        with Path(self.output).open("a", encoding="utf-8") as log:
            log.write(line + "\n")


if __name__ == "__main__":
    settings, arguments = map(json.loads, sys.argv[1:])
    process = CrawlerProcess(settings)
    process.crawl(Job, **arguments)
    process.start()
