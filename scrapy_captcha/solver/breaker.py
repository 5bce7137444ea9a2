"""Backs off polls of a service that does not answer. Pure bookkeeping, without a clock.

Polls of tasks that are paid for are repeated until they are answered. After five lost calls in a
row, one poll at a time probes whether the service is back, after waits that double; all others wait
and go on together at the first answer. Times are monotonic, in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.errors import ErrorCode

if TYPE_CHECKING:
    from scrapy_captcha.errors import SolverError

_LOST = 5  # in a row, before the others wait
_LONGEST_WAIT = 15.0  # seconds
_BESIDE_A_PROBE = 0.25  # seconds between two checks whether the probe has ended
_SOON = 5.0  # seconds without an answer, after which two lost calls are an outage


def is_no_answer(error: SolverError) -> bool:
    """Whether *error* means that the service cannot be reached or answers nonsense."""
    broken = error.http_status is not None and error.http_status >= 500
    return error.code in _NO_ANSWER or (error.code is ErrorCode.UNKNOWN and broken)


_NO_ANSWER = frozenset({ErrorCode.NETWORK, ErrorCode.TIMEOUT, ErrorCode.BAD_REPLY})


class Breaker:
    """Counts the calls to one service that were lost in a row."""

    def __init__(self) -> None:
        self._lost = 0
        self._lost_since = 0.0
        self._open_at = 0.0
        self._is_probed = False
        self._is_outage = False

    @property
    def is_in_doubt(self) -> bool:
        """Whether the last two calls were lost, so that the cause is not one call alone."""
        return self._lost > 1

    def hold(self, now: float) -> float:
        """The seconds after which to call this again; 0 if the poll is to be made now."""
        if self._lost < _LOST:
            return 0.0
        if self._is_probed:
            return _BESIDE_A_PROBE
        wait = max(0.0, self._open_at - now)
        self._is_probed = wait == 0
        return wait

    def service_answered(self, now: float) -> float | None:
        """The service has answered, be it with an error.

        Returns the duration of the outage in seconds if one ends with that, else None.
        """
        was_outage, self._is_outage = self._is_outage, False
        self._lost, self._is_probed = 0, False
        return now - self._lost_since if was_outage else None

    def lost(self, now: float) -> bool:
        """A call was not answered; returns whether an outage begins with that."""
        if now < self._open_at:  # made before the wait began
            return False
        if not self._lost:
            self._lost_since = now
        self._lost, self._is_probed = self._lost + 1, False
        if self._lost >= _LOST:
            self._open_at = now + min(2.0 ** (self._lost - _LOST), _LONGEST_WAIT)
        was_outage = self._is_outage
        is_long = self._lost > 1 and now - self._lost_since >= _SOON
        self._is_outage = was_outage or is_long or self._lost >= _LOST
        return self._is_outage and not was_outage

    def given_up(self) -> None:
        """A call was cancelled before it was answered."""
        self._is_probed = False


def is_failure(error: SolverError) -> bool:
    """Whether *error*, with which a purchase ended, means that the service does not answer."""
    is_slow = error.code is ErrorCode.TIMEOUT and error.task_id is not None and not error.unheard
    return is_no_answer(error) and not is_slow


def is_outage(error: SolverError) -> bool:
    """Whether *error* means that the service is unreachable, so that only waiting helps."""
    broken = error.http_status is not None and error.http_status >= 500
    return is_failure(error) and (broken or error.code in (ErrorCode.NETWORK, ErrorCode.TIMEOUT))


def changes_nothing(error: SolverError) -> bool:
    """Whether the service has not received the attempt that ended with *error*."""
    return is_failure(error) and not error.possibly_paid and error.task_id is None


def is_closed(error: SolverError) -> bool:
    """Whether *error* means that not even paid tasks can be collected from the account."""
    is_refused = error.code is ErrorCode.BALANCE_EMPTY and error.task_id is not None
    return is_refused or error.code in (ErrorCode.AUTH_INVALID, ErrorCode.AUTH_FORBIDDEN)
