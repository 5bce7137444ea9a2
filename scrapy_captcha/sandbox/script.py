"""Scripts: rules by which the local solver answers otherwise than usual."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from scrapy_captcha.errors import ERRORS, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS = (
    "createTask",
    "getTaskResult",
    "getBalance",
    "reportIncorrectImageCaptcha",
    "reportIncorrectRecaptcha",
    "reportIncorrectTokenCaptcha",
    "reportCorrectRecaptcha",
    "reportIncorrect",
    "reportCorrect",
    "feedbackTask",
)
_OWN_CODES = ("ERROR_", "WRONG_", "CAPTCHA_")  # how services' own codes begin


class Fault(str, Enum):
    """What can go wrong below the level of answers."""

    CLOSE = "close"  # the connection, before a byte of an answer
    CUT = "cut"  # the connection, after the headers and half of the body
    HANG = "hang"  # no answer, ever
    ENDLESS = "endless"  # a body that never ends, as fast as it is read
    DRIP = "drip"  # a body that never ends, a byte at a time


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: Mapping[str, object], status: int = 200, **headers: str) -> HttpReply:
        """*content* as JSON; underscores in the names of *headers* stand for hyphens."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(
            status, json.dumps(content).encode(), {"Content-Type": "application/json"} | names
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """A rule: how to answer certain calls.

    Which calls:

    * *method*: ``createTask``, ``getTaskResult``, ``getBalance`` or one that reports solutions
    * *url_contains*: a part of the task's ``websiteURL``
    * *times*: how many calls, None for all from now on

    What they are answered; with none of these the usual answer, only delayed:

    * *error*: a name of the error page, with its HTTP status, or any name together with *status*;
      *message*, *retryable* (the error page's word where it has one) and *retry_after* (any JSON
      value) go into the body, *retry_after_header* into ``Retry-After`` as it is, and *omit* names
      fields of the body that are left out. Other dialects than the unified API's say it in their
      own words, without *retryable* and *retry_after*, and take their service's codes too
    * *status*, *headers*, *body*: an answer as it is
    * *fault*: one of ``Fault``

    *delay* is in seconds. A call that is answered so has no effect, unless it is *carried_out*:
    then the task is made and charged, and only its answer is lost.

    Raises ValueError for an unknown method, fault or error name.
    """

    method: str = "createTask"
    url_contains: str = ""
    times: int | None = 1
    error: str | None = None
    message: str | None = None
    retryable: object = None
    retry_after: object = None
    retry_after_header: str | None = None
    omit: tuple[str, ...] = ()
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    fault: str | None = None
    delay: float = 0.0
    carried_out: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"unknown method: {self.method!r}")
        if self.fault is not None:
            Fault(self.fault)
        named = self.status or _contract_status(self.error or "")
        if self.error is not None and not named and not self.error.startswith(_OWN_CODES):
            raise ValueError(f"neither of the error page nor of a service: {self.error!r}")

    @classmethod
    def from_json(cls, rule: Any) -> Answer:
        """The rule that a JSON object with the names of the fields stands for.

        Raises ValueError when it stands for none.
        """
        try:
            body = rule.get("body")
            return cls(**rule | {"body": body.encode() if isinstance(body, str) else None})
        except (AttributeError, TypeError) as error:
            raise ValueError(f"not a rule: {error}") from error

    @property
    def usual(self) -> bool:
        """Whether the call is answered as usual, only delayed."""
        return (self.error, self.status, self.body, self.fault) == (None,) * 4

    def reply(self) -> HttpReply:
        """The answer in the unified API's words, faults aside."""
        if self.error is None:
            return HttpReply(self.status or 200, self.body or b"{}", self.headers)
        info = ERRORS[ErrorCode(self.error)] if self.error in ErrorCode.__members__ else None
        known = info.retryable if info else None
        fields = {
            "error": self.error,
            "message": (info.meaning if info else "") if self.message is None else self.message,
            "retryable": known if self.retryable is None else self.retryable,
            "retryAfter": self.retry_after,
        }
        sent = {k: v for k, v in fields.items() if v is not None and k not in self.omit}
        reply = HttpReply.json(sent, self.status or _contract_status(self.error) or 200)
        extra = {"Retry-After": self.retry_after_header} if self.retry_after_header else {}
        return replace(reply, headers={**reply.headers, **extra, **self.headers})


def _contract_status(error: str) -> int:
    """The HTTP status of an error of the error page, 0 for any other name."""
    return (ERRORS[ErrorCode(error)].status or 0) if error in ErrorCode.__members__ else 0


class Script:
    """Rules in the order in which they were given; the first that matches a call is used up."""

    def __init__(self) -> None:
        self._rules: list[Answer] = []

    def append(self, *rules: Answer) -> None:
        """Append *rules*."""
        self._rules += rules

    def clear(self) -> None:
        """Forget all rules."""
        self._rules.clear()

    def take(self, method: str, url: str) -> Answer | None:
        """The rule for a call of *method* about a page at *url*, None for the usual answer."""
        for index, rule in enumerate(self._rules):
            if rule.method == method and rule.url_contains in url:
                if rule.times is not None:
                    left = replace(rule, times=rule.times - 1)
                    self._rules[index : index + 1] = [left] if rule.times > 1 else []
                return rule
        return None
