"""The download slots of Scrapy: their delay, and the order of the requests in them."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING
from weakref import WeakSet

from scrapy import signals
from scrapy.utils.httpobj import urlparse_cached

from scrapy_captcha.clock import CLOCK

if TYPE_CHECKING:
    from collections.abc import Collection

    from scrapy.core.downloader import Slot
    from scrapy.crawler import Crawler
    from scrapy.http import Request


class DownloadSlots:
    """The download slots of a crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._urgent: WeakSet[Request] = WeakSet()
        self._is_listening = False

    def name(self, request: Request) -> str:
        """The name of the slot that *request* went through, or will by default."""
        return request.meta.get("download_slot") or urlparse_cached(request).hostname or ""

    def interval(self, request: Request) -> float:
        """Seconds between two requests of the slot of *request*, as far as is known now."""
        slot = self._slot(request)
        if slot is None:  # unused for long: its queue is empty
            return 0.0
        latency = request.meta.get("download_latency")
        seconds = latency if isinstance(latency, int | float) else 0.0
        return max(slot.delay, seconds / max(1, slot.concurrency))

    def ahead(self, request: Request) -> Collection[Request] | None:
        """The requests that are being sent through the slot of *request*, if that has a delay.

        None if it has no delay: then the requests that wait in it are sent at once as well.
        """
        slot = self._slot(request)
        return slot.transferring if slot and slot.delay else None

    def under_way(self) -> Collection[Request]:
        """The requests in the downloader, those included that wait in their slots."""
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - a request is being processed
        active: Collection[Request] = engine.downloader.active
        return active

    def first(self, request: Request) -> Request:
        """*request*, which will overtake the requests that wait in its slot: solutions age."""
        if not self._is_listening:
            self._is_listening = True
            connect = self._crawler.signals.connect
            connect(self._reached_downloader, signals.request_reached_downloader)
        self._urgent.add(request)
        return request

    def _reached_downloader(self, request: Request) -> None:
        if request in self._urgent:
            CLOCK.callLater(0, self._overtake, request)  # it is queued after this signal

    def _overtake(self, request: Request) -> None:
        slot = self._slot(request)
        queue = slot.queue if slot else ()
        entry = next((entry for entry in queue if entry[0] is request), None)
        if slot is None or entry is None:  # sent already
            return
        slot.queue.remove(entry)
        ahead = takewhile(lambda other: other[0] in self._urgent, slot.queue)
        slot.queue.insert(sum(1 for _ in ahead), entry)

    def _slot(self, request: Request) -> Slot | None:
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - a request is being processed
        return engine.downloader.slots.get(self.name(request))
