"""The error codes of services: tables of their meanings, and reading an answer with them.

The delays are those of the services' documentation: before a retry, or, after an account error,
before any further call (repeated calls get the caller banned).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy_captcha.errors import ERRORS, ErrorCode, read_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.errors import SolverError
    from scrapy_captcha.providers.base import Reply


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a service's code: a *code* of the contract, a *delay* in seconds or None.

    *refined*: words of the service's text, in lower case, -> the code that they mean.
    """

    code: ErrorCode
    delay: float | None = None
    refined: tuple[tuple[str, ErrorCode], ...] = ()

    def answer(self, text: str) -> Mapping[str, object]:
        """The equivalent answer of the contract's API, given the service's explanation *text*.

        If the contract does not say whether to retry, the error is not retryable.
        """
        code = next((code for word, code in self.refined if word in text.lower()), self.code)
        return {
            "error": code.value,
            "message": text,
            "retryable": ERRORS[code].retryable is True,
            "retryAfter": self.delay,
        }


Meanings = dict[str, Meaning]  # by the service's code


def meanings(table: Mapping[Meaning, str]) -> Meanings:
    """From meaning -> the codes that mean it, to code -> meaning."""
    return {code: meaning for meaning, codes in table.items() for code in codes.split()}


_NAMELESS = "NO_ERROR_CODE"  # in place of a code that is missing or may not be shown

# Codes that say that the task is still being solved.
NOT_READY = frozenset({"CAPCHA_NOT_READY", "CAPTCHA_NOT_READY"})

# Codes with one meaning at all services. Most come from Anti-Captcha, with its spelling.
COMMON = meanings(
    {
        Meaning(ErrorCode.AUTH_INVALID): "ERROR_KEY_DOES_NOT_EXIST",
        Meaning(ErrorCode.AUTH_FORBIDDEN): "ERROR_IP_NOT_ALLOWED ERROR_ACCOUNT_SUSPENDED",
        Meaning(ErrorCode.AUTH_FORBIDDEN, 600.0): "ERROR_IP_BLOCKED ERROR_IP_BANNED",
        Meaning(ErrorCode.BALANCE_EMPTY): "ERROR_SETTLEMENT_FAILED",
        Meaning(ErrorCode.BALANCE_EMPTY, 60.0): "ERROR_ZERO_BALANCE",
        Meaning(ErrorCode.INPUT_MISSING): (
            "ERROR_TASK_ABSENT ERROR_PAGEURL ERROR_BAD_PARAMETERS ERROR_REQUIRED_FIELDS"
        ),
        Meaning(ErrorCode.INPUT_BAD_TYPE): (
            "ERROR_IMAGE_TYPE_NOT_SUPPORTED ERROR_TOKEN_EXPIRED ERROR_BAD_REQUEST"
        ),
        Meaning(ErrorCode.INPUT_TOO_SMALL): "ERROR_ZERO_CAPTCHA_FILESIZE",
        Meaning(ErrorCode.INPUT_TOO_LARGE): "ERROR_TOO_BIG_CAPTCHA_FILESIZE",
        Meaning(ErrorCode.METHOD_INVALID): "ERROR_NO_SUCH_METHOD ERROR_TASK_NOT_SUPPORTED",
        Meaning(ErrorCode.CAPACITY, 5.0): "ERROR_NO_SLOT_AVAILABLE",
        Meaning(ErrorCode.CAPACITY, 10.0): "ERROR_SERVICE_UNAVALIABLE ERROR_SERVICE_UNAVAILABLE",
        Meaning(ErrorCode.UNSOLVABLE, 5.0): "ERROR_CAPTCHA_UNSOLVABLE ERROR_BAD_DUPLICATES",
        Meaning(ErrorCode.NOT_FOUND): (
            "ERROR_NO_SUCH_CAPCHA_ID ERROR_TASKID_INVALID ERROR_TASK_NOT_FOUND"
        ),
        Meaning(ErrorCode.PROVIDER_TIMEOUT, 10.0): "ERROR_RECAPTCHA_TIMEOUT",
        Meaning(ErrorCode.PROVIDER_SITEKEY): "ERROR_RECAPTCHA_INVALID_SITEKEY",
        Meaning(ErrorCode.PROVIDER_DOMAIN): "ERROR_RECAPTCHA_INVALID_DOMAIN",
        Meaning(ErrorCode.PROXY_REFUSED): (
            "ERROR_PROXY_CONNECT_REFUSED ERROR_PROXY_CONNECTION_FAILED "
            "ERR_PROXY_CONNECTION_FAILED ERROR_BAD_PROXY"
        ),
        Meaning(ErrorCode.PROXY_TIMEOUT): "ERROR_PROXY_CONNECT_TIMEOUT ERROR_PROXY_READ_TIMEOUT",
        Meaning(ErrorCode.PROXY_BANNED): "ERROR_PROXY_BANNED",
        Meaning(ErrorCode.PROXY_AUTH): "ERROR_PROXY_NOT_AUTHORISED",
    }
)


def read_vendor_error(reply: Reply, body: object, table: Meanings) -> SolverError | None:
    """The error in *reply*, whose decoded body is *body*; None if there is none.

    A code without a row in *table* is UNKNOWN, with the service's text; an answer without a code is
    read by its HTTP status. Never raises.
    """
    success = 200 <= reply.status < 300
    if not isinstance(body, dict) or (success and not _is_error(body)):
        return read_error(reply.status, reply.headers, body, now=reply.at)
    name, text = _text(body.get("errorCode")), _text(body.get("errorDescription"))
    unknown = {"error": name or (_NAMELESS if success else None), "message": text}
    answer = table[name].answer(text) if name in table else unknown
    error = read_error(reply.status, reply.headers, answer, now=reply.at)
    if error and name in table:
        error.provider_code = name
    elif error and error.code is ErrorCode.UNKNOWN:
        error.provider_code = error.provider_code or _NAMELESS
    return error


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_error(body: Mapping[str, object]) -> bool:
    if body.get("errorId") not in (None, 0, "0", ""):
        return True
    named = isinstance(body.get("errorCode"), str) and body["errorCode"] != ""
    return named and ("errorId" not in body or body.get("status") == "failed")
