"""The scope of solutions, learned by site: what a solution opens, and what may go on beside it.

Times are seconds on any clock that only goes forward.
"""

from __future__ import annotations

from enum import Enum
from math import inf, isfinite
from typing import TYPE_CHECKING

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.sessions.manners import Flight, Manner
from scrapy_captcha.sessions.records import LearnedSite, Session
from scrapy_captcha.settings.choices import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator


class Role(Enum):
    """What a page that shows a captcha does."""

    LEAD = "solves for its session"
    FOLLOW = "waits for the one that solves for its session"
    AGAIN = "is fetched again: its session was opened after it had been asked for"
    ALONE = "solves for itself"


_HELD_BACK_AFTER = 3  # pages in a row that show a captcha
_HOPELESS_AFTER = 3  # pages in a row that led and were given up
_FREE_ENOUGH = 10  # pages in a row that came free at a site that was solved page by page
_MOST_DOUBLED = 6
_LONGEST_FLIGHT = 60.0  # seconds; a solution that takes longer counts as lost
_KEPT = 10_000  # sites, and sessions


class Sites:
    """The leaders of sessions. With *scope* AUTO each site's own is learned.

    A page that was let in without a solution of its own after one for another page says that
    solutions open the site. One that still shows a captcha then says that they open single pages,
    unless others have come in between: then the clearance has run out, and is solved for again.
    Neither is learned for good.

    Where solutions open the site, a session that is led and shows nothing but captchas is closed: a
    new page of it would only meet one more. Elsewhere free pages may stand behind guarded ones,
    which wait only for what would be in their way.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._sites: Bounded[LearnedSite] = Bounded(_KEPT)
        self._sessions: Bounded[Session] = Bounded(_KEPT, _is_busy)

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions)

    @property
    def have_met_captchas(self) -> bool:
        """Whether `came_free` has anything to learn from."""
        return len(self._sessions) > 0

    def session(self, site: str, name: str) -> Session:
        """The record of the session *name* of *site*."""
        return self._sessions.get(name) or self._sessions.put(name, Session(site, name))

    def known(self, name: str) -> Session | None:
        """The record of the session *name*; None where it has met no captcha."""
        return self._sessions.get(name)

    def captcha_shown(self, session: Session, now: float, *, one_visit: bool) -> float:
        """A page of *session* shows a captcha *now*, which may be good for *one_visit* only.

        Returns when the session was shown one before.
        """
        if one_visit:
            self._site(session.site).manners.are_for_one_visit()
        before, session.shown = session.shown, now
        session.captchas += 1
        return before

    def came_free(self, session: Session, asked_at: float) -> None:
        """A page of *session* that was asked for at *asked_at* has come without a solution."""
        session.captchas = 0
        if asked_at >= session.opened:
            session.free += 1

    def manner(self, session: Session) -> Manner:
        """How much of the way to a page is to be left alone in *session*."""
        return self._site(session.site).manners.manner

    def are_visits(self, name: str) -> bool:
        """Whether the captchas of the session *name* are good for one visit each."""
        session = self.known(name)
        return session is not None and self.manner(session) is Manner.VISITS

    def scope(self, site: str) -> Scope:
        """What solutions open at *site*, as set or learned; AUTO while that is unknown."""
        return self._site(site).scope if self._scope is Scope.AUTO else self._scope

    def holds_new_back(self, session: Session) -> bool:
        """Whether a new page of *session* would be in the way, or only meet what is solved."""
        if not session.is_led:
            return False
        if self.manner(session) is Manner.VISITS:
            return True
        if self.scope(session.site) is Scope.SITE:
            return session.captchas >= _HELD_BACK_AFTER
        return session.sends and self.manner(session) is not Manner.APART

    def role(self, session: Session, asked_at: float, *, leads: bool = False) -> Role:
        """What a page of *session* does that was asked for at *asked_at* and shows a captcha.

        An infinite *asked_at* is unknown; *leads* says that the page has the turn already.
        """
        if asked_at >= session.opened:
            self._shows_a_captcha_once_more(session)
        if self._each_is_alone(session):
            return Role.ALONE
        if session.is_led and not leads:
            return Role.FOLLOW
        if not leads and session.opened < inf and isfinite(asked_at):
            return Role.AGAIN
        session.is_led = True
        return Role.LEAD

    def opened(self, session: Session, now: float) -> None:
        """Notes that the site has accepted a solution for *session*, which loses its leader."""
        self.left(session)
        session.captchas = session.failures = 0
        if session.opened == inf:  # the first: what was asked for since is evidence
            session.opened, session.free = now, 0

    def lead(self, session: Session) -> None:
        """One page has the turn from now on."""
        session.is_led, session.sends, session.lends = True, False, False

    def left(self, session: Session) -> None:
        """Notes that the leader of *session* has gone to another session."""
        session.is_led = session.sends = session.lends = False

    def leader_failed(self, session: Session) -> None:
        """Notes that the leader of *session* was given up."""
        self.left(session)
        session.failures += 1

    def opened_to_all(self, site: str) -> None:
        """A page of *site* has come without a solution of its own, after one for another page."""
        self._site(site).scope = Scope.SITE

    def bought(self, session: Session, name: str, shown_at: float) -> None:
        """The solution *name* is there, for a captcha that was shown at *shown_at*."""
        session.flights[name] = Flight(shown_at, self.manner(session))
        while len(session.flights) > _KEPT:
            del session.flights[next(iter(session.flights))]

    def solution_sent(self, session: Session, name: str, now: float) -> None:
        """The solution *name* goes to the site *now*."""
        flight = session.flights.get(name)
        if flight is None:
            return
        others = [
            one for one in session.flights.values() if 0 <= now - one.sent_at < _LONGEST_FLIGHT
        ]
        flight.sent_at, flight.manner = now, self.manner(session)
        for one in (flight, *others) if others else ():
            one.overlapped = True

    def delivered(self, session: Session, name: str, *, sets_cookie: bool, at_gate: bool) -> None:
        """The solution *name* has been answered."""
        if name in session.flights:
            flight = session.flights[name]
            flight.sets_cookie, flight.at_gate = sets_cookie, at_gate

    def takes_two(self, session: Session) -> bool:
        """Whether a second solution is to be sent beside that of the page that has the turn.

        Only where each page needs a solution of its own, and one at a time.
        """
        is_by_page = self.scope(session.site) is Scope.PAGE
        is_free = session.companion not in session.flights
        return is_by_page and is_free and self._site(session.site).manners.take_two

    def solution_accepted(self, session: Session, name: str) -> None:
        """The site has taken the solution *name*: what happened beside it did no harm."""
        flight = session.flights.pop(name, None)
        if flight is not None:
            outdated = flight.shown_at < session.shown
            self._site(session.site).manners.learn_accepted(flight, outdated=outdated)

    def count_rejection(self, session: Session, name: str) -> int:
        """The site has not taken *name*. Returns how many rejections that proves to be its own."""
        flight = session.flights.pop(name, None)
        if flight is None:
            return 1
        outdated = flight.shown_at < session.shown
        return self._site(session.site).manners.count_rejection(flight, outdated=outdated)

    def answers_with_page(self, session: Session, name: str) -> None:
        """The answer to the solution *name* was the page, without a redirect to it."""
        flight = session.flights.get(name)
        if flight is not None:
            self._site(session.site).manners.answers_with_page(flight)

    def _site(self, name: str) -> LearnedSite:
        return self._sites.get(name) or self._sites.put(name, LearnedSite())

    def _each_is_alone(self, session: Session) -> bool:
        """Whether none solves for others, be it that so many in a row have failed to."""
        if self.manner(session) is Manner.VISITS:
            return False
        by_page = self.scope(session.site) is Scope.PAGE
        return by_page or session.failures >= _HOPELESS_AFTER

    def _shows_a_captcha_once_more(self, session: Session) -> None:
        """The session was opened page by page, or its clearance has run out."""
        site, free = self._site(session.site), session.free
        session.opened, session.free = inf, 0
        if site.scope is Scope.PAGE:
            doubled = min(site.found_by_page - 1, _MOST_DOUBLED)
            if free >= _FREE_ENOUGH << doubled:
                site.scope = Scope.AUTO
        elif not free:
            is_by_page = site.scope is Scope.AUTO
            site.scope = Scope.PAGE if is_by_page else Scope.AUTO
            site.found_by_page += is_by_page


def _is_busy(session: Session) -> bool:
    return session.is_led or session.watch is not None
