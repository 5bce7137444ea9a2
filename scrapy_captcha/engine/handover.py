"""Leaves the requests that wait when a crawl ends to another run of the job."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy_captcha.state import KEY, CaptchaState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scrapy.crawler import Crawler
    from scrapy.http import Request

    from scrapy_captcha.engine.scheduler import Memory
    from scrapy_captcha.store.journal import Journal

logger = logging.getLogger(__name__)


class Handover:
    """Gives requests back to the scheduler, or leaves them to *journal* where it has them already.

    *on_lost* is called with the number of those that no run will have.
    """

    def __init__(self, crawler: Crawler, journal: Journal, on_lost: Callable[[int], None]) -> None:
        self._crawler = crawler
        self._journal = journal
        self._on_lost = on_lost

    def give_back(self, requests: Iterable[Request], memory: Memory) -> None:
        """Gives *requests* back to the scheduler, whose queue is *memory*, and logs how many."""
        kept = lost = 0
        for request in requests:
            request.meta[KEY] = CaptchaState.of(request.meta).for_another_run().to_meta()
            if self._is_kept(request, memory):
                kept += 1
            else:
                lost += 1
        self._log(kept, lost)

    def _is_kept(self, request: Request, memory: Memory) -> bool:
        """Whether another run will get *request*."""
        if self._journal.follows_a_kill and self._journal.carry_on(request):
            return True
        try:
            return memory.give_back(request)
        except Exception:
            logger.exception(
                "Cannot be given back to the scheduler: %(request)s",
                {"request": request},
                extra={"spider": self._crawler.spider},
            )
            return self._journal.carry_on(request)

    def _log(self, kept: int, lost: int) -> None:
        extra = {"spider": self._crawler.spider}
        if kept:
            text = "Gave %(count)d requests that waited for a captcha back to the scheduler"
            logger.info(text, {"count": kept}, extra=extra)
        if lost:
            text = (
                "Lost %(count)d pages that waited for a captcha when the crawl ended: set JOBDIR "
                "to a directory, in which pages that can be written to disk are kept"
            )
            logger.warning(text, {"count": lost}, extra=extra)
            self._on_lost(lost)
