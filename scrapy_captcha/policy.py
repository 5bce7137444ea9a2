"""Decides what to do about an error: a table, one row per code, and the rules around it.

In order of precedence: the user's ``CAPTCHA_POLICY``, the server's ``retryable``, the table. The
server's ``retryable: false`` does not prevent a retry through another proxy after an error of the
proxy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from scrapy_captcha.errors import ERRORS, ErrorCode, Family
from scrapy_captcha.models import KINDS, Kind
from scrapy_captcha.proxy import Rest
from scrapy_captcha.urls import are_of_one_origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.errors import SolverError
    from scrapy_captcha.models import Captcha

SHORTEST_DELAY = 0.1  # seconds
# Services want bitmaps; to draw SVG would be to run markup of the site.
_DRAWING = re.compile(r"data:image/svg|https?:[^?#]{1,2000}\.svgz?(?:[?#]|$)", re.IGNORECASE)
_OWN_SHORTEST_DELAY = 0.5  # seconds, before the first doubling


class Action(str, Enum):
    """The values of ``CAPTCHA_POLICY``."""

    RESCHEDULE = "reschedule"
    ROTATE = "rotate"
    DROP = "drop"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Reschedule:
    """Retry after *delay* seconds; with *holds_all*, the provider backs off until then."""

    delay: float
    holds_all: bool = False


@dataclass(frozen=True, slots=True)
class RotateProxy:
    """Fetch the page through another proxy after *delay* seconds; *rest* is for the old one."""

    rest: Rest
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Drop:
    """Give the page up; *reason* is that of the stats."""

    reason: str


@dataclass(frozen=True, slots=True)
class StopBuying:
    """Give the page up and stop buying at the provider."""

    reason: str


Decision = Reschedule | RotateProxy | Drop | StopBuying


def default_action(code: ErrorCode, status: int | None) -> Action:
    """The decision of the table for *code*.

    *status* is the HTTP status, which decides about unintelligible answers. A code without a row is
    an error for mypy: the function would end without a return.
    """
    match code:
        case (
            ErrorCode.CAPACITY
            | ErrorCode.UNSOLVABLE
            | ErrorCode.PROVIDER_TIMEOUT
            | ErrorCode.NETWORK
            | ErrorCode.TIMEOUT
        ):
            return Action.RESCHEDULE
        case (
            ErrorCode.PROXY_REFUSED
            | ErrorCode.PROXY_TIMEOUT
            | ErrorCode.PROXY_BANNED
            | ErrorCode.PROXY_AUTH
        ):
            return Action.ROTATE
        case ErrorCode.AUTH_INVALID | ErrorCode.AUTH_FORBIDDEN | ErrorCode.BALANCE_EMPTY:
            return Action.STOP
        case (
            ErrorCode.INPUT_MISSING
            | ErrorCode.INPUT_BAD_TYPE
            | ErrorCode.INPUT_TOO_SMALL
            | ErrorCode.INPUT_TOO_LARGE
            | ErrorCode.METHOD_INVALID
            | ErrorCode.NOT_FOUND
            | ErrorCode.PROVIDER_SITEKEY
            | ErrorCode.PROVIDER_DOMAIN
        ):
            return Action.DROP
        case ErrorCode.BAD_REPLY | ErrorCode.UNKNOWN:
            return _action_by_status(status)


def _action_by_status(status: int | None) -> Action:
    if status in {401, 402, 403}:
        return Action.STOP
    if status is None or status < 300 or status in {408, 429} or status >= 500:
        return Action.RESCHEDULE
    return Action.DROP


_REST: Mapping[ErrorCode, Rest] = {
    ErrorCode.PROXY_BANNED: Rest.BANNED,
    ErrorCode.PROXY_AUTH: Rest.OUT,
}


@dataclass(frozen=True, slots=True)
class Attempts:
    """The attempts for one page.

    * *tasks*: tasks bought
    * *retries*: number of times that it was rescheduled or sent to another proxy
    * *resent*: whether a purchase whose answer was lost has been sent again
    """

    tasks: int = 0
    retries: int = 0
    resent: bool = False

    def after(self, error: SolverError) -> Attempts:
        """The same, with the attempt that ended with *error*; none is added in an outage."""
        counts = not error.in_outage
        return replace(
            self,
            tasks=self.tasks + (counts and error.task_id is not None),
            retries=self.retries + counts,
            resent=self.resent or error.possibly_paid,
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The user's limits and decisions about errors.

    * *actions*: rows that replace the table's, from ``CAPTCHA_POLICY``
    * *retry_times*: purchases per page; a page is retried as many times for errors that cost none
    * *max_delay*: maximum wait in seconds
    """

    actions: Mapping[ErrorCode, Action] = field(default_factory=dict)
    retry_times: int = 3
    max_delay: float = 300.0

    def decide(self, error: SolverError, attempts: Attempts, *, jitter: float) -> Decision:
        """The decision about *error* after *attempts*; *jitter* is a number from 0 to 1."""
        reason = error.code.value
        match self.action(error):
            case Action.STOP:
                return StopBuying(reason)
            case Action.RESCHEDULE if self._may_try_again(error, attempts):
                delay = self.delay(error, attempts.retries, jitter=jitter)
                return Reschedule(delay, holds_all=_concerns_all(error))
            case Action.ROTATE if self._may_try_again(error, attempts):
                delay = self.delay(error, attempts.retries, jitter=jitter)
                rest = _REST.get(error.code, Rest.GROWING)
                return RotateProxy(rest, delay if error.retryable else 0.0)
            case _:
                return Drop(reason)

    def action(self, error: SolverError) -> Action:
        """The action for *error*: the user's, else the server's, else that of the table."""
        if error.code in self.actions:
            return self.actions[error.code]
        default = default_action(error.code, error.http_status)
        if error.retryable and default is not Action.ROTATE:
            return Action.RESCHEDULE
        if error.retryable is False and default is Action.RESCHEDULE:
            return Action.DROP
        return default

    def delay(self, error: SolverError, retries: int, *, jitter: float) -> float:
        """The seconds to wait: those of the server, else ``0.5 * 2 ** retries * (1 + jitter)``.

        Never below 0.1 s nor above *max_delay*.
        """
        own = _OWN_SHORTEST_DELAY * 2 ** min(retries, 32) * (1 + jitter)
        return max(SHORTEST_DELAY, min(error.retry_after or own, self.max_delay))

    def _may_try_again(self, error: SolverError, attempts: Attempts) -> bool:
        if error.refused or (error.possibly_paid and attempts.resent):
            return False
        if error.in_outage:
            return True
        tried = attempts.after(error)
        return attempts.retries < self.retry_times and tried.tasks < self.retry_times


def in_place(decision: Decision, error: SolverError, captcha: Captcha) -> Decision:
    """*decision* for a page that cannot be fetched again; it is dropped if that is required."""
    if isinstance(decision, RotateProxy) and error.retryable:
        decision = Reschedule(decision.delay)
    if isinstance(decision, RotateProxy) or (
        isinstance(decision, Reschedule) and captcha.perishable
    ):
        return Drop(error.code.value)
    return decision


def _concerns_all(error: SolverError) -> bool:
    return error.code is ErrorCode.CAPACITY or ERRORS[error.code].family is Family.ACCOUNT


def reason_not_to_answer(captcha: Captcha, *, own_way: bool = False) -> str | None:
    """The reason why a solution of *captcha* could not be used; None if it could.

    A token is sent only to the origin that showed the captcha, and never in a URL. With *own_way*
    the user's own code sends it and is responsible for that.
    """
    reason = _reason_not_to_ask(captcha)
    if reason or KINDS[captcha.kind].cookie or own_way:
        return reason
    if captcha.form is None:
        return "no_form"
    if not are_of_one_origin(captcha.form.url, captcha.url):
        return "other_origin"
    if captcha.form.method == "GET" and captcha.kind is not Kind.IMAGE:
        return "get_form"
    return None


def _reason_not_to_ask(captcha: Captcha) -> str | None:
    """The reason why no service could solve *captcha*; None if one could."""
    if KINDS[captcha.kind].keyed and not captcha.site_key:
        return "site_key"
    if captcha.image and _DRAWING.match(captcha.image):
        return "svg"
    return None
