"""Waits for a coroutine inside of a download or of a callback, where a request cannot be parked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from scrapy_captcha.clock import looping

if TYPE_CHECKING:
    from collections.abc import Generator

    from scrapy.core.engine import ExecutionEngine
    from scrapy.http import Request
    from twisted.internet.defer import Deferred

CHECK = 0.2  # seconds between two checks of state for which there is no signal


def is_closing(engine: ExecutionEngine) -> bool:
    """Whether *engine* takes no more requests, for which it has no signal or public name."""
    slot = engine._slot
    return slot is None or slot.closing is not None


@contextmanager
def lent_slot(engine: ExecutionEngine) -> Generator[None, None, None]:
    """Lends the downloader a slot in place of the one that a waiting request holds."""
    downloader = engine.downloader
    if downloader.total_concurrency == 0:  # no limit, nothing to lend
        yield
        return
    downloader.total_concurrency += 1
    try:
        yield
    finally:
        downloader.total_concurrency -= 1


@contextmanager
def until_closing(
    engine: ExecutionEngine, waiting: Deferred[Request], grace: float
) -> Generator[None, None, None]:
    """Cancels *waiting* *grace* seconds after *engine* has begun to close: it waits for that."""
    closing = 0.0

    def check() -> None:
        nonlocal closing
        closing = closing + CHECK if is_closing(engine) else 0.0
        if closing > grace:
            waiting.cancel()

    checking = looping(check)
    checking.start(CHECK, now=False)
    try:
        yield
    finally:
        checking.stop()
