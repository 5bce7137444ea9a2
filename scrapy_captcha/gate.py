"""When the next purchase at a provider may start: pure bookkeeping that is told the time.

The service says CAPACITY when it has no workers free. Then nobody buys before the time that it
named, and afterwards only as many at once as it has been seen to take, one after another until one
has gone well; one more is tried after each round that went well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy_captcha.errors import SolverError


_APART = 0.25  # seconds between two purchases after a refusal


class Gate:
    """Lets at most *limit* purchases run at once.

    Times are seconds on any clock that only goes forward; ``stopped`` is the error after which
    nothing is bought any more, None before.
    """

    def __init__(self, limit: int) -> None:
        self.stopped: SolverError | None = None
        self._limit = limit
        self._ceiling = float(limit)
        self._running = 0
        self._shut_until = 0.0
        self._is_careful = False

    def has_room(self) -> bool:
        """Whether one more purchase may run beside those under way."""
        return self._running < int(self._ceiling)

    def wait(self, now: float) -> float:
        """Seconds for which the gate stays shut."""
        return max(0.0, self._shut_until - now)

    def enter(self, now: float) -> None:
        """A purchase starts."""
        self._running += 1
        if self._is_careful:
            self._shut_until = max(self._shut_until, now + _APART)

    def leave(self) -> None:
        """A purchase has ended, well or not."""
        self._running -= 1

    def went_well(self) -> None:
        """The service took a task and worked on it."""
        self._is_careful = False
        self._ceiling = min(float(self._limit), self._ceiling + 1 / self._ceiling)

    def shut(self, until: float) -> None:
        """The service refused the purchase under way and wants to be left alone *until* then."""
        self._ceiling = max(1.0, float(min(int(self._ceiling), self._running - 1)))
        self._shut_until = max(self._shut_until, until)
        self._is_careful = True

    def stop(self, error: SolverError) -> None:
        """Nothing is bought any more, for the reason in *error*."""
        self.stopped = error
