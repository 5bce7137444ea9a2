"""Single flight: one page of a session, the leader, solves its captcha, and the others wait.

Pages that show a captcha wait for the outcome of the leader, and so do new pages that would only
meet the same captcha, or would be in its way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scrapy_captcha.clock import Timed
from scrapy_captcha.requests import site_of_captcha
from scrapy_captcha.sessions.following import Following
from scrapy_captcha.sessions.leadership import Leadership
from scrapy_captcha.sessions.manners import Manner
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.sessions.records import Showing, note
from scrapy_captcha.sessions.scope import Sites
from scrapy_captcha.sessions.sending import Sending
from scrapy_captcha.sessions.traffic import Traffic
from scrapy_captcha.sessions.waiting import Why
from scrapy_captcha.state import CaptchaState, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.http import Request, Response

    from scrapy_captcha.requests import Served, Wait
    from scrapy_captcha.sessions.following import Jars
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.sessions.traffic import Downloads
    from scrapy_captcha.settings.choices import Scope

_HAS_TURN = (Stage.TURN, Stage.SHARED)


class SingleFlight(Timed):
    """Lets one page of each session solve, while the others wait for the outcome.

    No page waits longer than *patience* seconds for another that makes no progress; *now* returns
    seconds on a clock that only goes forward. *on_shared* is called with each page that came by the
    solution of another.

    Until a page shows a captcha, only the times of requests and responses are noted, by `traffic`.
    Pages that show one wait in `following`, and those that have a solution in `sending`.
    """

    def __init__(
        self,
        scope: Scope,
        sessions: Sessions,
        downloads: Downloads,
        jars: Jars,
        on_shared: Callable[[Request], object],
        now: Callable[[], float],
        patience: float,
    ) -> None:
        self._sites = Sites(scope)
        self._sessions = sessions
        self._on_shared = on_shared
        self._now = now
        self._leadership = Leadership(self._sites, downloads, patience)
        self._waiting = self._leadership.waiting
        self.traffic = Traffic(sessions, downloads, now)
        self.following = Following(self._sites, self._leadership, self.traffic, jars)
        self.sending = Sending(
            self._sites, self._leadership, self.traffic, sessions, downloads, now
        )

    @property
    def has_begun(self) -> bool:
        """Whether a page has shown a captcha."""
        return self.traffic.has_begun

    def asked(self, request: Request, state: CaptchaState) -> None:
        """Notes that *request* goes out now, with *state*."""
        self.traffic.went(request)
        session = self._sites.known(state.leads)
        if session is not None:
            self._leadership.watch(request, session)

    def came_back(
        self, request: Request, response: Response | None = None, *, challenged: bool = False
    ) -> float:
        """Notes that *request* has been answered with *response*, or has failed.

        *challenged* says that *response* is a captcha, which is then passed to `captcha_shown`.
        Returns when *request* went out: a time in the far past if that is unknown.
        """
        asked_at = self.traffic.came_back(request, response, challenged=challenged)
        if self.has_begun and response is not None and response.status < 400 and not challenged:
            self._came_free(request, asked_at)
        return asked_at

    def _came_free(self, request: Request, asked_at: float) -> None:
        """The page of *request*, which went out at *asked_at*, shows no captcha."""
        if CaptchaState.of(request.meta).stage is Stage.SUBMITTED:
            return
        session = self._sites.known(self._sessions.name(request))
        if session is not None:
            self._sites.came_free(session, asked_at)
            self._leadership.let_new_go(session)

    def holds_back(self, request: Request) -> bool:
        """Whether *request* would be in the way of its session, or only meet what is solved."""
        if not self._sites.have_met_captchas:
            return False
        state = CaptchaState.of(request.meta)
        if state.leads or state.stage is Stage.SUBMITTED:
            return False
        return self._holds_back(self._sessions.name(request), state)

    def _holds_back(self, name: str, state: CaptchaState) -> bool:
        session = self._sites.known(name)
        if session is None:
            return False
        queued = self._sites.manner(session) is Manner.VISITS and self._waiting.has(name)
        return self._sites.holds_new_back(session) or (queued and state.stage not in _HAS_TURN)

    def until_open(self, request: Request) -> Wait:
        """The wait of *request*, which is held back: it ends once it may be fetched."""
        return partial(self._until_open, name=self._sessions.name(request))

    async def _until_open(self, ticket: Request, name: str) -> Request:
        why = Why.AGAIN if CaptchaState.of(ticket.meta).again else Why.NEW
        came = CaptchaState.of(ticket.meta).stage
        if came not in _HAS_TURN:
            note(ticket, Stage.WAITING)
        while self._holds_back(name, CaptchaState.of(ticket.meta)):  # it may have waited for room
            session = self._sites.known(name)
            if session is not None and not session.is_led and session.watch is None:
                self._leadership.expect(session)
            outcome = await self._waiting.until_resumed(name, why)
            is_kept = outcome in {Outcome.FAILED, Outcome.PENDING}
            if not (is_kept and self._sites.are_visits(name)):
                leads = name if outcome is Outcome.TRIAL else ""
                note(ticket, came if came in _HAS_TURN else Stage.TURN, leads=leads)
                break
        return ticket

    def redirected(self, request: Request) -> None:
        """Notes that *request*, which a redirect has made, is not sent now, and so is back."""
        self.traffic.was_not_sent(request)

    def is_led_by_another(self, request: Request) -> bool:
        """Whether another page than that of *request* solves for its session."""
        name = self._sessions.name(request)
        session = self._sites.known(name)
        return (
            session is not None and session.is_led and CaptchaState.of(request.meta).leads != name
        )

    async def until_solved(self, ticket: Request) -> Request:
        """*ticket*, once its session has no leader any more: the wait of a page that has been
        redirected to a captcha, which has not been fetched. It may be the next to lead.
        """
        asked_at = self.traffic.withdraw(ticket)
        name, site = self._sessions.name(ticket), site_of_captcha(ticket)
        showing = Showing(name, site, asked_at, self._now(), is_latest=False)
        note(ticket, Stage.WAITING)
        await self.following.is_to_be_fetched_again(ticket, showing)
        return ticket

    def captcha_shown(
        self, request: Request, asked_at: float, *, one_visit: bool, served: Served
    ) -> Showing:
        """Notes that *request*, sent at *asked_at*, shows a captcha that may be for *one_visit*.

        *served* are the cookies that it was served under.
        """
        self.traffic.captcha_came(request)
        now, name, site = self._now(), self._sessions.name(request), site_of_captcha(request)
        session = self._sites.session(site, name)
        before = self._sites.captcha_shown(session, now, one_visit=one_visit)
        return Showing(name, site, asked_at, now, before < asked_at, served)

    def is_overtaken(self, ticket: Request) -> bool:
        """Whether *ticket* is to be fetched again, and nothing to be bought for it.

        Its session has been found to take one visit at a time since, and it has no turn there.
        """
        state = CaptchaState.of(ticket.meta)
        if state.asked or state.task_id is not None or state.purchase_id:
            return False
        name = self._sessions.name(ticket)
        return state.leads != name and self._sites.are_visits(name)

    def page_came(self, request: Request, state: CaptchaState) -> None:
        """Notes that the page of *request* has come."""
        if state.stage is Stage.SUBMITTED:
            self._opened(request, state)
            return
        is_shared = state.stage is Stage.SHARED
        if is_shared:
            self._sites.opened_to_all(site_of_captcha(request))
            self._on_shared(request)
        if state.leads:
            came = is_shared or self._sites.are_visits(state.leads)
            self._leadership.end_lead(state.leads, Outcome.OPENED if came else Outcome.MOVED)

    def _opened(self, request: Request, state: CaptchaState) -> None:
        """The page of *request* has come for its own solution."""
        session = self.sending.session_of(request)
        self._sites.solution_accepted(session, state.solution)
        self._sessions.confirm(request)
        is_apart = self._sites.manner(session) is Manner.APART
        if session.companion == state.solution and session.is_led and not is_apart:
            return  # another page has the turn still
        self._sites.opened(session, self._now())
        self._leadership.go_on(session)

    def left(self, state: CaptchaState, outcome: Outcome = Outcome.FAILED) -> None:
        """Notes that the page with *state* solves for its session no more."""
        if state.leads:
            self._leadership.end_lead(state.leads, outcome)

    def lets_others_lead(self, ticket: Request) -> None:
        """Lets others of its session lead while the purchase of *ticket* waits for its provider.

        Not where its session takes one visit at a time: their captchas would replace its own.
        """
        state = CaptchaState.of(ticket.meta)
        if state.leads and not self._sites.are_visits(state.leads):
            note(ticket, leads="")
            self._leadership.end_lead(state.leads, Outcome.FAILED)

    def cancel_timers(self) -> None:
        """As in `Timed`."""
        self._leadership.cancel_timers()
        self.traffic.cancel_timers()
