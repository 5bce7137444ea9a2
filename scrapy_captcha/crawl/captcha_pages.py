"""Pages that show a captcha: noted, and given up, fetched through another proxy or solved."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from scrapy_captcha.engine.cookie_jars import served_with
from scrapy_captcha.events import CaptchaDetected, ProxyPreferred
from scrapy_captcha.origin import owner_of, shown_at
from scrapy_captcha.requests import site_of_page
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.state import KEY, CaptchaState, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy.http import Request, Response

    from scrapy_captcha.buying.eligibility import Eligibility
    from scrapy_captcha.buying.purchase import Buyer
    from scrapy_captcha.crawl.detours import Detours
    from scrapy_captcha.crawl.outcomes import Outcomes
    from scrapy_captcha.crawl.submitter import Submitter
    from scrapy_captcha.detection import Detection
    from scrapy_captcha.engine.unkept import UnkeptCookies
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.reporting.summary import Summary
    from scrapy_captcha.sessions.records import Showing
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.sessions.single_flight import SingleFlight
    from scrapy_captcha.settings.options import Options


class Sightings:
    """Notes each captcha that a page shows."""

    def __init__(
        self,
        unkept: UnkeptCookies,
        submitter: Submitter,
        flights: SingleFlight,
        summary: Summary,
        events: Events,
    ) -> None:
        self._unkept = unkept
        self._submitter = submitter
        self._flights = flights
        self._summary = summary
        self._events = events

    def noted(
        self, request: Request, response: Response, captcha: Captcha, asked_at: float
    ) -> Showing:
        """Notes that *response*, the page of *request*, sent at *asked_at*, shows *captcha*."""
        state = CaptchaState.of(request.meta).to(Stage.DETECTED, shown_at=shown_at(request))
        request.meta[KEY] = state.to_meta()
        self._unkept.shown(request, response)
        if not self._flights.has_begun:
            self._submitter.want_all_under_way()
        served = served_with(request, response)
        showing = self._flights.captcha_shown(
            request, asked_at, one_visit=captcha.one_visit, served=served
        )
        if not state.met:
            self._events.publish(CaptchaDetected(request, captcha))
            self._summary.captcha_met(request, captcha)
            state = replace(state, met=True, owner=owner_of(request))
            request.meta[KEY] = state.to_meta()
        return showing


class ProxyPreference:
    """Prefers a proxy that meets far fewer captchas to paying."""

    def __init__(
        self,
        summary: Summary,
        sessions: Sessions,
        flights: SingleFlight,
        events: Events,
        detours: Detours,
    ) -> None:
        self._summary = summary
        self._sessions = sessions
        self._flights = flights
        self._events = events
        self._detours = detours

    def elsewhere(self, request: Request, state: CaptchaState) -> Request | None:
        """What to fetch instead, once a page, if there is such a proxy; else None."""
        if state.rotated:
            return None
        better = self._summary.books.better(site_of_page(request), self._sessions.label(request))
        again = self._detours.again(request)
        elsewhere = self._sessions.better(again, better) if better else None
        if elsewhere is not None:
            self._events.publish(ProxyPreferred(request))
            self._flights.left(state, Outcome.MOVED)
            state = CaptchaState.of(elsewhere.meta).to(Stage.REQUESTED, rotated=True, leads="")
            elsewhere.meta[KEY] = state.to_meta()
        return elsewhere


class CaptchaPages:
    """Decides what becomes of a page that shows a captcha or a wall instead of content."""

    def __init__(
        self,
        sightings: Sightings,
        preference: ProxyPreference | None,
        eligibility: Eligibility,
        buyer: Buyer,
        outcomes: Outcomes,
        detours: Detours,
    ) -> None:
        self._sightings = sightings
        self._preference = preference
        self._eligibility = eligibility
        self._buyer = buyer
        self._outcomes = outcomes
        self._detours = detours

    def instead(
        self,
        request: Request,
        response: Response,
        found: Detection,
        options: Options,
        asked_at: float,
    ) -> Request | Response | Awaitable[Request]:
        """What *response* becomes, which shows *found*; *request* went out at *asked_at*."""
        captcha = found.captcha
        if captcha is None or self._eligibility.has_no_seller(request, captcha):
            return self._outcomes.blocked(request, response, found.name, options)
        showing = self._sightings.noted(request, response, captcha, asked_at)
        state = CaptchaState.of(request.meta)
        reason = self._eligibility.reason_not_to_buy(request, captcha, state, options)
        if reason:
            return self._outcomes.given_up(request, response, reason, options, captcha)
        if self._preference is not None:
            elsewhere = self._preference.elsewhere(request, state)
            if elsewhere is not None:
                return elsewhere
        wait = partial(self._buyer.follow_or_buy, captcha=captcha, options=options, showing=showing)
        return self._detours.parked(request, state, wait)
