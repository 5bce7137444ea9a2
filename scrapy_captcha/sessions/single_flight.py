"""Single flight: one page of a session, the leader, solves its captcha, and the others wait.

Pages that show a captcha wait for the outcome of the leader, and so do new pages that would only
meet the same captcha, or would be in its way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from twisted.internet.task import deferLater

from scrapy_captcha.clock import CLOCK
from scrapy_captcha.requests import site_of_captcha
from scrapy_captcha.sessions.in_flight import InFlight
from scrapy_captcha.sessions.manners import Manner
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.sessions.scope import Sites, Turn
from scrapy_captcha.sessions.waiting import WaitingPages, Why
from scrapy_captcha.settings.choices import Scope
from scrapy_captcha.state import ASKED_AT, KEY, NEWCOMER, CaptchaState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from scrapy.http import Request, Response
    from twisted.internet.interfaces import IDelayedCall

    from scrapy_captcha.requests import Served, Story
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.sessions.scope import Session


_LONG_AGO = -inf
_LOOK_AFTER = 15.0  # seconds
_LOST_AFTER = 60.0  # seconds in which a page that has got its turn is expected to go out
_CHECK = 0.02  # seconds between two checks of the pages that are still away
_LONGEST_CLEARING = 60.0  # seconds for pages that are away before a captcha is answered
_LONGEST_TRANSFER = 5.0  # the same before a solution is sent, which ages
_AT_ONCE = 8  # new pages that go out between two turns
_ALL = 1_000_000
_MOST_AGAIN = 5  # times that a page is fetched again for the solution of another page


@dataclass(frozen=True, slots=True)
class Showing:
    """When a page of *session* that shows a captcha was asked for, and came.

    * *is_latest*: whether no other captcha of the session has come in between
    * *served*: the cookies that the page was served under
    """

    session: str
    site: str
    asked_at: float
    at: float
    is_latest: bool
    served: Served = frozenset()


class SingleFlight:
    """Lets one page of each session solve, while the others wait for the outcome.

    No page waits longer than *patience* seconds for another that makes no progress; *now* returns
    seconds on a clock that only goes forward, *under_way* the requests in the downloader, *ahead*
    the requests that reach the site before one that overtakes: None for all that are under way.
    *have_replaced* whether a request's jar has got other values for cookies since, *are_as_served*
    whether it has just the cookies that a page was served under. *on_shared* is called with each
    page that came by the solution of another.

    Until a page shows a captcha, only the times of requests and responses are noted.
    """

    def __init__(
        self,
        scope: Scope,
        sessions: Sessions,
        on_shared: Callable[[Request], object],
        now: Callable[[], float],
        patience: float,
        ahead: Callable[[Request], Collection[Request] | None],
        under_way: Callable[[], Collection[Request]],
        have_replaced: Callable[[Request, Served], bool],
        are_as_served: Callable[[Request, Served], bool],
    ) -> None:
        self._sites = Sites(scope)
        self._sessions = sessions
        self._on_shared = on_shared
        self._now = now
        self._ahead = ahead
        self._under_way = under_way
        self._have_replaced = have_replaced
        self._are_as_served = are_as_served
        self.has_begun = False
        self._waiting = WaitingPages(CLOCK, patience)
        self._in_flight = InFlight(now)
        self._looks: dict[str, IDelayedCall] = {}

    def went_quietly(self, request: Request) -> None:
        """Notes that *request* goes out now, while no session has a leader."""
        self._sessions.goes(request)
        if not (ASKED_AT in request.meta and "redirect_urls" in request.meta):
            request.meta[ASKED_AT] = self._now()  # else it was asked for before its redirect

    def came_back_quietly(self, request: Request, response: Response) -> None:
        """Notes that *response* is the page of *request*, while no session has a leader."""
        meta = request.meta
        self._sessions.comes(request)
        self._sessions.came(request)
        meta.pop(ASKED_AT, None)
        meta.pop(NEWCOMER, None)  # of an earlier run
        if "Set-Cookie" in response.headers or "redirect_urls" in meta:
            self._in_flight.stranger_came_back()

    def asked(self, request: Request, state: CaptchaState) -> None:
        """Notes that *request* goes out now, with *state*."""
        self.went_quietly(request)
        if state.leads:
            self._watch(request, state.leads)
        if self.has_begun:
            self._in_flight.went(request)

    def answered(
        self, request: Request, response: Response | None = None, *, challenged: bool = False
    ) -> float:
        """Notes that *request* has been answered with *response*, or has failed.

        *challenged* says that *response* is a captcha, which is then passed to `met`. Returns when
        *request* went out: a time in the far past if that is unknown.
        """
        self._sessions.comes(request)
        noted = request.meta.get(ASKED_AT)
        asked_at = noted if isinstance(noted, float) else _LONG_AGO
        if self.has_begun:
            with_cookie = response is not None and "Set-Cookie" in response.headers
            self._in_flight.came_back(request, with_cookie=with_cookie)
            if response is not None and response.status < 400 and not challenged:
                self._came_free(request, asked_at)
        elif response is not None and not challenged:
            self.came_back_quietly(request, response)
        request.meta.pop(ASKED_AT, None)
        return asked_at

    def is_shut(self, request: Request) -> bool:
        """Whether *request* would be in the way of its session, or only meet what is solved."""
        if not self._sites.have_met_captchas:
            return False
        state = CaptchaState.of(request.meta)
        if state.leads or state.submitted:
            return False
        return self._is_shut(self._sessions.name(request), state)

    def _is_shut(self, name: str, state: CaptchaState) -> bool:
        session = self._sites.known(name)
        if session is None:
            return False
        queued = self._sites.manner(session) is Manner.VISITS and self._waiting.has(name)
        return self._sites.is_shut(session) or (queued and not state.goes)

    def until_open(self, request: Request) -> Story:
        """The wait of *request*, which is held back: it ends once it may be fetched."""
        return partial(self._until_open, name=self._sessions.name(request))

    async def _until_open(self, ticket: Request, name: str) -> Request:
        why = Why.AGAIN if CaptchaState.of(ticket.meta).again else Why.NEW
        while self._is_shut(name, CaptchaState.of(ticket.meta)):  # it may have waited for room
            session = self._sites.known(name)
            if session is not None and not session.is_led and name not in self._looks:
                self._look_later(name)
            outcome = await self._waiting.wait(name, why)
            is_kept = outcome in {Outcome.FAILED, Outcome.PENDING}
            if not (is_kept and self._is_one_by_one(name)):
                leads = name if outcome is Outcome.TRIAL else ""
                self._note(ticket, leads=leads, goes=True)
                break
        return ticket

    def redirected(self, request: Request) -> None:
        """Notes that *request*, which a redirect has made, is not sent now, and so is back."""
        if self.has_begun:
            self._in_flight.came_back(request, with_cookie=False)

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
        asked_at = ticket.meta.pop(ASKED_AT, _LONG_AGO)
        name, site = self._sessions.name(ticket), site_of_captcha(ticket)
        showing = Showing(name, site, asked_at, self._now(), is_latest=False)
        await self.is_to_be_fetched_again(ticket, showing)
        return ticket

    def met(self, request: Request, asked_at: float, *, one_visit: bool, served: Served) -> Showing:
        """Notes that *request*, sent at *asked_at*, shows a captcha that may be for *one_visit*.

        *served* are the cookies that it was served under.
        """
        if not self.has_begun:
            self.has_begun = True
            for other in self._under_way():
                # Some have not gone out yet or are back, and are kept by another middleware.
                if other is request or ASKED_AT in other.meta:
                    other.meta.pop(NEWCOMER, None)  # of an earlier run
                    self._in_flight.went(other)
            self._in_flight.came_back(request, with_cookie=False)
        now = self._now()
        before = self._sites.met(self._session(request), now, one_visit=one_visit)
        self._in_flight.met_captcha(request)
        name, site = self._sessions.name(request), site_of_captcha(request)
        return Showing(name, site, asked_at, now, before < asked_at, served)

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
            self._stop_watching(name)
        elif state.leads not in ("", name):
            self._left(state.leads, Outcome.MOVED)
        turn, outcome = self._sites.turn(session, showing.asked_at, leads=leads), Outcome.FAILED
        if leads and turn is Turn.ALONE:
            self._left(name, Outcome.FAILED)
        why = Why.AGAIN if state.again else Why.SHOWN
        while turn is Turn.FOLLOW:
            outcome = await self._waiting.wait(name, why)
            if outcome is not Outcome.FAILED and not (
                outcome is Outcome.PENDING and self._is_one_by_one(name)
            ):
                break
            turn = self._sites.turn(session, showing.asked_at)
        if turn is Turn.AGAIN:
            outcome = self._again(session)
        return await self._decided(ticket, showing, turn, outcome)

    async def _decided(
        self, ticket: Request, showing: Showing, turn: Turn, outcome: Outcome
    ) -> bool:
        name, session = showing.session, self._sites.session(showing.site, showing.session)
        state = CaptchaState.of(ticket.meta)
        one_by_one = self._is_one_by_one(name)
        leads = turn is Turn.LEAD or outcome is Outcome.TRIAL
        if turn is Turn.LEAD:
            self._stop_watching(name)
        again = outcome in {Outcome.OPENED, Outcome.TRIAL, Outcome.MOVED}
        if again and state.again >= _MOST_AGAIN and not leads:
            leads = one_by_one and not session.is_led  # it solves itself where it is not let in
            again = one_by_one
            session.is_led = session.is_led or leads
        self._note(
            ticket,
            leads=name if leads else "",
            follows=again and outcome is not Outcome.MOVED,
            goes=again,
            again=state.again + again,
        )
        if again or outcome is Outcome.PENDING:
            return again
        if one_by_one:
            return not await self._is_answerable(ticket, showing, session)
        return await self._has_another_session(ticket, showing)

    def lend_turn(self, ticket: Request) -> None:
        """Notes that *ticket* waits to buy, maybe for solutions that wait for its turn.

        They go first until `take_back_turn`.
        """
        name = CaptchaState.of(ticket.meta).leads
        session = self._sites.known(name) if name else None
        if session is None or not session.is_led:
            return
        session.lends = True
        if self._waiting.resume_to_send(name, Outcome.TRIAL):
            self._sites.lead(session)
            self._look_later(name)

    def take_back_turn(self, ticket: Request) -> None:
        """Notes that *ticket* waits no longer: its turn is its own, unless another has taken it."""
        name = CaptchaState.of(ticket.meta).leads
        session = self._sites.known(name) if name else None
        if session is None:
            return
        if session.lends:
            session.lends = False
        else:
            self._note(ticket, leads="")

    def is_overtaken(self, ticket: Request) -> bool:
        """Whether *ticket* is to be fetched again, and nothing to be bought for it.

        Its session has been found to take one visit at a time since, and it has no turn there.
        """
        state = CaptchaState.of(ticket.meta)
        if state.asked or state.task_id is not None or state.purchase_id:
            return False
        name = self._sessions.name(ticket)
        return state.leads != name and self._is_one_by_one(name)

    async def is_needed(self, ticket: Request, showing: Showing) -> bool:
        """Whether the solution of *ticket* is to be sent, once it is its turn to send it.

        It is not where the session was opened after its captcha had been asked for.
        """
        name, session = showing.session, self._sites.session(showing.site, showing.session)
        state = CaptchaState.of(ticket.meta)
        self._sites.bought(session, state.solution, showing.at)
        has_turn = await self._until_turn(ticket, name, session)
        is_by_page = self._sites.scope(session.site) is Scope.PAGE
        if showing.asked_at < session.opened < inf and not is_by_page:
            session.flights.pop(state.solution, None)
            return False
        if has_turn and self._sites.manner(session) is not Manner.APART:
            session.sends = True
            if self._sites.scope(session.site) is not Scope.SITE:
                await self._until_back(name, partial(self._on_the_way, ticket), _LONGEST_TRANSFER)
            if self._ahead(ticket) is None and self._sites.takes_two(session):
                self._waiting.resume_to_send(name, Outcome.OPENED)
        return True

    async def _until_turn(self, ticket: Request, name: str, session: Session) -> bool:
        """Waits until the solution of *ticket* may be sent; whether it has the turn then.

        It has none where solutions are sent at once, be it on trial.
        """
        state = CaptchaState.of(ticket.meta)
        if state.leads == name and session.is_led:
            return True
        while self._sites.manner(session) is not Manner.APART:
            if not session.is_led or session.lends:
                break
            outcome = await self._waiting.wait(name, Why.TO_SEND)
            if outcome is Outcome.TRIAL:
                break
            if outcome is Outcome.OPENED and session.sends and self._sites.takes_two(session):
                session.companion = state.solution
                return False
        else:
            return False
        self._sites.lead(session)
        self._note(ticket, leads=name)
        return True

    def sent(self, request: Request, name: str) -> None:
        """Notes that the solution *name* goes to the site of *request*."""
        self._sites.sent(self._submits_in(request), name, self._now())

    def delivered(self, request: Request, name: str, *, sets_cookie: bool, at_gate: bool) -> None:
        """Notes that the solution *name* for *request* has been answered."""
        session = self._submits_in(request)
        self._sites.delivered(session, name, sets_cookie=sets_cookie, at_gate=at_gate)

    def rejected(self, request: Request, name: str) -> int:
        """Notes that the site shows a captcha for *request* in spite of the solution *name*.

        Returns how many rejections this proves to be the site's own; 0 if ours may be the fault.
        """
        self._sessions.rejected(request)
        return self._sites.rejected(self._submits_in(request), name)

    def answers_with_page(self, request: Request, name: str) -> None:
        """Notes that the answer to *name* was the page of *request*, without a redirect."""
        self._sites.answers_with_page(self._submits_in(request), name)

    def arrived(self, request: Request, state: CaptchaState) -> None:
        """Notes that the page of *request* has come."""
        if state.submitted:
            name = state.leads or self._sessions.name(request)
            session = self._submits_in(request)
            self._sites.accepted(session, state.answer)
            self._sessions.accepted(request)
            is_apart = self._sites.manner(session) is Manner.APART
            if session.companion == state.answer and session.is_led and not is_apart:
                return  # another page has the turn still
            self._sites.opened(session, self._now())
            self._go_on(name, session)
            return
        if state.follows:
            self._sites.opened_to_all(site_of_captcha(request))
            self._on_shared(request)
        if state.leads:
            came = state.follows or self._is_one_by_one(state.leads)
            self._left(state.leads, Outcome.OPENED if came else Outcome.MOVED)

    def left(self, state: CaptchaState, outcome: Outcome = Outcome.FAILED) -> None:
        """Notes that the page with *state* solves for its session no more."""
        if state.leads:
            self._left(state.leads, outcome)

    def lets_others_lead(self, ticket: Request) -> None:
        """Lets others of its session lead while the purchase of *ticket* waits for its provider.

        Not where its session takes one visit at a time: their captchas would replace its own.
        """
        state = CaptchaState.of(ticket.meta)
        if state.leads and not self._is_one_by_one(state.leads):
            self._note(ticket, leads="")
            self._left(state.leads, Outcome.FAILED)

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        for call in self._looks.values():
            call.cancel()
        self._waiting.close()
        self._in_flight.close()

    def _session(self, request: Request) -> Session:
        return self._sites.session(site_of_captcha(request), self._sessions.name(request))

    def _submits_in(self, request: Request) -> Session:
        """The session in which *request* has its turn."""
        return self._sites.known(CaptchaState.of(request.meta).leads) or self._session(request)

    def _is_one_by_one(self, name: str) -> bool:
        session = self._sites.known(name)
        return session is not None and self._sites.manner(session) is Manner.VISITS

    def _note(self, ticket: Request, **changes: Any) -> None:
        ticket.meta[KEY] = replace(CaptchaState.of(ticket.meta), **changes).to_meta()

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
        if not await self._in_flight.have_settled_since(ticket, showing.asked_at):
            return False
        if self._are_as_served(ticket, showing.served):
            return False
        self._note(ticket, again=again + 1)
        return True

    async def _is_answerable(self, ticket: Request, showing: Showing, session: Session) -> bool:
        """Whether no captcha has been shown after that of *ticket*, which would be expected now.

        Nor may another answer have replaced the session that its page belongs to.
        """
        await self._until_back(showing.session, self._under_way, _LONGEST_CLEARING)
        is_latest = showing.is_latest and session.shown == showing.at
        if is_latest and not self._have_replaced(ticket, showing.served):
            return True
        again = CaptchaState.of(ticket.meta).again
        self._note(ticket, again=again + 1, goes=True)
        return again >= _MOST_AGAIN

    def _on_the_way(self, ticket: Request) -> Collection[Request]:
        """What may reach the site before a solution that overtakes all that waits for its slot."""
        ahead = self._ahead(ticket)
        return self._under_way() if ahead is None else ahead

    async def _until_back(
        self, name: str, others: Callable[[], Collection[Request]], patience: float
    ) -> None:
        """Waits until none of *others* that are of the session *name* is on its way."""
        patient_until = self._now() + patience
        while self._now() < patient_until and any(
            ASKED_AT in other.meta and self._sessions.name(other) == name for other in others()
        ):
            await deferLater(CLOCK, _CHECK)

    def _came_free(self, request: Request, asked_at: float) -> None:
        """The page of *request*, which went out at *asked_at*, shows no captcha."""
        if not self._sites.have_met_captchas or CaptchaState.of(request.meta).submitted:
            return
        name = self._sessions.name(request)
        session = self._sites.known(name)
        if session is None:
            return
        self._sites.free(session, asked_at)
        if self._sites.manner(session) is not Manner.VISITS:
            self._waiting.resume_all(name, Outcome.OPENED, Why.NEW)
        if not session.is_led:
            self._let_go(name)

    def _let_go(self, name: str) -> None:
        """Two more pages of the session go out for one that came free: while it lasts, ever more.

        So few are fetched in vain where a clearance is good for a few pages.
        """
        went = [self._waiting.resume(name, Outcome.OPENED) for _ in range(2)]
        if went[0]:
            self._look_later(name)

    def _go_on(self, name: str, session: Session) -> None:
        """The session *name* has no leader any more: the next page has its turn."""
        self._stop_watching(name)
        one_by_one = self._sites.manner(session) is Manner.VISITS
        if self._sites.manner(session) is Manner.APART:
            self._waiting.resume_all(name, Outcome.OPENED, Why.TO_SEND)
        if not one_by_one and self._waiting.resume_to_send(name, Outcome.TRIAL):
            self._sites.lead(session)  # new pages would be in its way at once
            self._look_later(name)
            return
        if self._waiting.resume(name, Outcome.TRIAL, new=one_by_one):
            self._sites.lead(session)
            self._look_later(name)
        if not one_by_one:
            self._waiting.resume_new(name, Outcome.OPENED, _AT_ONCE if session.is_led else _ALL)

    def _left(self, name: str, outcome: Outcome) -> None:
        self._stop_watching(name)
        session = self._sites.known(name)
        if session is None:
            return
        if outcome is Outcome.FAILED:
            self._sites.failed(session)
        else:
            self._sites.left(session)
        if outcome is Outcome.OPENED:
            self._let_go(name)
            return
        if self._sites.manner(session) is not Manner.VISITS:
            self._waiting.resume_all(name, outcome, Why.AGAIN, Why.SHOWN)
        self._go_on(name, session)

    def _watch(self, request: Request, name: str) -> None:
        """Watches *request*, which leads: not every way in which it can end is reported."""
        self._stop_watching(name)
        self._looks[name] = CLOCK.callLater(_LOOK_AFTER, self._look, request, name)

    def _stop_watching(self, name: str) -> None:
        look = self._looks.pop(name, None)
        if look is not None:
            look.cancel()

    def _look(self, request: Request, name: str) -> None:
        if request in self._under_way():
            self._looks[name] = CLOCK.callLater(_LOOK_AFTER, self._look, request, name)
        else:
            self._look_again(name)

    def _look_later(self, name: str) -> None:
        self._stop_watching(name)
        self._looks[name] = CLOCK.callLater(_LOST_AFTER, self._look_again, name)

    def _look_again(self, name: str) -> None:
        """Gives the turn to the next page, since the one that had it, or was let go, is lost."""
        del self._looks[name]
        session = self._sites.known(name)
        if session is not None and session.is_led:
            self._left(name, Outcome.FAILED)
        elif session is not None and self._waiting.has(name):
            self._go_on(name, session)
