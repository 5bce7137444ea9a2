"""The requests of the sessions that are on their way, and when each of them went out."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol

from twisted.internet.task import deferLater

from scrapy_captcha.clock import CLOCK, Timed
from scrapy_captcha.sessions.in_flight import InFlight
from scrapy_captcha.state import ASKED_AT, NEWCOMER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from scrapy.http import Request, Response

    from scrapy_captcha.sessions.routing import Sessions


_LONG_AGO = -inf
_CHECK = 0.02  # seconds between two checks of the pages that are still away
_LONGEST_CLEARING = 60.0  # seconds for pages that are away before a captcha is answered
_LONGEST_TRANSFER = 5.0  # the same before a solution is sent, which ages


class Downloads(Protocol):
    """What is to be known of the downloader."""

    def under_way(self) -> Collection[Request]:
        """The requests in the downloader, whether they have gone out or wait to."""

    def ahead(self, request: Request) -> Collection[Request] | None:
        """The requests that reach the site before *request*, which overtakes all that wait.

        None for all that are under way.
        """


class Traffic(Timed):
    """Notes the times of requests and responses; from the first captcha on, who went with whom.

    *now* returns seconds on a clock that only goes forward.
    """

    def __init__(self, sessions: Sessions, downloads: Downloads, now: Callable[[], float]) -> None:
        self._sessions = sessions
        self._downloads = downloads
        self._now = now
        self._in_flight = InFlight(now)
        self.has_begun = False

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
            self._in_flight.unknown_came_back()

    def went(self, request: Request) -> None:
        """Notes that *request* goes out now."""
        self.went_quietly(request)
        if self.has_begun:
            self._in_flight.went(request)

    def came_back(self, request: Request, response: Response | None, *, challenged: bool) -> float:
        """As `SingleFlight.answered`."""
        self._sessions.comes(request)
        noted = request.meta.get(ASKED_AT)
        if self.has_begun:
            with_cookie = response is not None and "Set-Cookie" in response.headers
            self._in_flight.came_back(request, with_cookie=with_cookie)
        elif response is not None and not challenged:
            self.came_back_quietly(request, response)
        request.meta.pop(ASKED_AT, None)
        return noted if isinstance(noted, float) else _LONG_AGO

    def was_not_sent(self, request: Request) -> None:
        """Notes that *request*, which a redirect has made, is not sent now, and so is back."""
        if self.has_begun:
            self._in_flight.came_back(request, with_cookie=False)

    def withdraw(self, ticket: Request) -> float:
        """When *ticket* was asked for, which is not on its way any more."""
        asked_at = ticket.meta.pop(ASKED_AT, _LONG_AGO)
        return asked_at if isinstance(asked_at, float) else _LONG_AGO

    def captcha_came(self, request: Request) -> None:
        """Notes that *request* shows a captcha."""
        if not self.has_begun:
            self.has_begun = True
            for other in self._downloads.under_way():
                # Some have not gone out yet or are back, and are kept by another middleware.
                if other is request or ASKED_AT in other.meta:
                    other.meta.pop(NEWCOMER, None)  # of an earlier run
                    self._in_flight.went(other)
            self._in_flight.came_back(request, with_cookie=False)
        self._in_flight.captcha_came(request)

    async def have_cookies_settled(self, ticket: Request, asked_at: float) -> bool:
        """As `InFlight.have_settled_since`."""
        return await self._in_flight.have_settled_since(ticket, asked_at)

    async def until_session_is_back(self, name: str) -> None:
        """Waits until no request of the session *name* is on its way."""
        await self._until_back(name, self._downloads.under_way, _LONGEST_CLEARING)

    async def until_road_is_clear(self, name: str, ticket: Request) -> None:
        """Waits until no request of the session *name* may reach the site before *ticket* does,
        which overtakes all that waits for its slot.
        """

        def ahead() -> Collection[Request]:
            others = self._downloads.ahead(ticket)
            return self._downloads.under_way() if others is None else others

        await self._until_back(name, ahead, _LONGEST_TRANSFER)

    async def _until_back(
        self, name: str, others: Callable[[], Collection[Request]], patience: float
    ) -> None:
        patient_until = self._now() + patience
        while self._now() < patient_until and any(
            ASKED_AT in other.meta and self._sessions.name(other) == name for other in others()
        ):
            await deferLater(CLOCK, _CHECK)

    def cancel_timers(self) -> None:
        """As in `Timed`."""
        self._in_flight.cancel_timers()
