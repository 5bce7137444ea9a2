"""The handler: what becomes of one response, from the captcha on it to the page behind it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import CancelledError

from scrapy_captcha.crawl.inspector import is_robots_txt
from scrapy_captcha.crawl.submission import leave_behind
from scrapy_captcha.detection import Verdict
from scrapy_captcha.engine.cookie_jars import served_with
from scrapy_captcha.engine.refreshes import MetaRefreshes
from scrapy_captcha.events import (
    CaptchaDetected,
    ProxiesCoolDown,
    ProxiesUsedUp,
    ProxyPreferred,
    RedirectNotFollowed,
    RequestHeld,
    RobotsTxtUnreachable,
)
from scrapy_captcha.origin import (
    disown,
    is_at_its_gate,
    owner_of,
    post_again,
    redirects,
    remember_origin,
    shown_at,
    to_be_tried_again,
    wanted_url,
)
from scrapy_captcha.requests import site_of, site_of_page
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.settings.choices import NoProxy
from scrapy_captcha.state import KEY, SUBMISSION, CaptchaState, Stage
from scrapy_captcha.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy.http import Request

    from scrapy_captcha.crawl.wiring import Wiring
    from scrapy_captcha.detection import Detection
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.requests import Wait
    from scrapy_captcha.settings.options import Options


class Handler:
    """Leads the requests of one crawl past its captchas."""

    def __init__(self, wiring: Wiring) -> None:
        self._config = wiring.config
        self._priority_adjust = wiring.crawler.settings.getint("REDIRECT_PRIORITY_ADJUST")
        self._domains = wiring.domains
        self._inspector = wiring.inspector
        self._events = wiring.events
        self._sessions = wiring.sessions
        self._flights = wiring.flights
        self._cookie_jars = wiring.cookie_jars
        self._unkept = wiring.unkept
        self._summary = wiring.summary
        self._download_slots = wiring.download_slots
        self._solutions = wiring.solutions
        self._journal = wiring.journal
        self._eligibility = wiring.eligibility
        self._buyer = wiring.buyer
        self._lot = wiring.lot
        self._submitter = wiring.submitter
        self._answer_pages = wiring.answer_pages
        self._outcomes = wiring.outcomes
        self._cache = wiring.cache
        self._carrier = wiring.carrier
        self._failover = wiring.failover
        self._gates = wiring.gates
        self._refreshes = MetaRefreshes(wiring.crawler)

    async def sent(self, request: Request) -> Request | Response | None:
        """What *request* becomes, given its state: None if it is downloaded as it is.

        It may also wait in place, fail, or send a solution.
        """
        self._lot.left(request)
        if request in self._lot:
            return await self._waited_in_place(request)
        if SUBMISSION in request.meta:
            return self._stopped(request) or await self._routed(request, CaptchaState(), keep=True)
        return await self._page_sent(request)

    async def _page_sent(self, request: Request) -> Request | Response | None:
        disown(request)
        options = self._inspector.options(request)
        state = self._fetched(request)
        if state.stage is Stage.FAILED:
            raise self._outcomes.failed(request, state)
        if state.stage is Stage.DROPPED:
            return self._gates.drop_again(request)
        if self._has_left_the_site(request, state):
            raise self._outcomes.dropped(request, "offsite")
        if state.asked and state.stage is not Stage.SUBMITTED:
            return await self._carrier.sent(request, state)
        tried_again = state.priority is not None
        remember_origin(request, whole=tried_again)
        self._cookie_jars.leave_out(request)
        if self._flights.has_begun:
            self._submitter.wants(request)
        if tried_again:
            leave_behind(request, wanted_url(request))
        page = await self._solved(request, state)
        if page is not None:
            return page
        if tried_again and state.is_urgent:
            self._download_slots.first(request)
        again = await self._routed(request, state, keep=state.stage is Stage.SOLVED)
        host = urlparse_cached(request).hostname or ""
        if again is not None or not self._domains.allow_host(host):
            return again
        return await self._held_back(request, state, options)

    def _fetched(self, request: Request) -> CaptchaState:
        """The state of *request*, which is fetched now."""
        state = CaptchaState.of(request.meta)
        fetched = state.to_fetched()
        if fetched is not state:
            request.meta[KEY] = fetched.to_meta()
        return fetched

    def _stopped(self, submission: Request) -> Response | None:
        """The redirect itself, if it would lead *submission* off the site; None if it is followed.

        What is meant for one origin only is removed when the redirect leads to another.
        """
        urls = redirects(submission)
        if not urls:
            return None
        if is_at_its_gate(submission):
            return Response(urls[-1], status=302)
        host = urlparse_cached(submission).hostname or ""
        if self._domains.is_named(host) or site_of(host) == site_of(host_of(urls[0])):
            leave_behind(submission, urls[0])
            return None
        self._events.publish(RedirectNotFollowed(submission, host))
        return Response(urls[-1], status=302)

    async def _routed(self, request: Request, state: CaptchaState, *, keep: bool) -> Request | None:
        """Gives *request* its proxy and user agent; what is sent instead if no proxy is available.

        With *keep* it keeps the proxy that it has.
        """
        patient = self._config.on_no_proxy is NoProxy.WAIT and not keep
        if self._sessions.equip(request, keep_proxy=keep, patient=patient):
            return None
        return await self._without_proxy(request, state)

    async def _held_back(
        self, request: Request, state: CaptchaState, options: Options
    ) -> Request | None:
        """*request* as one to park, if it would only meet the captcha that is being solved."""
        if self._flights.holds_back(request) and not (options.ignore or is_robots_txt(request)):
            self._events.publish(RequestHeld(request))
            return await self._parked(request, state, self._flights.until_open(request))
        self._flights.asked(request, state)
        return None

    async def _without_proxy(self, request: Request, state: CaptchaState) -> Request | None:
        """What is sent instead when no proxy may be used; None to go on without one."""
        wait = self._sessions.cooldown(request)
        happened = ProxiesUsedUp if wait is None else ProxiesCoolDown
        self._events.publish(happened(site_of_page(request)))
        if self._config.on_no_proxy is NoProxy.DIRECT:
            self._sessions.go_directly(request)
            return None
        if self._config.on_no_proxy is NoProxy.DROP or wait is None:
            raise self._outcomes.dropped(request, "no_proxy")
        return await self._parked(request, state, self._sessions.until_rested)

    def _has_left_the_site(self, request: Request, state: CaptchaState) -> bool:
        """Whether a redirect leads where Scrapy's own filter would have stopped *request*.

        It is not asked, because what is tried again must not be filtered as a duplicate.
        """
        tried_again = state.priority is not None and not state.dont_filter
        if request.meta.get("allow_offsite") or not tried_again or not redirects(request):
            return False
        return self._domains.is_offsite(urlparse_cached(request).hostname or "")

    async def _waited_in_place(self, ticket: Request) -> Request:
        try:
            return await self._lot.wait_in_place(ticket)
        except CancelledError:
            raise self._outcomes.dropped(ticket, "closing") from None

    async def _solved(self, request: Request, state: CaptchaState) -> Response | None:
        """The page that a solution opens; None if it is still to be fetched."""
        name = state.solution
        if state.stage is Stage.SUBMITTED:
            return self._answer_pages.decided(name)
        place = self._solutions.take(name) if name else None
        if place is None:
            return None
        with place:
            request.meta[KEY] = state.to(Stage.SUBMITTED).to_meta()
            self._journal.update(request)  # a task whose solution is used is not to be collected
            # They are in the jar, and sent again they would overwrite what the site has set since.
            request.cookies = {}
            self._cookie_jars.prefer_own(request, state.cookies)
            self._flights.sending.solution_sent(request, name)
            before = self._cookie_jars.cookies_for(request)
            page = await self._submitter.send(request, name, place.captcha, place.solution)
            self._cookie_jars.prefer_own(request, state.cookies)
            sets_cookie = self._cookie_jars.cookies_for(request) != before
            at_gate = urlsplit(place.captcha.url).path != urlparse_cached(request).path
            self._flights.sending.delivered(request, name, sets_cookie=sets_cookie, at_gate=at_gate)
            return page

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
        if self._is_to_be_posted_again(request, response, found, state):
            return post_again(request, priority_adjust=self._priority_adjust)
        if found is None or found.verdict is Verdict.WIDGET:
            return self._arrived(request, response, state)
        self._gates.met(request)
        if is_robots_txt(request):
            raise self._without_rules(request, found.name)
        return self._instead(request, response, found, options, asked_at)

    def _instead(
        self,
        request: Request,
        response: Response,
        found: Detection,
        options: Options,
        asked_at: float,
    ) -> Request | Response | Awaitable[Request]:
        """What *response* becomes, which shows *found* instead of the page of *request*."""
        state = CaptchaState.of(request.meta)
        known = None
        if state.stage is Stage.SUBMITTED:
            known = self._judged(request, state, found.name, response.status)
        if known is not None:
            return known
        if found.captcha is None or self._eligibility.has_no_seller(request, found.captcha):
            return self._outcomes.blocked(request, response, found.name, options)
        return self._met(request, response, found.captcha, options, asked_at)

    def _is_to_be_posted_again(
        self, request: Request, response: Response, found: Detection | None, state: CaptchaState
    ) -> bool:
        """Whether *response*, at the URL that a POST was redirected to, is no page of its result.

        It comes after a solution, its own or another page's.
        """
        if not (state.reposts and state.stage in (Stage.SUBMITTED, Stage.SHARED)):
            return False
        stands_for_page = found is not None and found.verdict is not Verdict.WIDGET
        return stands_for_page or len(redirects(request)) > 1 or 400 <= response.status < 500

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

    def _judged(
        self, request: Request, state: CaptchaState, name: str, status: int
    ) -> Request | Response | Awaitable[Request] | None:
        """What becomes of *request*, which shows *name* after its solution; None if rejected."""
        page = self._answer_pages.instead(state.solution)
        if page is not None:
            if page.request is None or "redirect_urls" not in page.request.meta:
                self._flights.sending.answers_with_page(request, state.solution)
            self._cache.add(request, page)
            return self._outcomes.arrived(request, page, state)
        if self._answer_pages.is_undecided(state.solution):
            return self._undecided(request, state, name, status)
        self._outcomes.rejected(request, name, status)
        return None

    def _undecided(
        self, request: Request, state: CaptchaState, name: str, status: int
    ) -> Awaitable[Request]:
        """Waits until it is known whether the answer to the solution was the page of *request*.

        Another page solves meanwhile: its answer shows it.
        """
        self._flights.left(state)
        state = state.to(Stage.WAITING, leads="")
        request.meta[KEY] = state.to_meta()
        wait = partial(self._until_decided, answer=state.solution, name=name, status=status)
        return self._parked(request, state, wait)

    async def _until_decided(self, ticket: Request, answer: str, name: str, status: int) -> Request:
        """*ticket*, to get its page, or to be fetched again because its solution was rejected."""
        is_page = await self._answer_pages.decide(answer)
        state = CaptchaState.of(ticket.meta).to(Stage.SUBMITTED, solution=answer)
        ticket.meta[KEY] = state.to_meta()
        if not is_page:
            self._outcomes.rejected(ticket, name, status)
            ticket.meta[KEY] = state.to(Stage.REQUESTED, solution="").to_meta()
        return ticket

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

    def _met(
        self,
        request: Request,
        response: Response,
        captcha: Captcha,
        options: Options,
        asked_at: float,
    ) -> Request | Response | Awaitable[Request]:
        state = CaptchaState.of(request.meta).to(Stage.DETECTED, shown_at=shown_at(request))
        request.meta[KEY] = state.to_meta()
        self._unkept.shown(request, response)
        if not self._flights.has_begun:
            self._submitter.want_all_under_way()
        showing = self._flights.captcha_shown(
            request,
            asked_at,
            one_visit=captcha.one_visit,
            served=served_with(request, response),
        )
        if not state.met:
            self._events.publish(CaptchaDetected(request, captcha))
            self._summary.captcha_met(request, captcha)
            state = replace(state, met=True, owner=owner_of(request))
            request.meta[KEY] = state.to_meta()
        reason = self._eligibility.reason_not_to_buy(request, captcha, state, options)
        if reason:
            return self._outcomes.given_up(request, response, reason, options, captcha)
        if self._config.rotate_before_paying and not state.rotated:
            elsewhere = self._elsewhere(request, state)
            if elsewhere is not None:
                return elsewhere
        wait = partial(self._buyer.follow_or_buy, captcha=captcha, options=options, showing=showing)
        return self._parked(request, state, wait)

    def _elsewhere(self, request: Request, state: CaptchaState) -> Request | None:
        """What to fetch instead, if another proxy meets far fewer captchas; else None."""
        better = self._summary.books.better(site_of_page(request), self._sessions.label(request))
        again = self._again(request)
        elsewhere = self._sessions.better(again, better) if better else None
        if elsewhere is not None:
            self._events.publish(ProxyPreferred(request))
            self._flights.left(state, Outcome.MOVED)
            state = CaptchaState.of(elsewhere.meta).to(Stage.REQUESTED, rotated=True, leads="")
            elsewhere.meta[KEY] = state.to_meta()
        return elsewhere

    def _parked(self, request: Request, state: CaptchaState, wait: Wait) -> Awaitable[Request]:
        return self._lot.ticket(self._again(request), wait, leads=bool(state.leads))

    def _again(self, request: Request) -> Request:
        is_gate = self._gates.is_of_pages(request)
        return to_be_tried_again(request, priority_adjust=self._priority_adjust, is_gate=is_gate)
