"""Limits solutions to those that a download slot can send in time. Pure bookkeeping."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SHARE = 0.5  # of a token's life that may pass in the queue
_TURNS = 2  # of the slot that a solution takes: the submission, and the page behind it


class Pace:
    """Limits the solutions for one download slot to those that it can send before they expire.

    * *life*: seconds for which a token is valid
    * *is_doubtful*: whether the site should get one solution at a time
    * ``outstanding``: number of solutions that are being bought or wait to be sent
    * ``interval``: seconds between two requests of the slot, 0 if it has no limit

    Times are monotonic, in seconds.
    """

    is_stopped = False

    def __init__(self, life: float, is_doubtful: Callable[[], bool] = lambda: False) -> None:
        self.interval = 0.0
        self._life = life
        self._is_doubtful = is_doubtful
        self.outstanding = 0
        self._next = float("-inf")

    def has_room(self) -> bool:
        """Whether one more solution may be bought."""
        return self.outstanding < self._room()

    def wait(self, now: float) -> float:
        """The seconds until the next may be bought, so that the slot can send it in time."""
        return max(0.0, self._next - now)

    def enter(self, now: float) -> None:
        """A purchase starts."""
        self.outstanding += 1
        self._next = now + self.interval

    def leave(self) -> None:
        """A solution was sent, has expired or was not bought."""
        self.outstanding -= 1

    def unused(self) -> None:
        """The last solution was not bought, so that the next one may take its turn in the slot."""
        self._next = float("-inf")

    def _room(self) -> float:
        if self._is_doubtful():
            return 1
        if self.interval <= 0:
            return float("inf")
        return max(1.0, self._life * _SHARE // (self.interval * _TURNS))
