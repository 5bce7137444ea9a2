"""Scrapy's stats under ``captcha/``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy_captcha import events
from scrapy_captcha.money import amount
from scrapy_captcha.purchases import Fate
from scrapy_captcha.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scrapy.crawler import Crawler

_UNSAID = frozenset({Fate.UNUSED, Fate.FAILED})  # no other event reports them


def _of_call(event: events.CallFailed) -> Iterator[str]:
    yield f"error_count/{event.error.code.value}"
    if event.error.possibly_paid:
        yield "possibly_paid_count"


def _of_end(event: events.PurchaseEnded) -> Iterator[str]:
    if event.fate in _UNSAID:
        yield f"{event.fate.value}_count"


def _kinds(name: str) -> Callable[[Any], tuple[str, str]]:
    """*name*, and *name* by the kind of the captcha."""
    return lambda event: (name, f"{name}/{event.captcha.kind.value}")


def _reasons(name: str) -> Callable[[Any], tuple[str, str]]:
    """*name*, and *name* by the reason."""
    return lambda event: (name, f"{name}/{event.reason}")


def _always(*names: str) -> Callable[[Any], tuple[str, ...]]:
    return lambda _event: names


# What each event counts, by one.
COUNTS: Mapping[type[events.Event], Callable[[Any], Any]] = {
    events.CaptchaDetected: _kinds("detected_count"),
    events.SolutionRequested: _always("asked_count"),
    events.CallFailed: _of_call,
    events.TaskCreated: _always("task_count"),
    events.CaptchaSolved: _always("solved_count"),
    events.SolutionAccepted: _always("accepted_count"),
    events.PageShared: _always("shared_count"),
    events.SolutionRejected: _always("rejected_count"),
    events.VerdictReported: _always("report_count"),
    events.SolutionExpired: _always("expired_count"),
    events.RequestHeld: _always("held_count"),
    events.SubmissionFailed: _always("submission_error_count"),
    events.PurchaseRescheduled: lambda event: (
        "reschedule_count",
        f"reschedule_count/{event.error.code.value}",
    ),
    events.ProxyRotated: _always("proxy_rotation_count"),
    events.DownloadMoved: _always("proxy_rotation_count"),
    events.ProxyPreferred: _always("proxy_rotation_count", "rotated_before_paying_count"),
    events.PageGivenUp: _reasons("dropped_count"),
    events.PagePassedOn: _reasons("passed_count"),
    events.WallDetected: lambda event: (f"blocked_count/{event.name}",),
    events.RobotsTxtUnreachable: _always("robots_txt_count"),
    events.PageNotJudged: _always("unjudged_count"),
    events.RequestNotSerializable: _always("unserializable_count"),
    events.PurchaseEnded: _of_end,
}

# What each event sets.
VALUES: Mapping[type[events.Event], Callable[[Any], dict[str, float | None]]] = {
    events.MoneySpent: lambda event: {
        "spent": amount(event.spent),
        "cost_per_accepted": (None if event.per_accepted is None else amount(event.per_accepted)),
    },
    events.SiteEnded: lambda event: {
        f"site/{event.site}/met_count": event.met,
        f"site/{event.site}/task_count": event.bought,
        f"site/{event.site}/accepted_count": event.accepted,
        f"site/{event.site}/rejected_count": event.rejected,
        f"site/{event.site}/spent": amount(event.money),
    },
}

# What each event adds.
SUMS: Mapping[type[events.Event], str] = {
    events.PagesLost: "lost_count",
    events.TasksAbandoned: "abandoned_count",
}


class Stats:
    """Counts events in the stats of *crawler*."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    def __call__(self, event: events.Event) -> None:
        """Counts *event*, by the tables."""
        stats, kind = self._crawler.stats, type(event)
        if kind in COUNTS:
            for name in COUNTS[kind](event):
                stats.inc_value(_key(name))
        elif kind in VALUES:
            for name, value in VALUES[kind](event).items():
                if value is not None:
                    stats.set_value(_key(name), value)
        elif kind in SUMS:
            stats.inc_value(_key(SUMS[kind]), event.count)  # type: ignore[attr-defined] # these have it
        elif isinstance(event, events.RequestParked):
            stats.max_value("captcha/parked_max", event.count)


def _key(name: str) -> str:
    return f"captcha/{printable(name)}"
