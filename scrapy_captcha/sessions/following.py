"""A page that shows a captcha: it leads its session, or waits for the page that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from scrapy_captcha.sessions.manners import Manner
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.sessions.records import note
from scrapy_captcha.sessions.scope import Role
from scrapy_captcha.sessions.waiting import Why
from scrapy_captcha.state import CaptchaState, Stage

if TYPE_CHECKING:
    from scrapy.http import Request

    from scrapy_captcha.requests import Served
    from scrapy_captcha.sessions.leadership import Leadership
    from scrapy_captcha.sessions.records import Session, Showing
    from scrapy_captcha.sessions.scope import Sites
    from scrapy_captcha.sessions.traffic import Traffic

_MOST_AGAIN = 5  # times that a page is fetched again for the solution of another page


class Jars(Protocol):
    """What is to be known of the cookie jars."""

    def have_replaced(self, request: Request, served: Served) -> bool:
        """Whether the jar of *request* has got other values for the cookies *served* since."""

    def are_as_served(self, request: Request, served: Served) -> bool:
        """Whether the jar of *request* has just the cookies *served*."""


class Following:
    """Decides what a page does whose captcha another page of its session may solve."""

    def __init__(self, sites: Sites, leadership: Leadership, traffic: Traffic, jars: Jars) -> None:
        self._sites = sites
        self._leadership = leadership
        self._traffic = traffic
        self._jars = jars

    async def is_to_be_fetched_again(self, ticket: Request, showing: Showing) -> bool:
        """Whether *ticket* is fetched again, as another page has solved for its session meanwhile.

        Waits for the leader if there is one; otherwise *ticket* has to solve for itself, for which
        its captcha may be too old already.
        """
        # The ticket may be of another site, which redirects to the one that shows the captcha.
        name, session = showing.session, self._sites.session(showing.site, showing.session)
        state = CaptchaState.of(ticket.meta)
        leads = state.leads == name and session.is_led
        if leads:
            self._leadership.stop_watching(session)
        elif state.leads not in ("", name):
            self._leadership.end_lead(state.leads, Outcome.MOVED)
        role, outcome = self._sites.role(session, showing.asked_at, leads=leads), Outcome.FAILED
        if leads and role is Role.ALONE:
            self._leadership.end_lead(name, Outcome.FAILED)
        why = Why.AGAIN if state.again else Why.SHOWN
        if role is Role.FOLLOW:
            note(ticket, Stage.WAITING)
        while role is Role.FOLLOW:
            outcome = await self._leadership.waiting.until_resumed(name, why)
            if outcome is not Outcome.FAILED and not (
                outcome is Outcome.PENDING and self._sites.are_visits(name)
            ):
                break
            role = self._sites.role(session, showing.asked_at)
        if role is Role.AGAIN:
            outcome = self._again(session)
        return await self._decided(ticket, showing, role, outcome)

    async def _decided(
        self, ticket: Request, showing: Showing, role: Role, outcome: Outcome
    ) -> bool:
        name, session = showing.session, self._sites.session(showing.site, showing.session)
        state = CaptchaState.of(ticket.meta)
        one_by_one = self._sites.are_visits(name)
        leads = role is Role.LEAD or outcome is Outcome.TRIAL
        if role is Role.LEAD:
            self._leadership.stop_watching(session)
        again = outcome in {Outcome.OPENED, Outcome.TRIAL, Outcome.MOVED}
        if again and state.again >= _MOST_AGAIN and not leads:
            leads = one_by_one and not session.is_led  # it solves itself where it is not let in
            again = one_by_one
            session.is_led = session.is_led or leads
        stage = state.stage
        if again:
            stage = Stage.TURN if outcome is Outcome.MOVED else Stage.SHARED
        note(ticket, stage, leads=name if leads else "", again=state.again + again)
        if again or outcome is Outcome.PENDING:
            return again
        if one_by_one:
            return not await self._is_answerable(ticket, showing, session)
        return await self._has_another_session(ticket, showing)

    def _again(self, session: Session) -> Outcome:
        """How a page is fetched again whose session was opened meanwhile."""
        if self._sites.manner(session) is not Manner.VISITS:
            return Outcome.OPENED
        self._sites.lead(session)
        return Outcome.TRIAL

    async def _has_another_session(self, ticket: Request, showing: Showing) -> bool:
        """Whether the captcha of *ticket* may be for cookies that the jar has no more."""
        again = CaptchaState.of(ticket.meta).again
        if again >= _MOST_AGAIN:
            return False
        if not await self._traffic.have_cookies_settled(ticket, showing.asked_at):
            return False
        if self._jars.are_as_served(ticket, showing.served):
            return False
        note(ticket, again=again + 1)
        return True

    async def _is_answerable(self, ticket: Request, showing: Showing, session: Session) -> bool:
        """Whether no captcha has been shown after that of *ticket*, which would be expected now.

        Nor may another answer have replaced the session that its page belongs to.
        """
        await self._traffic.until_session_is_back(showing.session)
        is_latest = showing.is_latest and session.shown == showing.at
        if is_latest and not self._jars.have_replaced(ticket, showing.served):
            return True
        state = CaptchaState.of(ticket.meta)
        is_kept = state.again >= _MOST_AGAIN
        note(ticket, state.stage if is_kept else Stage.TURN, again=state.again + 1)
        return is_kept
