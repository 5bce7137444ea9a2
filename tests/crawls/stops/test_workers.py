"""Two crawls that share a queue: what one has bought, the other does not get."""

from __future__ import annotations

import pickle
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from scrapy.core.scheduler import BaseScheduler
from scrapy.utils.request import request_from_dict
from twisted.internet.defer import Deferred, gatherResults

from scrapy_captcha.sandbox import Guard, Mode

if TYPE_CHECKING:
    from scrapy import Request, Spider


class SharedQueue(BaseScheduler):
    """A queue of pickles, as Redis has them, that all crawls of the process take from."""

    waiting: ClassVar[deque[bytes]] = deque()

    def open(self, spider: Spider) -> None:
        self._spider = spider

    def has_pending_requests(self) -> bool:
        return bool(self.waiting)

    def enqueue_request(self, request: Request) -> bool:
        self.waiting.append(pickle.dumps(request.to_dict(spider=self._spider)))
        return True

    def next_request(self) -> Request | None:
        if not self.waiting:
            return None
        stored = pickle.loads(self.waiting.popleft())  # noqa: S301 - the test's own
        return request_from_dict(stored, spider=self._spider)


@pytest.mark.parametrize("mode", [Mode.TOKEN, Mode.CLEARANCE])
@pytest_twisted.ensureDeferred
async def test_two_workers_buy_what_one_would(mode: Mode) -> None:
    pages = [f"/page/{n}" for n in range(1, 61)]
    settings = {"SCHEDULER": f"{__name__}.SharedQueue"}
    async with sandbox({"solve_time": 0.1}, Guard(mode=mode), pages=60, latency=0.02) as running:
        halves = (pages[::2], pages[1::2])
        crawls = [Deferred.fromCoroutine(crawl(running, half, settings)) for half in halves]
        found: Any = await gatherResults(crawls)

    assert sorted(found[0].paths + found[1].paths) == sorted(pages)
    assert all(crawled.responses for crawled in found)
    assert running.solver.created == (len(pages) if mode is Mode.TOKEN else 2)
    assert running.book.unused == 0
