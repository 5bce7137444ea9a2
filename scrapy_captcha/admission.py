"""Lets purchases in, in the order in which they came, as the provider's gate allows."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from scrapy_captcha.errors import SolverError
    from scrapy_captcha.gate import Gate

_BATCH = 50  # purchases let in, or turned away, before the reactor has its turn


class Admission:
    """The queue before a provider. Times are in seconds."""

    def __init__(self, gate: Gate, clock: IReactorTime) -> None:
        self._gate = gate
        self._clock = clock
        self._waiting: deque[Deferred[None]] = deque()
        self._opening: IDelayedCall | None = None

    def enter(self) -> Deferred[None]:
        """Fires when a purchase may start; fails with SolverError once buying has stopped.

        Cancelling it gives the place in the queue up.
        """
        turn: Deferred[None] = Deferred()
        self._waiting.append(turn)
        self._admit()
        return turn

    def went_well(self) -> None:
        """A purchase that was let in has brought a solution."""
        self._gate.went_well()

    def leave(self) -> None:
        """A purchase that was let in has ended, well or not."""
        self._gate.leave()
        self._admit()

    def shut(self, seconds: float) -> None:
        """Nobody is let in before that, because the purchase under way was refused."""
        self._gate.shut(self._clock.seconds() + seconds)

    def stop(self, error: SolverError) -> None:
        """Everybody is turned away with *error* from now on."""
        self._gate.stop(error)
        self.close()

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None

    def _admit(self) -> None:
        for _ in range(_BATCH):
            if not self._waiting or not (self._gate.stopped or self._gate.has_room()):
                return
            wait = self._gate.wait(self._clock.seconds())
            if wait > 0 and not self._gate.stopped:
                self._admit_after(wait)
                return
            self._admit_one(self._waiting.popleft())
        self._admit_after(0)

    def _admit_one(self, turn: Deferred[None]) -> None:
        if turn.called:  # cancelled while it waited
            return
        if self._gate.stopped is not None:
            turn.errback(self._gate.stopped.again())
        else:
            self._gate.enter()
            turn.callback(None)

    def _admit_after(self, seconds: float) -> None:
        if self._opening is None:
            self._opening = self._clock.callLater(seconds, self._on_opening)

    def _on_opening(self) -> None:
        self._opening = None
        self._admit()
