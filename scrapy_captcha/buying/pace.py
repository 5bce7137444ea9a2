"""How many solutions a download slot can send while they are good: pure bookkeeping."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SHARE = 0.5  # of a token's life that may pass in the queue
_TURNS = 2  # of the slot that a solution takes: the submission, and the page behind it


class Pace:
    """Keeps what is bought, or being bought, for one download slot below what it can send in time.

    * *life*: seconds for which a token is good
    * *is_doubtful*: whether the site should get one solution at a time
    * ``outstanding``: how many are being bought, or wait to be sent
    * ``interval``: seconds between two requests of the slot, 0 when it has no limit

    Times are seconds on any clock that only goes forward.
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
        """Seconds until the next may be bought: not sooner than the slot could send it."""
        return max(0.0, self._next - now)

    def enter(self, now: float) -> None:
        """One is being bought."""
        self.outstanding += 1
        self._next = now + self.interval

    def leave(self) -> None:
        """One was sent, has expired, or has not come to be."""
        self.outstanding -= 1

    def unused(self) -> None:
        """The last has not come to be, so that its turn in the slot is free for the next one."""
        self._next = float("-inf")

    def _room(self) -> float:
        if self._is_doubtful():
            return 1
        if self.interval <= 0:
            return float("inf")
        return max(1.0, self._life * _SHARE // (self.interval * _TURNS))
