"""The Scrapy signals of events, for other components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy_captcha import events, signals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy.crawler import Crawler

# The signal of each event, and the arguments of its receivers, beside *spider*.
SIGNALS: Mapping[type[events.Event], tuple[object, Callable[[Any], dict[str, Any]]]] = {
    events.CaptchaDetected: (
        signals.captcha_detected,
        lambda event: {"request": event.request, "captcha": event.captcha},
    ),
    events.CaptchaSolved: (
        signals.captcha_solved,
        lambda event: {"request": event.request, "captcha": event.captcha},
    ),
    events.SolutionAccepted: (
        signals.solution_accepted,
        lambda event: {"request": event.request},
    ),
    events.SolutionRejected: (
        signals.solution_rejected,
        lambda event: {"request": event.request, "name": event.name},
    ),
    events.PageGivenUp: (
        signals.captcha_given_up,
        lambda event: {"request": event.request, "reason": event.reason},
    ),
    events.BuyingStopped: (
        signals.buying_stopped,
        lambda event: {"provider": event.error.provider, "code": event.error.code},
    ),
}


class Signalling:
    """Sends the signals of events with the signal manager of *crawler*."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    def __call__(self, event: events.Event) -> None:
        """Sends the signal of *event*, if it has one."""
        found = SIGNALS.get(type(event))
        if found is not None:
            signal, given = found
            spider = self._crawler.spider
            self._crawler.signals.send_catch_log(signal=signal, spider=spider, **given(event))
