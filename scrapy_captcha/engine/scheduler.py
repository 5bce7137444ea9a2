"""The running scheduler, and how requests that come back from being parked wait in it.

They wait in memory. To write them to Scrapy's disk queue for a moment would cost time, and after
``kill -9`` it is not what it seems: from the files that are then left behind a FIFO queue gives out
what the killed run has put there, in the place of what has been put there since. And from a queue
that several workers share another worker would take them, which has neither their solution nor the
cookies of their session.
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
    """Where requests wait that no other process is to have."""

    def alone(self) -> AbstractContextManager[None]:
        """What is scheduled meanwhile goes there."""

    def taken(self) -> list[Request]:
        """Our requests that wait there, which the scheduler has no more."""

    def give_back(self, request: Request) -> bool:
        """Has the scheduler keep *request* for another run; whether it does."""


def scheduler_of(engine: ExecutionEngine) -> BaseScheduler:
    """The running scheduler; Scrapy has a public name for it from 2.19 on."""
    return getattr(engine, "scheduler", None) or engine._slot.scheduler  # type: ignore[union-attr]


def memory_of(scheduler: BaseScheduler) -> Memory:
    """That of *scheduler*, or one put before it; ask for it once."""
    # Others inherit from Scrapy's, without its queues.
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
        self._scheduler.enqueue_request(request)  # what cannot be written stays in memory
        return disk is not None and len(disk) > before


class _MemoryBefore:
    """A queue whose requests come before those of any other scheduler."""

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
