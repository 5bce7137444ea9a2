"""Timers of a monotonic clock, if the reactor is asyncio's.

The timers of Twisted's reactors use the time of day: if that jumps ahead, all waits end at once; if
it jumps back, they end later. asyncio's own timers use a monotonic clock.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.task import LoopingCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Timer:
    """Calls *function* once, after *delay* seconds, unless it is cancelled before."""

    def __init__(self, delay: float, function: Callable[[], object]) -> None:
        self._function = function
        self._is_active = True
        self._handle = _call_later(delay, self._call)

    def active(self) -> bool:
        """Whether it has been neither made nor cancelled."""
        return self._is_active

    def cancel(self) -> None:
        """Cancels the call; does nothing if it was made or cancelled already."""
        if self._is_active:
            self._is_active = False
            self._handle.cancel()

    def _call(self) -> None:
        self._is_active = False
        self._function()


def _call_later(delay: float, call: Callable[[], None]) -> asyncio.TimerHandle | IDelayedCall:
    try:
        return asyncio.get_running_loop().call_later(delay, call)
    except RuntimeError:  # another reactor than asyncio's
        from twisted.internet import reactor

        return cast("IReactorTime", reactor).callLater(delay, call)


class Clock:
    """The part of IReactorTime that `deferLater`, `addTimeout` and `LoopingCall` use."""

    def seconds(self) -> float:
        """Monotonic time in seconds."""
        return time.monotonic()

    def callLater(  # noqa: N802 - the name in IReactorTime
        self, delay: float, function: Callable[..., object], *args: Any, **kwargs: Any
    ) -> Timer:
        """Calls *function* after *delay* seconds."""
        return Timer(delay, partial(function, *args, **kwargs))


class Timed(ABC):
    """A part of a crawl that has calls in the reactor."""

    @abstractmethod
    def cancel_timers(self) -> None:
        """Leaves nothing in the reactor, as the crawl is over."""


CLOCK = cast("IReactorTime", Clock())


def looping(function: Callable[[], object]) -> LoopingCall:
    """A LoopingCall of *function* that uses ``CLOCK``."""
    call = LoopingCall(function)
    call.clock = CLOCK
    return call
