"""Decides when the next purchase at a provider may start. Pure bookkeeping, without a clock.

After CAPACITY, which means that no worker is free, no purchase starts before the time that the
service has given. Then only as many run at once as the service has been seen to take, one after
another until one succeeds; after each successful round, one more is tried.

A service that cannot be reached, or answers nonsense, is backed off from after five failures in a
row (after one if there are other providers), for longer each time, and called by one purchase at a
time until it answers. Purchases wait meanwhile; if that takes too long, they fail without a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy_captcha.errors import SolverError

_APART = 0.25  # seconds between two purchases after a refusal
_FAILURES = 5  # in a row, before backing off
_GROWTH = 1.5  # of each wait
_LONGEST_WAIT = 30.0  # seconds
_LONGEST_WAIT_IN_REACH = 5.0  # seconds
PATIENCE = 600.0  # seconds without an answer for which purchases wait


class Throttle:
    """Lets at most *limit* purchases run at once.

    * *has_rivals*: whether there are other providers
    * *patience*: seconds for which purchases wait for a service that does not answer
    * ``stopped``: the error after which buying has stopped for good, None before
    * ``outage_ended_at``: when the last outage ended

    Times are monotonic, in seconds.
    """

    def __init__(self, limit: int, *, has_rivals: bool = False, patience: float = PATIENCE) -> None:
        self.stopped: SolverError | None = None
        self.outage_ended_at = float("-inf")
        self._patience = patience
        self._limit = limit
        self._most_failures = 1 if has_rivals else _FAILURES
        self._ceiling = float(limit)
        self._running = 0
        self._open_at = 0.0
        self._next_at = 0.0
        self._is_careful = False
        self._failures = 0
        self._failing_since = 0.0
        self._failure: SolverError | None = None
        self._has_lost_money = False
        self._is_in_reach = False

    @property
    def is_failing(self) -> bool:
        """Whether the last purchase was not answered."""
        return self._failure is not None

    @property
    def is_to_be_probed(self) -> bool:
        """Whether to probe the service first, since a purchase may have been charged and lost."""
        return self._has_lost_money

    @property
    def is_stopped(self) -> bool:
        """Whether buying has stopped for good."""
        return self.stopped is not None

    def refusal(self, now: float) -> SolverError | None:
        """The error with which purchases fail without a call; None if the service may be called."""
        if self.stopped is not None:
            return self.stopped
        is_down = self._failure is not None and now - self._failing_since >= self._patience
        return self._failure if is_down and self.wait(now) > 0 else None

    def has_room(self) -> bool:
        """Whether one more purchase may run beside those under way."""
        return self._running < int(self._ceiling)

    def is_crowded(self) -> bool:
        """Whether the service has as many purchases as it takes now, and fewer than usual."""
        return self._ceiling < self._limit and not self.has_room()

    def wait(self, now: float) -> float:
        """The seconds for which no purchase may start."""
        return max(0.0, self._open_at - now, self._next_at - now)

    def enter(self, now: float) -> None:
        """A purchase starts."""
        self._running += 1
        if self._is_careful:
            self._next_at = now + _APART

    def leave(self) -> None:
        """A purchase has ended, well or not."""
        self._running -= 1

    def went_well(self, now: float) -> None:
        """A purchase has succeeded."""
        self.service_answered(now)
        self._is_careful = False
        self._ceiling = min(float(self._limit), self._ceiling + 1 / self._ceiling)

    def was_reached(self) -> None:
        """The service has answered a call, though not yet a purchase."""
        self._is_in_reach = True

    def service_answered(self, now: float) -> None:
        """The service has answered, be it with an error."""
        if self._failures >= self._most_failures:
            self.outage_ended_at = now
        self._failures, self._failure, self._has_lost_money = 0, None, False

    def failed(self, error: SolverError, now: float) -> bool:
        """A purchase was not answered; returns whether that makes purchases wait."""
        self._has_lost_money = self._has_lost_money or error.possibly_paid
        if now < self._open_at:  # started before the wait began
            return False
        if self._failure is None:
            self._failing_since = now
        self._failures, self._failure = self._failures + 1, error.again()
        if self._failures < self._most_failures:
            return False
        longest = _LONGEST_WAIT_IN_REACH if self._is_in_reach else _LONGEST_WAIT
        self._is_in_reach = False
        wait = min(_GROWTH ** (self._failures - self._most_failures), longest)
        left = self._failing_since + self._patience - now
        wait = min(wait, left) if left > 0 else wait
        self._open_at, self._ceiling, self._is_careful = now + wait, 1.0, True
        return True

    def back_off(self, until: float) -> None:
        """The service has refused a purchase under way; none may start before *until*."""
        self._ceiling = max(1.0, float(min(int(self._ceiling), self._running - 1)))
        self._open_at = max(self._open_at, until)
        self._is_careful = True

    def stop(self, error: SolverError) -> None:
        """Stops buying for good, because of *error*."""
        self.stopped = error.again()
