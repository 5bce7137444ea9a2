"""One solution per need: pages of a session wait for the one among them that solves.

Those that show a captcha wait for what becomes of it, and so do new ones that would only meet it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scrapy_captcha.audience import Audience, Outcome
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.newcomers import MARK, Newcomers
from scrapy_captcha.progress import KEY, Progress
from scrapy_captcha.sessions import site_of_page
from scrapy_captcha.sites import Sites, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from scrapy.http import Request, Response
    from twisted.internet.interfaces import IDelayedCall

    from scrapy_captcha.sessions import Sessions
    from scrapy_captcha.sites import Scope
    from scrapy_captcha.tally import Tally


_ASKED = "_captcha_asked"  # meta: when the request went out
_LONG_AGO = float("-inf")
_LOOK_AFTER = 15.0  # seconds
_LONGEST_HOLD = 30.0  # seconds for which pages are held back that may be free after all


class Sharing:
    """Has one page of each session solve, and the others wait for what comes of it.

    Nobody waits longer than *patience* seconds for another page; *now* tells seconds on a clock
    that only goes forward, *under_way* which requests the downloader is at.

    Until a page shows a captcha, who goes out and comes back need not be told more of than when.
    """

    def __init__(
        self,
        scope: Scope,
        sessions: Sessions,
        tally: Tally,
        now: Callable[[], float],
        patience: float,
        under_way: Callable[[], Collection[Request]],
    ) -> None:
        self._sites = Sites(scope)
        self._sessions = sessions
        self._tally = tally
        self._now = now
        self._under_way = under_way
        self.has_begun = False
        self._followers = Audience(CLOCK, patience)
        self._held = Audience(CLOCK, min(patience, _LONGEST_HOLD))
        self._newcomers = Newcomers(now)
        self._looks: dict[str, IDelayedCall] = {}

    def went_quietly(self, request: Request) -> None:
        """*request* goes out now, and nobody solves for anybody yet."""
        request.meta[_ASKED] = self._now()

    def came_back_quietly(self, request: Request, response: Response) -> None:
        """*response* is the page of *request*, and nobody solves for anybody yet."""
        meta = request.meta
        meta.pop(_ASKED, None)
        meta.pop(MARK, None)  # of an earlier run
        if "Set-Cookie" in response.headers or "redirect_urls" in meta:
            self._newcomers.stranger_came_back()

    def asked(self, request: Request, progress: Progress) -> None:
        """*request* goes out now, as far as *progress* has come."""
        self.went_quietly(request)
        if progress.leads:
            self._watch(request, progress.leads)
        if self.has_begun:
            self._newcomers.went(request)

    def answered(
        self, request: Request, response: Response | None = None, *, challenged: bool = False
    ) -> float:
        """*request* has been answered with *response*, or has failed.

        *challenged* says that *response* is a captcha: what follows from that, `met` is told.
        Returns when *request* went out: in the far past, where that is not known.
        """
        noted = request.meta.get(_ASKED)
        asked_at = noted if isinstance(noted, float) else _LONG_AGO
        if self.has_begun:
            with_cookie = response is not None and "Set-Cookie" in response.headers
            self._newcomers.came_back(request, with_cookie=with_cookie)
        elif response is not None and not challenged:
            self.came_back_quietly(request, response)
        request.meta.pop(_ASKED, None)
        return asked_at

    def is_shut(self, request: Request) -> bool:
        """Whether *request* would only meet the captcha that is being solved for its session."""
        if not self._sites.have_met_captchas or Progress.of(request.meta).leads:
            return False
        return self._sites.is_shut(site_of_page(request), self._sessions.name(request))

    async def until_open(self, ticket: Request) -> Request:
        """*ticket*, once its session is not shut any more: the story of a page held back."""
        if self.is_shut(ticket):  # it may have waited for room in the lot
            await self._held.wait(self._sessions.name(ticket))
        return ticket

    def redirected(self, request: Request) -> None:
        """*request*, which a redirect has made, is not sent now: who went out with it is back."""
        if self.has_begun:
            self._newcomers.came_back(request, with_cookie=False)

    def is_led_by_another(self, request: Request) -> bool:
        """Whether another page than that of *request* solves for its session."""
        session = self._sessions.name(request)
        return Progress.of(request.meta).leads != session and self._sites.is_led(session)

    async def until_solved(self, ticket: Request) -> Request:
        """*ticket*, once its session is not solved for any more: the story of a page that has been
        redirected to a captcha, which has not been fetched. It may be the next to lead.
        """
        asked_at = ticket.meta.pop(_ASKED, _LONG_AGO)
        await self.is_to_be_fetched_again(ticket, asked_at)
        return ticket

    def met(self, request: Request) -> None:
        """*request* shows a captcha."""
        if not self.has_begun:
            self.has_begun = True
            for other in self._under_way():
                # Some have not gone out yet or are back, and are kept by another middleware.
                if other is request or _ASKED in other.meta:
                    other.meta.pop(MARK, None)  # of an earlier run
                    self._newcomers.went(other)
            self._newcomers.came_back(request, with_cookie=False)
        self._sites.met(self._sessions.name(request))
        self._newcomers.met_captcha(request)

    async def is_to_be_fetched_again(self, ticket: Request, asked_at: float) -> bool:
        """Whether another page has solved meanwhile for the session of *ticket*.

        Waits for that where one is at it; otherwise *ticket* has to solve itself, for which its
        captcha may be too old already.
        """
        progress = Progress.of(ticket.meta)
        if progress.leads and self._sites.is_led(progress.leads):
            self._stop_watching(progress.leads)
            if not progress.follows:
                return False
            # It was on trial, and is not let in without a solution of its own.
            self._sites.left(progress.leads)
            self._tell(progress.leads, Outcome.FAILED)
        session = self._sessions.name(ticket)
        outcome = Outcome.FAILED
        while outcome is Outcome.FAILED:
            turn = self._sites.turn(site_of_page(ticket), session, asked_at)
            if turn is not Turn.FOLLOW:
                break
            outcome = await self._followers.wait(session)
        if turn is Turn.AGAIN:
            outcome = Outcome.OPENED
        if outcome is Outcome.TRIAL:
            self._sites.lead(session)
        progress = replace(
            progress,
            leads=session if turn is Turn.LEAD or outcome is Outcome.TRIAL else "",
            follows=outcome in {Outcome.OPENED, Outcome.TRIAL},
        )
        ticket.meta[KEY] = progress.to_meta()
        if outcome is not Outcome.FAILED:
            return outcome is not Outcome.PENDING
        return await self._newcomers.have_settled_since(ticket, asked_at)

    def arrived(self, request: Request, progress: Progress) -> None:
        """The page of *request* has come."""
        if progress.submitted:
            session = progress.leads or self._sessions.name(request)
            self._sites.opened(session, self._now())
            self._opened(site_of_page(request), session)
            return
        if self._sites.have_met_captchas:
            session = self._sessions.name(request)
            self._sites.free(session)
            self._held.tell(session, Outcome.OPENED)
        self.left(progress, Outcome.OPENED if progress.follows else Outcome.MOVED)
        if progress.follows:
            self._sites.opened_to_all(site_of_page(request))
            self._tally.shared(request)

    def _opened(self, site: str, session: str) -> None:
        if self._sites.is_known(site):
            self._tell(session, Outcome.OPENED)
        else:
            self._stop_watching(session)
            self._followers.tell_one(session, Outcome.TRIAL)

    def left(self, progress: Progress, outcome: Outcome = Outcome.FAILED) -> None:
        """Who has come as far as *progress* solves for its session no more."""
        if progress.leads:
            self._left(progress.leads, outcome)

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        for call in self._looks.values():
            call.cancel()
        self._followers.close()
        self._held.close()

    def _watch(self, request: Request, session: str) -> None:
        """Looks after *request*, which leads: not every way that it can end is told to us."""
        self._stop_watching(session)
        self._looks[session] = CLOCK.callLater(_LOOK_AFTER, self._look, request, session)

    def _stop_watching(self, session: str) -> None:
        look = self._looks.pop(session, None)
        if look is not None:
            look.cancel()

    def _look(self, request: Request, session: str) -> None:
        del self._looks[session]
        if request in self._under_way():
            self._watch(request, session)
        elif self._sites.is_led(session):
            self._left(session, Outcome.FAILED)

    def _left(self, session: str, outcome: Outcome) -> None:
        if outcome is Outcome.FAILED:
            self._sites.failed(session)
        else:
            self._sites.left(session)
        self._tell(session, outcome)

    def _tell(self, session: str, outcome: Outcome) -> None:
        self._stop_watching(session)
        self._followers.tell(session, outcome)
        self._held.tell(session, outcome)
