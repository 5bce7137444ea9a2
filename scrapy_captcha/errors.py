"""The errors of solver services.

The eighteen codes of the API's error page, and four of the client::

    account   AUTH_INVALID  AUTH_FORBIDDEN  BALANCE_EMPTY
    input     INPUT_MISSING  INPUT_BAD_TYPE  INPUT_TOO_SMALL  INPUT_TOO_LARGE  METHOD_INVALID
    solve     CAPACITY  UNSOLVABLE  NOT_FOUND  PROVIDER_TIMEOUT  PROVIDER_SITEKEY  PROVIDER_DOMAIN
    proxy     PROXY_REFUSED  PROXY_TIMEOUT  PROXY_BANNED  PROXY_AUTH
    client    NETWORK  TIMEOUT  BAD_REPLY  UNKNOWN

``policy.py`` decides what to do about each.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class ErrorCode(str, Enum):
    """The name of an error: the word in answers, stats, logs and ``CAPTCHA_POLICY``."""

    AUTH_INVALID = "AUTH_INVALID"
    AUTH_FORBIDDEN = "AUTH_FORBIDDEN"
    BALANCE_EMPTY = "BALANCE_EMPTY"
    INPUT_MISSING = "INPUT_MISSING"
    INPUT_BAD_TYPE = "INPUT_BAD_TYPE"
    INPUT_TOO_SMALL = "INPUT_TOO_SMALL"
    INPUT_TOO_LARGE = "INPUT_TOO_LARGE"
    METHOD_INVALID = "METHOD_INVALID"
    CAPACITY = "CAPACITY"
    UNSOLVABLE = "UNSOLVABLE"
    NOT_FOUND = "NOT_FOUND"
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    PROVIDER_SITEKEY = "PROVIDER_SITEKEY"
    PROVIDER_DOMAIN = "PROVIDER_DOMAIN"
    PROXY_REFUSED = "PROXY_REFUSED"
    PROXY_TIMEOUT = "PROXY_TIMEOUT"
    PROXY_BANNED = "PROXY_BANNED"
    PROXY_AUTH = "PROXY_AUTH"
    NETWORK = "NETWORK"
    TIMEOUT = "TIMEOUT"
    BAD_REPLY = "BAD_REPLY"
    UNKNOWN = "UNKNOWN"


class Family(Enum):
    """What an error is about."""

    ACCOUNT = "account"
    INPUT = "input"
    SOLVE = "solve"
    PROXY = "proxy"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """One row of the table of errors.

    ``status`` is the HTTP status that carries the error, None for client-side codes.
    ``retryable`` is that of the error page; None if it has none.
    """

    status: int | None
    family: Family
    retryable: bool | None
    meaning: str


_ACCOUNT, _INPUT, _SOLVE, _PROXY, _CLIENT = Family

ERRORS: Mapping[ErrorCode, ErrorInfo] = {
    ErrorCode.AUTH_INVALID: ErrorInfo(401, _ACCOUNT, False, "API key not found or invalid"),
    ErrorCode.AUTH_FORBIDDEN: ErrorInfo(
        403, _ACCOUNT, None, "access denied: IP restriction or account suspended"
    ),
    ErrorCode.BALANCE_EMPTY: ErrorInfo(402, _ACCOUNT, None, "account balance is zero or negative"),
    ErrorCode.INPUT_MISSING: ErrorInfo(400, _INPUT, None, "a required input field is missing"),
    ErrorCode.INPUT_BAD_TYPE: ErrorInfo(400, _INPUT, None, "input type or format not supported"),
    ErrorCode.INPUT_TOO_SMALL: ErrorInfo(400, _INPUT, None, "input payload too small"),
    ErrorCode.INPUT_TOO_LARGE: ErrorInfo(413, _INPUT, None, "input payload larger than allowed"),
    ErrorCode.METHOD_INVALID: ErrorInfo(400, _INPUT, None, "unknown method or captcha type"),
    ErrorCode.CAPACITY: ErrorInfo(429, _SOLVE, True, "no workers free; try again later"),
    ErrorCode.UNSOLVABLE: ErrorInfo(422, _SOLVE, True, "not solved after several attempts"),
    ErrorCode.NOT_FOUND: ErrorInfo(404, _SOLVE, False, "task not found or expired"),
    ErrorCode.PROVIDER_TIMEOUT: ErrorInfo(504, _SOLVE, True, "the captcha provider timed out"),
    ErrorCode.PROVIDER_SITEKEY: ErrorInfo(400, _SOLVE, False, "the provider rejected the site key"),
    ErrorCode.PROVIDER_DOMAIN: ErrorInfo(
        400, _SOLVE, False, "the provider rejected the domain for this site key"
    ),
    ErrorCode.PROXY_REFUSED: ErrorInfo(502, _PROXY, None, "the proxy refused the connection"),
    ErrorCode.PROXY_TIMEOUT: ErrorInfo(504, _PROXY, None, "the proxy's connection timed out"),
    ErrorCode.PROXY_BANNED: ErrorInfo(502, _PROXY, None, "the target has banned the proxy's IP"),
    ErrorCode.PROXY_AUTH: ErrorInfo(502, _PROXY, None, "the proxy rejected the credentials"),
    ErrorCode.NETWORK: ErrorInfo(None, _CLIENT, None, "the service could not be reached"),
    ErrorCode.TIMEOUT: ErrorInfo(None, _CLIENT, None, "no answer within the time limit"),
    ErrorCode.BAD_REPLY: ErrorInfo(None, _CLIENT, None, "an answer that cannot be understood"),
    ErrorCode.UNKNOWN: ErrorInfo(None, _CLIENT, None, "an error name that is not in the contract"),
}

# The meaning of an HTTP status, for answers without an error code.
_CODE_OF_BARE_STATUS: Mapping[int, ErrorCode] = {
    401: ErrorCode.AUTH_INVALID,
    402: ErrorCode.BALANCE_EMPTY,
    403: ErrorCode.AUTH_FORBIDDEN,
    413: ErrorCode.INPUT_TOO_LARGE,
    429: ErrorCode.CAPACITY,
}

_CONTRACT = tuple(c.value for c, info in ERRORS.items() if info.family is not Family.CLIENT)
# Letters only: secrets nearly always contain digits.
_NAME = re.compile(r"(?=.{2,64}\Z)[A-Za-z]+(?:_[A-Za-z]+)*")
_TEXT_LIMIT = 300  # characters of a server's message that are kept


class SolverError(Exception):
    """A captcha could not be solved.

    ``str()`` and ``repr()`` contain no text of the service, which may echo the API key.

    * *retryable*: that of the answer; None if it has none
    * *retry_after*: seconds to wait before a retry, from the answer or the documentation of the
      service; above 0 and finite, None if not given
    * *http_status*: of the answer, None if there was none
    * *provider*: the name of the service, as in ``CAPTCHA_PROVIDERS``
    * *provider_code*: the service's own code, if it differs from *code*
    * *message*: the service's message, "" if none; the client removes it, since it may contain any
      secret in any encoding
    * *task_id*: the task that failed, None if there was none yet
    * *possibly_paid*: whether the call may have taken effect without a usable answer
    * *unheard*: whether the service could not be polled before the purchase timed out
    * *cause*: why the service could not be reached, "" if unknown
    * *in_outage*: whether it is part of an outage, so that it does not count as an attempt
    * *refused*: whether the client has failed the purchase without a call
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str = "",
        *,
        retryable: bool | None = None,
        retry_after: float | None = None,
        http_status: int | None = None,
        provider: str = "",
        provider_code: str | None = None,
        task_id: str | int | None = None,
        possibly_paid: bool = False,
        unheard: bool = False,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.http_status = http_status
        self.provider = provider
        self.provider_code = provider_code
        self.task_id = task_id
        self.possibly_paid = possibly_paid
        self.unheard = unheard
        self.cause = ""
        self.in_outage = False
        self.refused = False

    def again(self) -> SolverError:
        """The same error for another purchase, which is refused without a call.

        It has no traceback. All errors that are kept are made by this, so that no frames are kept.
        """
        again = SolverError(
            self.code,
            retryable=self.retryable,
            http_status=self.http_status,
            provider=self.provider,
        )
        again.cause, again.refused = self.cause, True
        return again

    def __str__(self) -> str:
        status = f" (HTTP {self.http_status})" if self.http_status else ""
        cause = f" ({self.cause})" if self.cause else ""
        return f"{self.code.value}{status}: {ERRORS[self.code].meaning}{cause}"

    def __repr__(self) -> str:
        return f"<SolverError {self}>"


def read_error(
    status: int, headers: Mapping[str, str], body: object, *, now: float
) -> SolverError | None:
    """The error in an answer; None if there is none. Never raises.

    *headers* has lower-case names; *body* is the decoded JSON, None if it was no JSON; *now* is the
    Unix time at which the answer arrived. An answer is an error if its body has an ``error`` or its
    status is not 2xx. A code outside the contract is UNKNOWN; a body without a code is read by its
    HTTP status if that has a meaning, else it is BAD_REPLY. Source: the contract's error page.
    """
    fields = body if isinstance(body, dict) else {}
    name, success = fields.get("error"), 200 <= status < 300
    if success and name is None and isinstance(body, dict):
        return None
    code, provider_code = _code(name, status)
    message, retryable = fields.get("message"), fields.get("retryable")
    return SolverError(
        code,
        message[:_TEXT_LIMIT] if isinstance(message, str) else "",
        retryable=retryable if isinstance(retryable, bool) else None,
        retry_after=_longest(
            read_seconds(fields.get("retryAfter")), read_retry_after_header(headers, now=now)
        ),
        http_status=status,
        provider_code=provider_code,
        possibly_paid=code is ErrorCode.BAD_REPLY and (success or status >= 500),
    )


def _code(name: object, status: int) -> tuple[ErrorCode, str | None]:
    if name in _CONTRACT:
        return ErrorCode(name), None
    if isinstance(name, str) and name:
        return ErrorCode.UNKNOWN, name if _NAME.fullmatch(name) else None
    return _CODE_OF_BARE_STATUS.get(status, ErrorCode.BAD_REPLY), None


def _longest(*seconds: float | None) -> float | None:
    return max((s for s in seconds if s is not None), default=None)


def read_seconds(value: object) -> float | None:
    """A JSON value as a wait in seconds; None unless it is a finite number above zero.

    Strings and booleans are no numbers. The wait is not capped here.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def read_retry_after_header(headers: Mapping[str, str], *, now: float) -> float | None:
    """``Retry-After`` in seconds from now; None if absent, malformed or in the past.

    Both forms of RFC 9110, section 10.2.3. An HTTP date is taken relative to the answer's own
    ``Date`` if it has one, so that the clocks of both machines may differ.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return read_seconds(float(value))
    until = _unix_time(value)
    if until is None:
        return None
    sent = _unix_time(headers.get("date", ""))
    return read_seconds(until - (now if sent is None else sent))


def _unix_time(http_date: str) -> float | None:
    try:
        when = parsedate_to_datetime(http_date)
        # HTTP dates are Greenwich time, and the oldest of their three forms does not say so.
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
