"""The solutions of a session: which is sent when, and what the site did with it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from scrapy_captcha.requests import site_of_captcha
from scrapy_captcha.sessions.manners import Manner
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.sessions.records import note
from scrapy_captcha.sessions.waiting import Why
from scrapy_captcha.settings.choices import Scope
from scrapy_captcha.state import CaptchaState

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.http import Request

    from scrapy_captcha.sessions.leadership import Leadership
    from scrapy_captcha.sessions.records import Session, Showing
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.sessions.scope import Sites
    from scrapy_captcha.sessions.traffic import Downloads, Traffic


class Sending:
    """Lets the solutions of a session go to its site one after another, or as the site takes them.

    *now* returns seconds on a clock that only goes forward.
    """

    def __init__(
        self,
        sites: Sites,
        leadership: Leadership,
        traffic: Traffic,
        sessions: Sessions,
        downloads: Downloads,
        now: Callable[[], float],
    ) -> None:
        self._sites = sites
        self._leadership = leadership
        self._traffic = traffic
        self._sessions = sessions
        self._downloads = downloads
        self._now = now

    def session_of(self, request: Request) -> Session:
        """The session in which *request* has its turn, or to which it belongs."""
        led = self._sites.known(CaptchaState.of(request.meta).leads)
        return led or self._sites.session(site_of_captcha(request), self._sessions.name(request))

    def lend_turn(self, ticket: Request) -> None:
        """Notes that *ticket* waits to buy, maybe for solutions that wait for its turn.

        They go first until `take_back_turn`.
        """
        session = self._sites.known(CaptchaState.of(ticket.meta).leads)
        if session is None or not session.is_led:
            return
        session.lends = True
        self._leadership.next_sends(session)

    def take_back_turn(self, ticket: Request) -> None:
        """Notes that *ticket* waits no longer: its turn is its own, unless another has taken it."""
        session = self._sites.known(CaptchaState.of(ticket.meta).leads)
        if session is None:
            return
        if session.lends:
            session.lends = False
        else:
            note(ticket, leads="")

    async def is_needed(self, ticket: Request, showing: Showing) -> bool:
        """Whether the solution of *ticket* is to be sent, once it is its turn to send it.

        It is not where the session was opened after its captcha had been asked for.
        """
        session = self._sites.session(showing.site, showing.session)
        state = CaptchaState.of(ticket.meta)
        self._sites.bought(session, state.solution, showing.at)
        has_turn = await self._until_turn(ticket, session)
        is_by_page = self._sites.scope(session.site) is Scope.PAGE
        if showing.asked_at < session.opened < inf and not is_by_page:
            session.flights.pop(state.solution, None)
            return False
        if has_turn and self._sites.manner(session) is not Manner.APART:
            session.sends = True
            if self._sites.scope(session.site) is not Scope.SITE:
                await self._traffic.until_road_is_clear(session.name, ticket)
            if self._downloads.ahead(ticket) is None and self._sites.takes_two(session):
                self._leadership.waiting.resume_to_send(session.name, Outcome.OPENED)
        return True

    async def _until_turn(self, ticket: Request, session: Session) -> bool:
        """Waits until the solution of *ticket* may be sent; whether it has the turn then.

        It has none where solutions are sent at once, be it on trial.
        """
        state = CaptchaState.of(ticket.meta)
        if state.leads == session.name and session.is_led:
            return True
        while self._sites.manner(session) is not Manner.APART:
            if not session.is_led or session.lends:
                break
            outcome = await self._leadership.waiting.until_resumed(session.name, Why.TO_SEND)
            if outcome is Outcome.TRIAL:
                break
            if outcome is Outcome.OPENED and session.sends and self._sites.takes_two(session):
                session.companion = state.solution
                return False
        else:
            return False
        self._sites.lead(session)
        note(ticket, leads=session.name)
        return True

    def solution_sent(self, request: Request, name: str) -> None:
        """Notes that the solution *name* goes to the site of *request*."""
        self._sites.solution_sent(self.session_of(request), name, self._now())

    def delivered(self, request: Request, name: str, *, sets_cookie: bool, at_gate: bool) -> None:
        """Notes that the solution *name* for *request* has been answered."""
        session = self.session_of(request)
        self._sites.delivered(session, name, sets_cookie=sets_cookie, at_gate=at_gate)

    def answers_with_page(self, request: Request, name: str) -> None:
        """Notes that the answer to *name* was the page of *request*, without a redirect."""
        self._sites.answers_with_page(self.session_of(request), name)

    def count_rejection(self, request: Request, name: str) -> int:
        """Notes that the site shows a captcha for *request* in spite of the solution *name*.

        Returns how many rejections this proves to be the site's own; 0 if ours may be the fault.
        """
        self._sessions.loosen(request)
        return self._sites.count_rejection(self.session_of(request), name)
