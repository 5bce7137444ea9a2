"""The running scheduler, and the memory queue for requests that come back from being parked.

They wait in memory. To write them to Scrapy's disk queue for a moment would cost time, and is not
safe after ``kill -9``: from the files that are then left behind, a FIFO queue returns requests of
the killed run in place of the requests put there since. From a queue that several workers share,
another worker would take them, which has neither their solution nor the cookies of their session.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from scrapy_captcha.state import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from scrapy.core.engine import ExecutionEngine
    from scrapy.core.scheduler import BaseScheduler
    from scrapy.http import Request


class Memory(Protocol):
    """A queue for requests that no other process may take."""

    def alone(self) -> AbstractContextManager[None]:
        """Requests that are scheduled inside the block go to this queue."""

    def taken(self) -> list[Request]:
        """Takes out the plugin's requests that wait there, and returns them."""

    def give_back(self, request: Request) -> bool:
        """Makes the scheduler keep *request* for another run; whether it does."""


def scheduler_of(engine: ExecutionEngine) -> BaseScheduler:
    """The running scheduler; Scrapy has a public name for it from 2.19 on."""
    return getattr(engine, "scheduler", None) or engine._slot.scheduler  # type: ignore[union-attr]


def memory_of(scheduler: BaseScheduler) -> Memory:
    """The memory queue of *scheduler*, or one put before it; to be called once."""
    # Other schedulers inherit from Scrapy's, without its queues.
    return _OwnMemory(scheduler) if hasattr(scheduler, "mqs") else _MemoryBefore(scheduler)


class _OwnMemory:
    """The memory queue of Scrapy's own scheduler."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler

    @contextmanager
    def alone(self) -> Iterator[None]:
        disk = self._scheduler.dqs
        self._scheduler.dqs = None
        try:
            yield
        finally:
            self._scheduler.dqs = disk

    def taken(self) -> list[Request]:
        scheduler = self._scheduler
        requests: list[Request] = list(iter(scheduler.mqs.pop, None))
        for request in requests:
            if KEY not in request.meta:
                scheduler.mqs.push(request)
        return [request for request in requests if KEY in request.meta]

    def give_back(self, request: Request) -> bool:
        disk = self._scheduler.dqs
        before = 0 if disk is None else len(disk)
        self._scheduler.enqueue_request(request)  # one that cannot be written stays in memory
        return disk is not None and len(disk) > before


class _MemoryBefore:
    """A queue whose requests come before all requests of another scheduler."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self._waiting: deque[Request] = deque()
        self._next_request = scheduler.next_request
        self._has_pending_requests = scheduler.has_pending_requests
        scheduler.next_request = self._next
        scheduler.has_pending_requests = self._has_pending

    @contextmanager
    def alone(self) -> Iterator[None]:
        enqueue = self._scheduler.enqueue_request
        self._scheduler.enqueue_request = self._put
        try:
            yield
        finally:
            self._scheduler.enqueue_request = enqueue

    def taken(self) -> list[Request]:
        waiting, self._waiting = self._waiting, deque()
        return list(waiting)

    def give_back(self, request: Request) -> bool:
        return self._scheduler.enqueue_request(request) is not False

    def _put(self, request: Request) -> bool:
        self._waiting.append(request)
        return True

    def _next(self) -> Request | None:
        request: Request | None = self._waiting.popleft() if self._waiting else self._next_request()
        return request

    def _has_pending(self) -> bool:
        return bool(self._waiting) or self._has_pending_requests()
