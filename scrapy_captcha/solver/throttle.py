"""When the next purchase at a provider may start: pure bookkeeping that is told the time.

The service says CAPACITY when it has no workers free. Then nobody buys before the time that it
named, and afterwards only as many at once as it has been seen to take, one after another until one
has gone well; one more is tried after each round that went well.

A service that cannot be reached, or makes no sense, five times in a row is left alone likewise, for
longer each time, and asked by one purchase at a time until it answers; where there are others to
ask, once is enough. Purchases wait for it; when that takes too long they are refused without a
call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy_captcha.errors import SolverError

_APART = 0.25  # seconds between two purchases after a refusal
_FAILURES = 5  # in a row, before the service is left alone
_GROWTH = 1.5  # of each rest
_LONGEST_REST = 30.0  # seconds
_LONGEST_REST_IN_REACH = 5.0  # seconds
PATIENCE = 600.0  # seconds without an answer for which purchases wait


class Throttle:
    """Lets at most *limit* purchases run at once; *has_rivals* when others may be asked instead.

    Purchases wait for a service that does not answer, for *patience* seconds. Times are seconds on
    any clock that only goes forward.

    * ``stopped``: the error after which nothing is bought any more, None before
    * ``was_shut_until``: when the last outage ended
    """

    def __init__(self, limit: int, *, has_rivals: bool = False, patience: float = PATIENCE) -> None:
        self.stopped: SolverError | None = None
        self.was_shut_until = float("-inf")
        self._patience = patience
        self._limit = limit
        self._most_failures = 1 if has_rivals else _FAILURES
        self._ceiling = float(limit)
        self._running = 0
        self._shut_until = 0.0
        self._next_at = 0.0
        self._is_careful = False
        self._failures = 0
        self._failing_since = 0.0
        self._failure: SolverError | None = None
        self._has_lost_money = False
        self._is_in_reach = False

    @property
    def is_failing(self) -> bool:
        """Whether the last purchase had no answer."""
        return self._failure is not None

    @property
    def is_to_be_probed(self) -> bool:
        """Whether the next purchase might be charged and lost, as one has been before it."""
        return self._has_lost_money

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is bought any more."""
        return self.stopped is not None

    def refusal(self, now: float) -> SolverError | None:
        """With what a purchase fails without asking the service; None when it may be asked."""
        if self.stopped is not None:
            return self.stopped
        is_down = self._failure is not None and now - self._failing_since >= self._patience
        return self._failure if is_down and self.wait(now) > 0 else None

    def has_room(self) -> bool:
        """Whether one more purchase may run beside those under way."""
        return self._running < int(self._ceiling)

    def is_crowded(self) -> bool:
        """Whether the service has all that it takes for now, and that is less than usual."""
        return self._ceiling < self._limit and not self.has_room()

    def wait(self, now: float) -> float:
        """Seconds for which the gate stays shut."""
        return max(0.0, self._shut_until - now, self._next_at - now)

    def enter(self, now: float) -> None:
        """A purchase starts."""
        self._running += 1
        if self._is_careful:
            self._next_at = now + _APART

    def leave(self) -> None:
        """A purchase has ended, well or not."""
        self._running -= 1

    def went_well(self, now: float) -> None:
        """The service took a task and worked on it."""
        self.answered(now)
        self._is_careful = False
        self._ceiling = min(float(self._limit), self._ceiling + 1 / self._ceiling)

    def was_reached(self) -> None:
        """The service has answered a call, though not yet a purchase."""
        self._is_in_reach = True

    def answered(self, now: float) -> None:
        """The service has answered, be it with an error."""
        if self._failures >= self._most_failures:
            self.was_shut_until = now
        self._failures, self._failure, self._has_lost_money = 0, None, False

    def failed(self, error: SolverError, now: float) -> bool:
        """The service has not answered; whether that shuts the gate."""
        self._has_lost_money = self._has_lost_money or error.possibly_paid
        if now < self._shut_until:  # asked before it was shut
            return False
        if self._failure is None:
            self._failing_since = now
        self._failures, self._failure = self._failures + 1, error.again()
        if self._failures < self._most_failures:
            return False
        longest = _LONGEST_REST_IN_REACH if self._is_in_reach else _LONGEST_REST
        self._is_in_reach = False
        rest = min(_GROWTH ** (self._failures - self._most_failures), longest)
        left = self._failing_since + self._patience - now
        rest = min(rest, left) if left > 0 else rest
        self._shut_until, self._ceiling, self._is_careful = now + rest, 1.0, True
        return True

    def shut(self, until: float) -> None:
        """The service refused the purchase under way and wants to be left alone *until* then."""
        self._ceiling = max(1.0, float(min(int(self._ceiling), self._running - 1)))
        self._shut_until = max(self._shut_until, until)
        self._is_careful = True

    def stop(self, error: SolverError) -> None:
        """Nothing is bought any more, for the reason in *error*."""
        self.stopped = error.again()
