"""The log: a line for each event.

A line names the provider, code, kind and URL, if there are any; never a key, password or token.
"""

from __future__ import annotations

import logging
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from scrapy_captcha import events
from scrapy_captcha.bounded import Bounded
from scrapy_captcha.errors import ERRORS, ErrorCode
from scrapy_captcha.money import shown
from scrapy_captcha.reporting.reasons import reason_for
from scrapy_captcha.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy.crawler import Crawler

    from scrapy_captcha.errors import SolverError

logger = logging.getLogger(__name__)

_ADVICE = {
    ErrorCode.AUTH_INVALID: "check its key in CAPTCHA_API_KEY or CAPTCHA_KEYS",
    ErrorCode.AUTH_FORBIDDEN: "ask the service, which may want to know your IP address",
    ErrorCode.BALANCE_EMPTY: "top the account up",
}
_MOST_UNKNOWN = 20  # names of unknown errors that are logged
_MOST_SAID = 1024  # events that are logged once each

DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR

LINES: Mapping[type[events.Event], tuple[int, str]] = {
    events.CaptchaDetected: (DEBUG, "Captcha detected (%(kind)s): %(request)s"),
    events.SolutionRequested: (DEBUG, "Solution requested (%(kind)s): %(request)s"),
    events.CallFailed: (WARNING, "Unknown error from %(provider)s: %(unknown)s"),
    events.ProviderUnreachable: (
        ERROR,
        (
            "%(provider)s cannot be reached: %(error)s. Pages with captchas wait for it, for up to "
            "%(patience).0f s (CAPTCHA_OUTAGE_PATIENCE), unless another provider is left"
        ),
    ),
    events.ProviderRecovered: (INFO, "%(provider)s answers again, after %(seconds).0f s"),
    events.TaskCreated: (
        DEBUG,
        "Task %(task_id)s created at %(provider)s (%(kind)s): %(request)s",
    ),
    events.CaptchaSolved: (DEBUG, "Captcha solved (%(kind)s): %(request)s"),
    events.SolutionAccepted: (DEBUG, "Solution accepted: %(request)s"),
    events.PageShared: (DEBUG, "Opened by the solution of another page: %(request)s"),
    events.SolutionRejected: (
        INFO,
        "Solution rejected, the site shows %(name)s: %(request)s",
    ),
    events.BalanceKnown: (INFO, "Balance at %(provider)s: %(balance)s%(advice)s"),
    events.BalanceUnknown: (INFO, "Balance at %(provider)s unknown: %(error)s"),
    events.SitePaused: (
        WARNING,
        "Stopped buying solutions for %(site)s for ten minutes: %(why)s",
    ),
    events.CookiesNotKept: (
        WARNING,
        (
            "Stopped buying solutions for %(site)s: two have opened nothing, and %(lost_by)s, "
            "while a site remembers a solution by a cookie"
        ),
    ),
    events.SolutionExpired: (INFO, "Solution not sent (%(kind)s): older than CAPTCHA_TOKEN_LIFE"),
    events.RequestHeld: (DEBUG, "Held back while its session is solved: %(request)s"),
    events.SubmissionFailed: (INFO, "Solution not sent (%(cause_type)s): %(request)s"),
    events.PurchaseRescheduled: (
        INFO,
        (
            "Retrying %(request)s in %(delay).1f s: captcha not solved (%(kind)s), "
            "%(provider)s: %(error)s"
        ),
    ),
    events.ProxyRotated: (
        INFO,
        (
            "Retrying %(request)s through another proxy: captcha not solved (%(kind)s), "
            "%(provider)s: %(error)s"
        ),
    ),
    events.ProxyCoolsDown: (INFO, "Proxy %(proxy)s is cooling down (%(why)s): %(request)s"),
    events.ProxyRemoved: (ERROR, "Stopped using proxy %(proxy)s (%(why)s): %(request)s"),
    events.ProxyPreferred: (DEBUG, "Trying a proxy with fewer captchas: %(request)s"),
    events.ProxiesCoolDown: (
        WARNING,
        "All proxies are cooling down for %(site)s: more in CAPTCHA_PROXIES would help",
    ),
    events.ProxiesUsedUp: (
        WARNING,
        "No proxy is left for %(site)s: CAPTCHA_ON_NO_PROXY says what becomes of its pages",
    ),
    events.BuyingStopped: (
        ERROR,
        (
            "Stopped buying solutions from %(provider)s: %(error)s%(advice)s. Pages with captchas "
            "are given up unless another provider is left"
        ),
    ),
    events.PageGivenUp: (
        WARNING,
        "Giving up on %(request)s: captcha not solved%(of_kind)s, %(reason)s (%(meaning)s)",
    ),
    events.PagePassedOn: (
        WARNING,
        "Passing on %(request)s with its captcha, %(reason)s (%(meaning)s)",
    ),
    events.WallDetected: (INFO, "Blocked by %(name)s: %(request)s"),
    events.RedirectNotFollowed: (
        INFO,
        (
            "Redirect to %(host)s not followed, outside allowed_domains or the site of the "
            "captcha: %(request)s"
        ),
    ),
    events.RobotsTxtUnreachable: (
        WARNING,
        "robots.txt counts as unreachable, the site shows %(name)s: %(request)s",
    ),
    events.PageNotJudged: (
        INFO,
        "Not searched for a captcha, for its %(bound)s: %(request)s",
    ),
    events.RequestNotSerializable: (
        WARNING,
        (
            "Unable to write to JOBDIR: %(request)s: %(cause)s. It is lost if the crawl stops "
            "while it waits for its captcha (others are only counted)"
        ),
    ),
    events.LimitReached: (
        WARNING,
        "Stopped buying solutions %(where)s, %(reason)s: pages with captchas are given up",
    ),
    events.TasksAbandoned: (
        WARNING,
        (
            "Abandoned %(count)d tasks that were paid for as the crawl ends, %(paid)s: set JOBDIR "
            "to a directory, and the next run collects them"
        ),
    ),
}


# Events that are logged once for each of these.
_ONCE: Mapping[type[events.Event], Callable[[Any], str]] = {
    events.ProxiesCoolDown: lambda event: event.site,
    events.ProxiesUsedUp: lambda event: event.site,
    events.RequestNotSerializable: lambda _event: "",
}


class Log:
    """Writes a line for each event that has one, in the name of the spider of *crawler*."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._said: Bounded[bool] = Bounded(_MOST_SAID)
        self._unknown: set[str] = set()

    def __call__(self, event: events.Event) -> None:
        """Logs *event*, by the table."""
        level, line = LINES.get(type(event), (DEBUG, ""))
        if not line or self._is_said(event) or not self._is_news(event):
            return
        if isinstance(event, events.BalanceKnown) and event.balance <= 0:
            level = WARNING
        words = {name: _plain(value) for name, value in _words(event).items()}
        logger.log(level, line, words, extra={"spider": self._crawler.spider})

    def _is_said(self, event: events.Event) -> bool:
        """Whether *event* is of a kind that is logged once, and has been."""
        subject = _ONCE.get(type(event))
        if subject is None:
            return False
        key = type(event), subject(event)
        if self._said.get(key):
            return True
        self._said.put(key, True)
        return False

    def _is_news(self, event: events.Event) -> bool:
        """False for an error of a call, unless its name is unknown and new: for the others, the
        event that they lead to has a line.
        """
        if not isinstance(event, events.CallFailed):
            return True
        name = event.error.provider_code if event.error.code is ErrorCode.UNKNOWN else None
        if not name or name in self._unknown or len(self._unknown) >= _MOST_UNKNOWN:
            return False
        self._unknown.add(name)
        return True


def _words(event: Any) -> dict[str, object]:
    """The values for the line of *event*."""
    words: dict[str, Any] = {field.name: getattr(event, field.name) for field in fields(event)}
    captcha, error = words.get("captcha"), words.get("error")
    if captcha is not None:
        words["kind"] = captcha.kind.value
    if error is not None:
        words |= {"provider": error.provider, "unknown": error.provider_code}
        words["error"] = _described(error)
    if "task_id" in words:
        words["task_id"] = words["task_id"] or "-"
    words["advice"] = _advice(event)
    words["of_kind"] = f" ({captcha.kind.value})" if captcha is not None else ""
    if "reason" in words:
        words["meaning"] = _meaning(words["reason"], error)
    if "cause" in words:
        words["cause_type"] = type(words["cause"]).__name__
    if isinstance(event, events.TasksAbandoned):
        words["paid"] = shown(event.money)
    if isinstance(event, events.BalanceKnown):
        words["balance"] = round(event.balance, 6)
    return words


def _meaning(reason: str, error: SolverError | None) -> str:
    """The meaning of *reason*, for which a page is given up, or of the *error* behind it."""
    if error is None:
        return reason_for(reason).meaning
    if error.code.value != reason:
        return f"{error.provider}: {_described(error)}"
    return f"{', '.join([str(error.provider), *_origin(error)])}: {_cause(error)}"


def _described(error: SolverError) -> str:
    """As ``str(error)``, with the service's own code."""
    origin = ", ".join(_origin(error))
    return f"{error.code.value}{f' ({origin})' if origin else ''}: {_cause(error)}"


def _origin(error: SolverError) -> list[str]:
    """The service's own code of *error* if it differs from ours, and the HTTP status."""
    own = error.provider_code
    status = f"HTTP {error.http_status}" if error.http_status else None
    return [part for part in (own if own != error.code.value else None, status) if part]


def _cause(error: SolverError) -> str:
    return ERRORS[error.code].meaning + (f" ({error.cause})" if error.cause else "")


def _advice(event: events.Event) -> str:
    """Advice on *event*, as the end of its line; "" for none."""
    code = None
    if isinstance(event, events.BuyingStopped):
        code = event.error.code
    elif isinstance(event, events.BalanceKnown) and event.balance <= 0:
        code = ErrorCode.BALANCE_EMPTY
    return f": {_ADVICE[code]}" if code in _ADVICE else ""


def _plain(value: object) -> object:
    """*value* for the log: numbers as they are, all else without terminal control characters."""
    return value if isinstance(value, int | float) else printable(str(value))
