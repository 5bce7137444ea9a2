"""The parking lot: takes requests out of the crawl while they wait, and loses none of them.

How it works with Scrapy's engine (2.14 and later):

1. `ParkingLot.ticket` marks a request that ``process_response`` returns. The engine hands it to
   ``engine.crawl()``, which sends ``request_scheduled``; the lot takes it and vetoes the scheduling
   with IgnoreRequest. Download slot, response and the engine's own entry are free from then on.
2. A marked request that reaches ``process_request`` was never scheduled:
   ``engine.download_async()`` loops on it. It waits in place, and the lot lends its slot.
3. Each parked request has a coroutine that returns the request to send back.
4. While a request is parked, an idle spider is kept open.
5. When the spider closes, all parked requests go back to the scheduler before that closes.
6. While the lot is full, further requests wait for it in their download slots, which slows the
   crawl. A request that leaves the lot needs a slot to go on, so one of them gives up its own, at
   once or later: it is parked, or goes back to the scheduler if the lot is still full.
7. Requests that a killed crawl has left in the journal are scheduled before the next one starts.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from scrapy import signals
from scrapy.exceptions import DontCloseSpider, IgnoreRequest
from scrapy.http import Request
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.log import failure_to_exc_info
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import cooperate

from scrapy_captcha.clock import CLOCK, looping
from scrapy_captcha.engine.duplicates import Duplicates
from scrapy_captcha.engine.handover import Handover
from scrapy_captcha.engine.scheduler import memory_of, scheduler_of
from scrapy_captcha.engine.waiting import CHECK, is_closing, lent_slot, until_closing
from scrapy_captcha.requests import site_of_captcha
from scrapy_captcha.state import CaptchaState
from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextlib import AbstractContextManager

    from scrapy import Spider
    from scrapy.core.engine import ExecutionEngine
    from scrapy.core.scheduler import BaseScheduler
    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

    from scrapy_captcha.engine.scheduler import Memory
    from scrapy_captcha.requests import Wait
    from scrapy_captcha.store.journal import Journal

logger = logging.getLogger(__name__)


FIRST = 1_000_000  # added to the priority of a request that has waited: more than users give
_GRACE = 5.0  # seconds that a wait in place may go on while the engine closes


class ParkingLot:
    """The requests that wait: at most *limit*, leaders apart.

    *on_parked* is called with their number when one is added, *on_lost* with the number that no
    run will have. *spoilt* makes the request to send back for one whose coroutine failed.
    """

    def __init__(
        self,
        crawler: Crawler,
        journal: Journal,
        *,
        limit: int,
        on_parked: Callable[[int], None],
        on_lost: Callable[[int], None],
        spoilt: Callable[[Request], Request],
    ) -> None:
        self._crawler = crawler
        self._limit = limit
        self._journal = journal
        self._on_parked = on_parked
        self._handover = Handover(crawler, journal, on_lost)
        self._spoilt = spoilt
        self._tickets: WeakKeyDictionary[Request, Wait] = WeakKeyDictionary()
        self._parked: dict[Request, Deferred[Request]] = {}
        self._returning: WeakSet[Request] = WeakSet()  # have no download slot yet
        self._queue: Waiters[None] = Waiters(CLOCK, late=None, on_unclaimed=self._give_way)
        self._checking = looping(self._check)
        self._coming_back: Iterator[None] = iter(())
        self._duplicates = Duplicates(crawler)
        self._is_listening = False
        self._taken: list[Callable[[], list[Request]]] = []
        self._memory: Memory
        crawler.signals.connect(self._spider_opened, signals.spider_opened)
        crawler.signals.connect(self._spider_idle, signals.spider_idle)

    def __contains__(self, request: Request) -> bool:
        """Whether *request* is marked to be parked, and has not been yet."""
        return request in self._tickets

    def __len__(self) -> int:
        """How many wait."""
        return len(self._parked)

    @property
    def has_room(self) -> bool:
        """Whether another request may be parked."""
        return len(self._parked) + len(self._tickets) < self._limit

    def gives_back(self, taken: Callable[[], list[Request]]) -> None:
        """The requests that *taken* returns when the spider closes go back to the scheduler too."""
        self._taken.append(taken)

    def park(self, request: Request, wait: Wait) -> None:
        """Parks *request*, which holds no download slot, until the coroutine of *wait* has ended.

        If there is no room for it, it is scheduled now.
        """
        if self.has_room:
            self._mark(request, wait)
        self._engine.crawl(request)

    async def ticket(self, request: Request, wait: Wait, *, leads: bool = False) -> Request:
        """*request*, which the engine parks on receipt, until the coroutine of *wait* has ended.

        Waits while the lot is full, the sites taking turns, and may return a request for later
        instead. One that *leads* is always let in, since others in the lot wait for it.
        """
        if not leads and (self._queue or not self.has_room):
            await maybe_deferred_to_future(self._way(site_of_captcha(request)))
            if not self.has_room:
                return request.replace(priority=request.priority - FIRST)
        self._mark(request, wait)
        return request

    def left(self, request: Request) -> None:
        """Notes that *request* has a download slot."""
        self._returning.discard(request)

    def _mark(self, request: Request, wait: Wait) -> None:
        if not self._is_listening:  # a crawl that meets no captcha is not to pay for it
            self._is_listening = True
            connect = self._crawler.signals.connect
            connect(self._request_scheduled, signals.request_scheduled)
        self._tickets[request] = wait

    async def wait_in_place(self, ticket: Request) -> Request:
        """The request to download instead of *ticket*, after its coroutine.

        Raises CancelledError when the crawl ends meanwhile.
        """
        waiting = Deferred.fromCoroutine(self._tickets.pop(ticket)(ticket))
        self._give_way()
        with self.lent_slot(), until_closing(self._engine, waiting, _GRACE):
            return await maybe_deferred_to_future(waiting)

    async def wait_in_callback(self, coroutine: Coroutine[Deferred[Any], Any, Request]) -> Request:
        """The result of *coroutine*, for a callback that waits for it.

        Raises CancelledError as soon as the crawl is ending.
        """
        waiting = Deferred.fromCoroutine(coroutine)
        with until_closing(self._engine, waiting, grace=0.0):
            return await maybe_deferred_to_future(waiting)

    def lent_slot(self) -> AbstractContextManager[None]:
        """Lends the downloader a slot in place of the one that a waiting request holds."""
        return lent_slot(self._engine)

    async def _spider_opened(self, spider: Spider) -> None:
        scheduler = scheduler_of(self._engine)
        self._memory = memory_of(scheduler)
        closed: Callable[[str], Deferred[Any]] = partial(maybeDeferred, scheduler.close)

        def give_back_and_close(reason: str) -> Deferred[None]:
            self._give_back()
            queued = self._duplicates.hand_over(scheduler)
            return closed(reason).addCallback(lambda _none: self._journal.end(queued))

        # spider_closed is sent after the scheduler has written its queues: too late to give back.
        scheduler.close = give_back_and_close  # type: ignore[method-assign]
        self._coming_back = self._bring_back(scheduler)
        await maybe_deferred_to_future(cooperate(self._coming_back).whenDone())  # in slices

    def _bring_back(self, scheduler: BaseScheduler) -> Iterator[None]:
        for request in self._journal.leftovers():
            self._duplicates.restored(request)
            self._send(request)
            yield
        self._duplicates.watch(scheduler, self._journal.queued)

    def _request_scheduled(self, request: Request, spider: Spider) -> None:
        wait = self._tickets.pop(request, None)
        if wait is None or is_closing(self._engine):
            return
        self._journal.keep(request)
        waiting = Deferred.fromCoroutine(wait(request))
        self._parked[request] = waiting
        waiting.addBoth(self._send_back, request)
        self._on_parked(len(self._parked))
        raise IgnoreRequest

    def _send_back(self, result: Request | Failure, ticket: Request) -> None:
        if self._parked.pop(ticket, None) is None:
            return  # given back to the scheduler
        self._give_way()
        if not isinstance(result, Request):
            logger.error(
                "Error while %(request)s waited for a captcha",
                {"request": ticket},
                exc_info=failure_to_exc_info(result),
                extra={"spider": self._crawler.spider},
            )
            result = self._spoilt(ticket)
        urgency = FIRST if CaptchaState.of(result.meta).is_urgent else FIRST // 2
        result = result.replace(priority=result.priority + urgency)
        self._returning.add(result)
        self._send(result)

    def _send(self, request: Request) -> None:
        with self._memory.alone():
            self._engine.crawl(request)

    def _spider_idle(self) -> None:
        if self._parked:
            raise DontCloseSpider

    def _give_back(self) -> None:
        for _ in self._coming_back:  # if the crawl ends before they are all back
            pass
        parked, self._parked = self._parked, {}
        for waiting in parked.values():
            waiting.cancel()
        others = [request for taken in self._taken for request in taken()]
        self._handover.give_back([*parked, *self._memory.taken(), *others], self._memory)

    @property
    def _engine(self) -> ExecutionEngine:
        engine = self._crawler.engine
        if engine is None:
            raise RuntimeError("captchas are waited for only while a crawl runs")
        return engine

    def _way(self, site: str) -> Deferred[None]:
        if not self._checking.running:
            self._checking.start(CHECK, now=False)
        return self._queue.wait(site)

    def _give_way(self, *_unclaimed: object) -> None:
        self._queue.resume(None)

    def _check(self) -> None:
        if is_closing(self._engine):
            self._queue.resume_all(None)
        elif self.has_room or (self._returning and self._engine.downloader.needs_backout()):
            self._give_way()
        if not self._queue:
            self._checking.stop()
