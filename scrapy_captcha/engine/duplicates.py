"""Duplicates of requests that a killed run has left behind, which are not fetched a second time.

The fingerprints of a run are in the buffers of Scrapy's dupefilter, and are lost with it. The
spider then starts with the same requests, while some of them are restored from the journal. They
are filtered when they leave the scheduler, and not when they enter it: from the files of a killed
run, a FIFO queue returns as many requests as are put in, but not the same ones.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from scrapy_captcha.state import KEY, CaptchaState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy.core.scheduler import BaseScheduler
    from scrapy.crawler import Crawler
    from scrapy.http import Request

logger = logging.getLogger(__name__)

# In the meta of requests that have been sent before, which are no duplicates.
_SENT = frozenset({"retry_times", "redirect_times", "download_latency"})


class Duplicates:
    """Filters requests that were restored from an earlier run, and no others: they may be lost."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._taken_up: list[Request] = []
        self._names: Counter[bytes] = Counter()

    def restored(self, request: Request) -> None:
        """Notes that *request* is restored from an earlier run."""
        name = self._name(request, dont_filter=CaptchaState.of(request.meta).dont_filter)
        if name is not None:
            self._taken_up.append(request.copy())
            self._names[name] += 1

    def watch(self, scheduler: BaseScheduler, names: Iterable[bytes] = ()) -> None:
        """Makes *scheduler* return no duplicate from now on, nor any of *names*."""
        self._names.update(names)
        if not self._names:
            return
        from_queue = scheduler.next_request

        def next_request() -> Request | None:
            request = from_queue()
            while request is not None and self._is_duplicate(request):
                request = from_queue()
            return request

        scheduler.next_request = next_request  # type: ignore[method-assign]

    def hand_over(self, scheduler: BaseScheduler) -> list[bytes]:
        """Names of requests that may still be in the queues of *scheduler*, for the next `watch`.

        All are added to the dupefilter, which is about to be written to disk.
        """
        try:
            if hasattr(scheduler, "df"):  # schedulers of others may have none
                for request in self._taken_up:
                    if not CaptchaState.of(request.meta).dont_filter:
                        scheduler.df.request_seen(request)
        except Exception:  # whatever the user's classes raise
            logger.exception("Error while the dupefilter was given the restored requests")
        return list(self._names.elements()) if scheduler.has_pending_requests() else []

    def _is_duplicate(self, request: Request) -> bool:
        meta = request.meta
        if KEY in meta or not _SENT.isdisjoint(meta):
            return False
        name = self._name(request, dont_filter=request.dont_filter)
        if name is None or not self._names[name]:
            return False
        if request.dont_filter:
            if not meta.get("is_start_request"):
                return False
            self._names[name] -= 1  # a spider may want it again later
        logger.debug(
            "Filtered %(request)s: it was restored from the run that was killed",
            {"request": request},
            extra={"spider": self._crawler.spider},
        )
        if self._crawler.stats is not None:
            self._crawler.stats.inc_value("dupefilter/filtered")
        return True

    def _name(self, request: Request, *, dont_filter: bool) -> bytes | None:
        """None if the user's fingerprinter fails: *request* is a duplicate of nothing then."""
        try:
            fingerprint = self._crawler.request_fingerprinter.fingerprint(request)
        except Exception:  # noqa: BLE001 - whatever the user's class raises
            return None
        callback: str = getattr(request.callback, "__name__", "")
        return fingerprint + b" " + callback.encode() if dont_filter else fingerprint
