"""Timers by a clock that no jump of the machine's time reaches, with asyncio's reactor.

The timers of Twisted's reactors go by the time of day: when that jumps ahead all waits end at once,
and when it jumps back they end as much later. asyncio's own timers go by a monotonic clock.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.task import LoopingCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Timer:
    """A call that is made once, *delay* seconds from now, unless it is cancelled before."""

    def __init__(self, delay: float, function: Callable[[], object]) -> None:
        self._function = function
        self._is_active = True
        self._handle = _call_later(delay, self._call)

    def active(self) -> bool:
        """Whether it has been neither made nor cancelled."""
        return self._is_active

    def cancel(self) -> None:
        """Ends it; once it has been made or cancelled there is nothing to end."""
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
    """As much of a reactor's time as `deferLater`, `addTimeout` and `LoopingCall` want."""

    def seconds(self) -> float:
        """Seconds since whenever."""
        return time.monotonic()

    def callLater(  # noqa: N802 - the name in IReactorTime
        self, delay: float, function: Callable[..., object], *args: Any, **kwargs: Any
    ) -> Timer:
        """Calls *function* after *delay* seconds."""
        return Timer(delay, partial(function, *args, **kwargs))


CLOCK = cast("IReactorTime", Clock())


def looping(function: Callable[[], object]) -> LoopingCall:
    """*function*, to be called again and again by ``CLOCK``."""
    call = LoopingCall(function)
    call.clock = CLOCK
    return call
