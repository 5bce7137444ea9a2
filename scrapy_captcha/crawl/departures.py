"""Whether a request goes out now: not without its proxy, nor while its session is solved for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.utils.httpobj import urlparse_cached

from scrapy_captcha.crawl.inspector import is_robots_txt
from scrapy_captcha.events import ProxiesCoolDown, ProxiesUsedUp, RequestHeld
from scrapy_captcha.requests import site_of_page
from scrapy_captcha.settings.choices import NoProxy

if TYPE_CHECKING:
    from scrapy.http import Request

    from scrapy_captcha.crawl.detours import Detours
    from scrapy_captcha.crawl.outcomes import Outcomes
    from scrapy_captcha.engine.download_slots import DownloadSlots
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.sessions.single_flight import SingleFlight
    from scrapy_captcha.settings.domains import Domains
    from scrapy_captcha.settings.options import Options
    from scrapy_captcha.state import CaptchaState


class Departures:
    """Gives requests their proxies, and parks those that have to wait."""

    def __init__(
        self,
        on_no_proxy: NoProxy,
        domains: Domains,
        slots: DownloadSlots,
        sessions: Sessions,
        flights: SingleFlight,
        outcomes: Outcomes,
        detours: Detours,
        events: Events,
    ) -> None:
        self._on_no_proxy = on_no_proxy
        self._domains = domains
        self._download_slots = slots
        self._sessions = sessions
        self._flights = flights
        self._outcomes = outcomes
        self._detours = detours
        self._events = events

    async def routed(self, request: Request, state: CaptchaState, *, keep: bool) -> Request | None:
        """Gives *request* its proxy and user agent; what is sent instead if no proxy is available.

        With *keep* it keeps the proxy that it has.
        """
        if state.priority is not None and state.is_urgent:
            self._download_slots.first(request)
        patient = self._on_no_proxy is NoProxy.WAIT and not keep
        if self._sessions.equip(request, keep_proxy=keep, patient=patient):
            return None
        return await self._without_proxy(request, state)

    async def held_back(
        self, request: Request, state: CaptchaState, options: Options
    ) -> Request | None:
        """*request* as one to park, if it would only meet the captcha that is being solved."""
        if not self._domains.allow_host(urlparse_cached(request).hostname or ""):
            return None
        if self._flights.holds_back(request) and not (options.ignore or is_robots_txt(request)):
            self._events.publish(RequestHeld(request))
            return await self._detours.parked(request, state, self._flights.until_open(request))
        self._flights.asked(request, state)
        return None

    async def _without_proxy(self, request: Request, state: CaptchaState) -> Request | None:
        """What is sent instead when no proxy may be used; None to go on without one."""
        wait = self._sessions.cooldown(request)
        happened = ProxiesUsedUp if wait is None else ProxiesCoolDown
        self._events.publish(happened(site_of_page(request)))
        if self._on_no_proxy is NoProxy.DIRECT:
            self._sessions.go_directly(request)
            return None
        if self._on_no_proxy is NoProxy.DROP or wait is None:
            raise self._outcomes.dropped(request, "no_proxy")
        return await self._detours.parked(request, state, self._sessions.until_rested)
