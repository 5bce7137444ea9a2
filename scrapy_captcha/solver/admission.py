"""Lets purchases in, in the order in which they came, as a door allows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import succeed

from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

_BATCH = 50  # purchases let in before the reactor has its turn


class Door(Protocol):
    """Knows whether one more may come in; told the time in seconds, as the queue's clock has it."""

    @property
    def is_stopped(self) -> bool:
        """Whether everybody is turned away."""

    def has_room(self) -> bool:
        """Whether one more may be inside."""

    def wait(self, now: float) -> float:
        """Seconds for which nobody may come in."""

    def enter(self, now: float) -> None:
        """One comes in."""

    def leave(self) -> None:
        """One has left."""


class Admission:
    """The queue before *door*: a provider's gate, or the pace of a download slot."""

    def __init__(self, door: Door, clock: IReactorTime) -> None:
        self._door = door
        self._clock = clock
        self._waiters = Waiters(clock, late=False, on_unclaimed=self._unclaimed)
        self._opening: IDelayedCall | None = None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiters)

    def enter(self, party: str = "") -> Deferred[bool]:
        """Fires with True when a purchase may start, with False for those who are turned away.

        Where purchases of several parties wait, the parties take turns. Cancelling it gives the
        place in the queue up.
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
        self._door.leave()
        self._admit()

    def turn_away(self) -> None:
        """Those who wait are to look elsewhere."""
        self._waiters.resume_all(False)

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        self._waiters.close()
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
        """What the next in the queue gets now; None while it has to wait."""
        if self._door.is_stopped:
            return False
        if not self._door.has_room():
            return None
        now = time.monotonic()
        wait = self._door.wait(now)
        if wait > 0:
            self._admit_after(wait)
            return None
        self._door.enter(now)
        return True

    def _admit_after(self, seconds: float) -> None:
        self._stop_opening()
        self._opening = self._clock.callLater(seconds, self._admit)

    def _stop_opening(self) -> None:
        if self._opening is not None and self._opening.active():
            self._opening.cancel()
