"""A queue of purchases that start in the order in which they came, as a gate allows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import succeed

from scrapy_captcha.clock import Timed
from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

_BATCH = 50  # purchases started before the reactor runs again


class Gate(Protocol):
    """Decides whether one more purchase may start; *now* is the monotonic time in seconds."""

    @property
    def is_stopped(self) -> bool:
        """Whether all purchases are turned away."""

    def has_room(self) -> bool:
        """Whether one more purchase may be under way."""

    def wait(self, now: float) -> float:
        """The seconds until a purchase may start."""

    def enter(self, now: float) -> None:
        """A purchase starts."""

    def leave(self) -> None:
        """A purchase has ended."""


class Admission(Timed):
    """The queue before *gate*: the throttle of a provider, or the pace of a download slot."""

    def __init__(self, gate: Gate, clock: IReactorTime) -> None:
        self._gate = gate
        self._clock = clock
        self._waiters = Waiters(clock, late=False, on_unclaimed=self._unclaimed)
        self._opening: IDelayedCall | None = None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiters)

    def enter(self, party: str = "") -> Deferred[bool]:
        """Fires with True when the purchase may start, with False if it is turned away.

        If purchases of several parties wait, the parties take turns. Cancelling it gives up the
        place in the queue.
        """
        if not self._waiters:
            may_enter = self._answer()
            if may_enter is not None:
                return succeed(may_enter)
        turn = self._waiters.wait(party)
        self._admit()
        return turn

    def leave(self) -> None:
        """A purchase that was let in has ended, well or not."""
        self._gate.leave()
        self._admit()

    def turn_away(self) -> None:
        """Ends the wait of all purchases in the queue, with False."""
        self._waiters.resume_all(False)

    def cancel_timers(self) -> None:
        """As in `Timed`."""
        self._waiters.cancel_timers()
        self._stop_opening()

    def _unclaimed(self, may_enter: bool, _party: str) -> None:
        if may_enter:
            self.leave()

    def _admit(self) -> None:
        for _ in range(_BATCH):
            may_enter = self._answer() if self._waiters.waiting else None
            if may_enter is None:
                return
            self._waiters.resume(may_enter)
        self._admit_after(0)

    def _answer(self) -> bool | None:
        """The result for the next purchase in the queue; None while it has to wait."""
        if self._gate.is_stopped:
            return False
        if not self._gate.has_room():
            return None
        now = time.monotonic()
        wait = self._gate.wait(now)
        if wait > 0:
            self._admit_after(wait)
            return None
        self._gate.enter(now)
        return True

    def _admit_after(self, seconds: float) -> None:
        self._stop_opening()
        self._opening = self._clock.callLater(seconds, self._admit)

    def _stop_opening(self) -> None:
        if self._opening is not None and self._opening.active():
            self._opening.cancel()
