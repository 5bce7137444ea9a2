"""The running scheduler, and how requests that come back from being parked wait in it.

They wait in its memory queue. To write them to the disk queue for a moment would cost time, and
after ``kill -9`` it is not what it seems: from the files that are then left behind a FIFO queue
gives out what the killed run has put there, in the place of what has been put there since.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scrapy_captcha.progress import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.core.engine import ExecutionEngine
    from scrapy.core.scheduler import BaseScheduler
    from scrapy.http import Request


def scheduler_of(engine: ExecutionEngine) -> BaseScheduler:
    """The running scheduler; Scrapy has a public name for it from 2.19 on."""
    return getattr(engine, "scheduler", None) or engine._slot.scheduler  # type: ignore[union-attr]


@contextmanager
def in_memory(scheduler: Any) -> Iterator[None]:
    """What is scheduled meanwhile stays in memory, where *scheduler* is Scrapy's own."""
    disk = getattr(scheduler, "dqs", None)
    if disk is None:
        yield
        return
    scheduler.dqs = None
    try:
        yield
    finally:
        scheduler.dqs = disk


def taken_from_memory(scheduler: Any) -> list[Request]:
    """Our requests in the memory queue of *scheduler*, which has them no more.

    None without a disk queue: there is nowhere else to put them.
    """
    if getattr(scheduler, "dqs", None) is None:
        return []
    requests: list[Request] = list(iter(scheduler.mqs.pop, None))
    for request in requests:
        if KEY not in request.meta:
            scheduler.mqs.push(request)
    return [request for request in requests if KEY in request.meta]
