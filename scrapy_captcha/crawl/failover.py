"""Failover: a page whose proxy has failed is fetched through another proxy of the pool."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scrapy.http.request import NO_CALLBACK

from scrapy_captcha.events import DownloadMoved, ProxyCoolsDown, ProxyRemoved
from scrapy_captcha.proxy import Rest
from scrapy_captcha.requests import has_proxy
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.sessions.proxy_failures import (
    failure_of_proxy,
    is_refusal_of_proxy,
    may_be_of_proxy,
)
from scrapy_captcha.state import KEY, SUBMISSION, CaptchaState

if TYPE_CHECKING:
    from scrapy.http import Request, Response

    from scrapy_captcha.publishing import Events
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.sessions.single_flight import SingleFlight

_MOST_MOVES = 20  # of one page; each has sent a proxy to cool down


class Failover:
    """Cools down proxies that fail the crawl itself, and moves their pages to others at once."""

    def __init__(self, sessions: Sessions, flights: SingleFlight, events: Events) -> None:
        self._sessions = sessions
        self._flights = flights
        self._events = events

    def after_exception(self, request: Request, exception: Exception) -> Request | None:
        """What to fetch instead of *request*, which has failed; None if Scrapy decides."""
        if not has_proxy(request):
            return None
        rest = failure_of_proxy(exception)
        if rest is not None:
            return self._after(request, rest, type(exception).__name__)
        # If the site may be at fault, a session is given up only after a second failure.
        if may_be_of_proxy(exception) and request.meta.get("retry_times"):
            self._sessions.leave_proxy(request)
        return None

    def after_response(self, request: Request, response: Response) -> Request | None:
        """What to fetch instead of *request*, which a proxy has refused to forward; else None."""
        if not (is_refusal_of_proxy(response) and has_proxy(request)):
            return None
        return self._after(request, Rest.OUT, "it asks for other credentials")

    def _after(self, request: Request, rest: Rest, why: str) -> Request | None:
        proxy = self._sessions.label(request)
        if self._sessions.proxy_failed(request, rest):
            happened = ProxyRemoved if rest is Rest.OUT else ProxyCoolsDown
            self._events.publish(happened(request, proxy, why))
        state = CaptchaState.of(request.meta)
        if _belongs_to_proxy(request) or state.moves >= _MOST_MOVES:
            return None
        again = self._sessions.elsewhere(request)
        if again is None:
            return None
        self._events.publish(DownloadMoved())
        self._flights.left(state, Outcome.MOVED)
        again.dont_filter = True
        again.meta[KEY] = replace(state, moves=state.moves + 1, leads="").to_meta()
        return again


def _belongs_to_proxy(request: Request) -> bool:
    """Whether *request*, a submission or a picture, is useful only through its page's proxy."""
    is_picture = request.callback is NO_CALLBACK and request.meta.get("captcha") is False
    return is_picture or SUBMISSION in request.meta
