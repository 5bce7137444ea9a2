"""When a service that does not answer is called again: pure bookkeeping that is told the time.

It is about looks at tasks that are paid for, which are repeated until they are answered. After five
calls in a row that were lost one look at a time finds out whether the service is back, after rests
that double; all others wait, and go on together at the first answer. Times are seconds on any clock
that only goes forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.errors import ErrorCode

if TYPE_CHECKING:
    from scrapy_captcha.errors import SolverError

_LOST = 5  # in a row, before the others wait
_LONGEST_REST = 15.0  # seconds
_BESIDE_A_PROBE = 0.25  # seconds between two questions whether the probe has ended
_SOON = 5.0  # seconds without an answer, after which two lost calls are an outage


def is_no_answer(error: SolverError) -> bool:
    """Whether *error* says that the service cannot be reached or makes no sense."""
    broken = error.http_status is not None and error.http_status >= 500
    return error.code in _NO_ANSWER or (error.code is ErrorCode.UNKNOWN and broken)


_NO_ANSWER = frozenset({ErrorCode.NETWORK, ErrorCode.TIMEOUT, ErrorCode.BAD_REPLY})


class Breaker:
    """Counts the calls to one service that were lost in a row."""

    def __init__(self) -> None:
        self._lost = 0
        self._lost_since = 0.0
        self._rests_until = 0.0
        self._is_probed = False
        self._is_outage = False

    @property
    def is_in_doubt(self) -> bool:
        """Whether the last two calls were lost: not one of them alone can be to blame."""
        return self._lost > 1

    def hold(self, now: float) -> float:
        """Seconds after which to ask again whether a look may be made; 0 when it is to be made."""
        if self._lost < _LOST:
            return 0.0
        if self._is_probed:
            return _BESIDE_A_PROBE
        rest = max(0.0, self._rests_until - now)
        self._is_probed = rest == 0
        return rest

    def answered(self, now: float) -> float | None:
        """The service has answered, be it with an error.

        Where an outage ends with that: how many seconds it has taken.
        """
        was_outage, self._is_outage = self._is_outage, False
        self._lost, self._is_probed = 0, False
        return now - self._lost_since if was_outage else None

    def lost(self, now: float) -> bool:
        """A call had no answer; whether an outage begins with that."""
        if now < self._rests_until:  # made before the rest began
            return False
        if not self._lost:
            self._lost_since = now
        self._lost, self._is_probed = self._lost + 1, False
        if self._lost >= _LOST:
            self._rests_until = now + min(2.0 ** (self._lost - _LOST), _LONGEST_REST)
        was_outage = self._is_outage
        is_long = self._lost > 1 and now - self._lost_since >= _SOON
        self._is_outage = was_outage or is_long or self._lost >= _LOST
        return self._is_outage and not was_outage

    def given_up(self) -> None:
        """A call was ended before it could have an answer: it tells nothing."""
        self._is_probed = False


def is_failure(error: SolverError) -> bool:
    """Whether *error*, with which a purchase ended, says that the service is not to be had."""
    is_slow = error.code is ErrorCode.TIMEOUT and error.task_id is not None and not error.unheard
    return is_no_answer(error) and not is_slow


def is_outage(error: SolverError) -> bool:
    """Whether *error* says that the service is out of reach: time helps then, and tries do not."""
    broken = error.http_status is not None and error.http_status >= 500
    return is_failure(error) and (broken or error.code in (ErrorCode.NETWORK, ErrorCode.TIMEOUT))


def changes_nothing(error: SolverError) -> bool:
    """Whether the service knows nothing of the try that ended in *error*."""
    return is_failure(error) and not error.possibly_paid and error.task_id is None


def is_closed(error: SolverError) -> bool:
    """Whether *error* says that the account is of no use, for tasks that are paid for neither."""
    is_refused = error.code is ErrorCode.BALANCE_EMPTY and error.task_id is not None
    return is_refused or error.code in (ErrorCode.AUTH_INVALID, ErrorCode.AUTH_FORBIDDEN)
