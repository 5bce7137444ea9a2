"""The handler: what becomes of one response, from the captcha on it to the page behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest

from scrapy_captcha.crawl.borders import Borders
from scrapy_captcha.crawl.captcha_pages import CaptchaPages, ProxyPreference, Sightings
from scrapy_captcha.crawl.carrier import Carrier
from scrapy_captcha.crawl.delivery import Delivery
from scrapy_captcha.crawl.departures import Departures
from scrapy_captcha.crawl.detours import Detours
from scrapy_captcha.crawl.failover import Failover
from scrapy_captcha.crawl.inspector import is_robots_txt
from scrapy_captcha.crawl.outgoing import Outgoing
from scrapy_captcha.crawl.verdicts import PageVerdicts
from scrapy_captcha.detection import Verdict
from scrapy_captcha.engine.http_cache import HttpCache
from scrapy_captcha.engine.refreshes import MetaRefreshes
from scrapy_captcha.events import RobotsTxtUnreachable
from scrapy_captcha.state import SUBMISSION, CaptchaState, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy.http import Request, Response

    from scrapy_captcha.crawl.wiring import Wiring


class Handler:
    """Leads the requests of one crawl past its captchas."""

    def __init__(self, wiring: Wiring) -> None:
        self._inspector = wiring.inspector
        self._events = wiring.events
        self._flights = wiring.flights
        self._summary = wiring.summary
        self._gates = wiring.gates
        self._carrier = Carrier(
            wiring.solutions, wiring.submitter, wiring.site_answers, wiring.outcomes
        )
        self._failover = Failover(wiring.sessions, wiring.flights, wiring.events)
        self._outcomes = wiring.outcomes
        self._refreshes = MetaRefreshes(wiring.crawler)
        priority_adjust = wiring.crawler.settings.getint("REDIRECT_PRIORITY_ADJUST")
        detours = Detours(wiring.lot, wiring.gates, priority_adjust)
        self._outgoing = _outgoing(wiring, self._carrier, detours)
        self._captcha_pages = _captcha_pages(wiring, detours)
        self._verdicts = PageVerdicts(
            wiring.answer_pages,
            wiring.flights,
            HttpCache(wiring.crawler, wiring.inspector.is_hidden),
            wiring.site_answers,
            wiring.outcomes,
            detours,
        )

    async def sent(self, request: Request) -> Request | Response | None:
        """What *request* becomes, given its state: None if it is downloaded as it is.

        It may also wait in place, fail, or send a solution.
        """
        return await self._outgoing.dispatch(request)

    def answered(
        self, request: Request, response: Response
    ) -> Request | Response | Awaitable[Request]:
        """What *response* becomes: content goes on, a captcha page only if the user wants it to."""
        again = self._failover.after_response(request, response)
        if again is None:
            return self._answered(request, response)
        self._flights.came_back(request)
        return again

    def _answered(
        self, request: Request, response: Response
    ) -> Request | Response | Awaitable[Request]:
        if SUBMISSION in request.meta:
            return response
        response.request = request  # and not the submission that it may be the answer to
        state, options = CaptchaState.of(request.meta), self._inspector.options(request)
        found = None if state.passed else self._inspector.found(request, response)
        challenged = found is not None and found.verdict is Verdict.CHALLENGE
        asked_at = self._flights.came_back(request, response, challenged=challenged)
        if not is_robots_txt(request):
            self._summary.page(request, response, found)
        if state.asked and state.stage is Stage.SUBMITTED:
            return self._carrier.answered(request, response, found)
        known: Request | Response | Awaitable[Request] | None
        known = self._verdicts.posted_again(request, response, found, state)
        if known is not None:
            return known
        if found is None or found.verdict is Verdict.WIDGET:
            return self._arrived(request, response, state)
        self._gates.met(request)
        if is_robots_txt(request):
            raise self._without_rules(request, found.name)
        if state.stage is Stage.SUBMITTED:
            known = self._verdicts.judged(request, state, found.name, response.status)
        return known or self._captcha_pages.instead(request, response, found, options, asked_at)

    def _arrived(
        self, request: Request, response: Response, state: CaptchaState
    ) -> Request | Response:
        if not state.is_beginning and self._refreshes.follows(request, response):
            return response  # it is judged by what it leads to
        if response.status >= 500:
            self._gates.failed(request)
        else:
            self._gates.answered(request)
            if state.stage is Stage.PROBING:
                return self._gates.vanish(request)
        return self._outcomes.arrived(request, response, state)

    def _without_rules(self, request: Request, name: str) -> IgnoreRequest:
        """To be raised: Scrapy treats robots.txt as unreachable, and its captcha is not solved.

        While robots.txt is awaited, all requests of its host hold their download slots.
        """
        self._events.publish(RobotsTxtUnreachable(request, name))
        return IgnoreRequest(f"robots.txt shows {name}")

    def failed(self, request: Request, exception: Exception) -> Request | None:
        """What to fetch instead of a page whose proxy has failed; None if Scrapy decides.

        A page that cannot be fetched solves for no other.
        """
        self._gates.failed(request)
        self._flights.came_back(request)
        again = self._failover.after_exception(request, exception)
        if again is None:
            self._flights.left(CaptchaState.of(request.meta))
        return again


def _outgoing(of: Wiring, carrier: Carrier, detours: Detours) -> Outgoing:
    borders = Borders(of.domains, of.events)
    departures = Departures(
        of.config.on_no_proxy,
        of.domains,
        of.download_slots,
        of.sessions,
        of.flights,
        of.outcomes,
        detours,
        of.events,
    )
    delivery = Delivery(
        of.solutions, of.submitter, of.answer_pages, of.cookie_jars, of.flights, of.journal
    )
    return Outgoing(
        of.inspector, of.lot, of.gates, borders, delivery, departures, carrier, of.outcomes
    )


def _captcha_pages(of: Wiring, detours: Detours) -> CaptchaPages:
    sightings = Sightings(of.unkept, of.submitter, of.flights, of.summary, of.events)
    preference = ProxyPreference(of.summary, of.sessions, of.flights, of.events, detours)
    return CaptchaPages(
        sightings,
        preference if of.config.rotate_before_paying else None,
        of.eligibility,
        of.buyer,
        of.outcomes,
        detours,
    )
