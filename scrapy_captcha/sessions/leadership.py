"""The leader of each session: how a page gets the turn to solve, loses it, and who is next."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from scrapy_captcha.clock import CLOCK, Timed
from scrapy_captcha.sessions.manners import Manner
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.sessions.waiting import WaitingPages, Why

if TYPE_CHECKING:
    from scrapy.http import Request

    from scrapy_captcha.sessions.records import Session
    from scrapy_captcha.sessions.scope import Sites
    from scrapy_captcha.sessions.traffic import Downloads


_CHECK_AFTER = 15.0  # seconds
_LOST_AFTER = 60.0  # seconds in which a page that has got its turn is expected to go out
_AT_ONCE = 8  # new pages that go out between two turns


class Leadership(Timed):
    """Passes the turn of each session from page to page.

    No page waits in `waiting` longer than *patience* seconds for another that makes no progress.
    """

    def __init__(self, sites: Sites, downloads: Downloads, patience: float) -> None:
        self._sites = sites
        self._downloads = downloads
        self.waiting = WaitingPages(CLOCK, patience)

    def watch(self, request: Request, session: Session) -> None:
        """Watches *request*, which leads: not every way in which it can end is reported."""
        self.stop_watching(session)
        session.watch = CLOCK.callLater(_CHECK_AFTER, self._check, request, session)

    def expect(self, session: Session) -> None:
        """A page of *session* has been let go, and is expected to go out soon."""
        self.stop_watching(session)
        session.watch = CLOCK.callLater(_LOST_AFTER, self._lost, session)

    def stop_watching(self, session: Session) -> None:
        """What leads *session* reports its end itself from now on."""
        if session.watch is not None:
            session.watch.cancel()
            session.watch = None

    def end_lead(self, name: str, outcome: Outcome) -> None:
        """The page that leads the session *name* does not any more; the others learn *outcome*."""
        session = self._sites.known(name)
        if session is None:
            return
        self.stop_watching(session)
        if outcome is Outcome.FAILED:
            self._sites.leader_failed(session)
        else:
            self._sites.left(session)
        if outcome is Outcome.OPENED:
            self.let_go(session)
            return
        if self._sites.manner(session) is not Manner.VISITS:
            self.waiting.resume_all(name, outcome, Why.AGAIN, Why.SHOWN)
        self.go_on(session)

    def let_go(self, session: Session) -> None:
        """Two more pages of the session go out for one that came free: while it lasts, ever more.

        So few are fetched in vain where a clearance is good for a few pages.
        """
        went = [self.waiting.resume(session.name, Outcome.OPENED) for _ in range(2)]
        if went[0]:
            self.expect(session)

    def let_new_go(self, session: Session) -> None:
        """A page of *session* came free: so may those that have not been fetched yet."""
        if self._sites.manner(session) is not Manner.VISITS:
            self.waiting.resume_all(session.name, Outcome.OPENED, Why.NEW)
        if not session.is_led:
            self.let_go(session)

    def go_on(self, session: Session) -> None:
        """*session* has no leader any more: the next page has its turn."""
        self.stop_watching(session)
        name, manner = session.name, self._sites.manner(session)
        one_by_one = manner is Manner.VISITS
        if manner is Manner.APART:
            self.waiting.resume_all(name, Outcome.OPENED, Why.TO_SEND)
        if not one_by_one and self.next_sends(session):
            return  # new pages would be in its way at once
        if self.waiting.resume(name, Outcome.TRIAL, new=one_by_one):
            self._sites.lead(session)
            self.expect(session)
        if not one_by_one:
            self.waiting.resume_new(name, Outcome.OPENED, _AT_ONCE if session.is_led else inf)

    def next_sends(self, session: Session) -> bool:
        """Gives the turn to the next page of *session* that has a solution; False without one."""
        if not self.waiting.resume_to_send(session.name, Outcome.TRIAL):
            return False
        self._sites.lead(session)
        self.expect(session)
        return True

    def cancel_timers(self) -> None:
        """As in `Timed`."""
        for session in self._sites:
            self.stop_watching(session)
        self.waiting.cancel_timers()

    def _check(self, request: Request, session: Session) -> None:
        if request in self._downloads.under_way():
            session.watch = CLOCK.callLater(_CHECK_AFTER, self._check, request, session)
        else:
            self._lost(session)

    def _lost(self, session: Session) -> None:
        """Gives the turn to the next page, since the one that had it, or was let go, is lost."""
        session.watch = None
        if session.is_led:
            self.end_lead(session.name, Outcome.FAILED)
        elif self.waiting.has(session.name):
            self.go_on(session)
