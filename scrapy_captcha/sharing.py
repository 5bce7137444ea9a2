"""One solution per need: pages of a session wait for the one among them that solves."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate

from scrapy_captcha.newcomers import Newcomers
from scrapy_captcha.progress import KEY, Progress
from scrapy_captcha.sessions import site_of
from scrapy_captcha.sites import Sites, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrapy.http import Request
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from scrapy_captcha.sessions import Sessions
    from scrapy_captcha.sites import Scope
    from scrapy_captcha.tally import Tally


_LOOK_AFTER = 15.0  # seconds


class Outcome(Enum):
    """What became of the page that solved for its session."""

    OPENED = "the site took its solution"
    MOVED = "it went on in another session"
    FAILED = "it was given up"


class Sharing:
    """Has one page of each session solve, and the others wait for what comes of it.

    Nobody waits longer than *patience* seconds for another page; *now* tells seconds on a clock
    that only goes forward, *is_under_way* whether the downloader is still at a request.
    """

    def __init__(
        self,
        scope: Scope,
        sessions: Sessions,
        tally: Tally,
        now: Callable[[], float],
        patience: float,
        is_under_way: Callable[[Request], bool],
    ) -> None:
        from twisted.internet import reactor

        self._sites = Sites(scope)
        self._sessions = sessions
        self._tally = tally
        self._now = now
        self._patience = patience
        self._is_under_way = is_under_way
        self._clock = cast("IReactorTime", reactor)
        self._asked: WeakKeyDictionary[Request, float] = WeakKeyDictionary()
        self._waiting: dict[str, list[Deferred[Outcome]]] = {}
        self._newcomers = Newcomers(now)
        self._looks: dict[str, IDelayedCall] = {}

    def asked(self, request: Request, progress: Progress) -> None:
        """*request* goes out now, as far as *progress* has come."""
        self._asked[request] = self._now()
        if progress.leads:
            self._watch(request, progress.leads)
        self._newcomers.went(request, self._sessions.jar(request))

    def answered(self, request: Request) -> None:
        """*request* has been answered, whatever with, or has failed."""
        self._newcomers.came_back(request)

    def asked_at(self, request: Request) -> float:
        """When *request* went out, in the far past when that is not known."""
        return self._asked.get(request, float("-inf"))

    async def is_to_be_fetched_again(self, ticket: Request, asked_at: float) -> bool:
        """Whether another page has solved meanwhile for the session of *ticket*.

        Waits for that where one is at it; otherwise *ticket* has to solve itself, for which its
        captcha may be too old already.
        """
        progress = Progress.of(ticket.meta)
        if progress.leads and self._sites.is_led(progress.leads):
            self._stop_watching(progress.leads)
            return False
        session = self._sessions.name(ticket)
        turn = self._sites.turn(_site(ticket), session, asked_at)
        outcome = await self._outcome(session) if turn is Turn.FOLLOW else Outcome.FAILED
        progress = replace(
            progress,
            leads=session if turn is Turn.LEAD else "",
            follows=outcome is Outcome.OPENED,
        )
        ticket.meta[KEY] = progress.to_meta()
        if not progress.leads:
            return outcome is not Outcome.FAILED
        return await self._newcomers.have_settled_since(self._sessions.jar(ticket), asked_at)

    def arrived(self, request: Request, progress: Progress) -> None:
        """The page of *request* has come."""
        if progress.submitted:
            session = progress.leads or self._sessions.name(request)
            self._sites.opened(session, self._now())
            self._tell(session, Outcome.OPENED)
            return
        self.left(progress, Outcome.MOVED)
        if progress.follows:
            self._sites.opened_to_all(_site(request))
            self._tally.shared(request)

    def left(self, progress: Progress, outcome: Outcome = Outcome.FAILED) -> None:
        """Who has come as far as *progress* solves for its session no more."""
        if progress.leads:
            self._sites.left(progress.leads)
            self._tell(progress.leads, outcome)

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        for call in self._looks.values():
            call.cancel()

    def _watch(self, request: Request, session: str) -> None:
        """Looks after *request*, which leads: not every way that it can end is told to us."""
        self._stop_watching(session)
        self._looks[session] = self._clock.callLater(_LOOK_AFTER, self._look, request, session)

    def _stop_watching(self, session: str) -> None:
        look = self._looks.pop(session, None)
        if look is not None:
            look.cancel()

    def _look(self, request: Request, session: str) -> None:
        del self._looks[session]
        if self._is_under_way(request):
            self._watch(request, session)
        elif self._sites.is_led(session):
            self._sites.left(session)
            self._tell(session, Outcome.FAILED)

    def _outcome(self, session: str) -> Deferred[Outcome]:
        told: Deferred[Outcome] = Deferred()
        self._waiting.setdefault(session, []).append(told)
        return told.addTimeout(self._patience, self._clock, onTimeoutCancel=_tired)

    def _tell(self, session: str, outcome: Outcome) -> None:
        self._stop_watching(session)
        waiting = self._waiting.pop(session, [])

        def one_by_one() -> Iterator[None]:
            for told in waiting:
                if not told.called:
                    told.callback(outcome)
                yield

        if waiting:
            cooperate(one_by_one())  # in slices: thousands may wait


def _tired(_result: object, _timeout: float) -> Outcome:
    return Outcome.FAILED


def _site(request: Request) -> str:
    return site_of(urlparse_cached(request).hostname or "")
