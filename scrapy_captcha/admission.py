"""Lets purchases in, in the order in which they came, as a door allows."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

_BATCH = 50  # purchases let in, or turned away, before the reactor has its turn


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
        self._waiting: deque[Deferred[bool]] = deque()
        self._opening: IDelayedCall | None = None

    def enter(self) -> Deferred[bool]:
        """Fires with True when a purchase may start, with False for those who are turned away.

        Cancelling it gives the place in the queue up.
        """
        turn: Deferred[bool] = Deferred()
        self._waiting.append(turn)
        self._admit()
        return turn

    def leave(self) -> None:
        """A purchase that was let in has ended, well or not."""
        self._door.leave()
        self._admit()

    def turn_away(self) -> None:
        """Those who wait are to look elsewhere, in slices: thousands may wait."""
        waiting, self._waiting = self._waiting, deque()

        def one_by_one() -> Iterator[None]:
            for turn in waiting:
                if not turn.called:
                    turn.callback(False)
                yield

        cooperate(one_by_one())

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None

    def _admit(self) -> None:
        for _ in range(_BATCH):
            stopped = self._door.is_stopped
            if not self._waiting or not (stopped or self._door.has_room()):
                return
            wait = self._door.wait(time.monotonic())
            if wait > 0 and not stopped:
                self._admit_after(wait)
                return
            self._admit_one(self._waiting.popleft())
        self._admit_after(0)

    def _admit_one(self, turn: Deferred[bool]) -> None:
        if turn.called:  # cancelled while it waited
            return
        may_enter = not self._door.is_stopped
        if may_enter:
            self._door.enter(time.monotonic())
        turn.callback(may_enter)

    def _admit_after(self, seconds: float) -> None:
        if self._opening is None:
            self._opening = self._clock.callLater(seconds, self._on_opening)

    def _on_opening(self) -> None:
        self._opening = None
        self._admit()
