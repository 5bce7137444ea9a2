"""Requests that go out together before a site knows their session.

Such a site gives each of them a cookie of its own, and the jar keeps the last: a captcha that was
shown to one of the others cannot be answered any more.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from scrapy.utils.httpobj import urlparse_cached

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.origin import redirects
from scrapy_captcha.requests import jar_of, site_of, site_of_page
from scrapy_captcha.state import NEWCOMER
from scrapy_captcha.urls import host_of
from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from scrapy.http import Request

_LONGEST_WAIT = 5.0  # seconds
_KEPT = 10_000  # sites with a jar each, and requests on their way
_MOST_HOSTS = 100  # of one site


class _Crowd:
    """Requests that have gone out to one host, with one jar, before a cookie or captcha came back.

    * *away*: the requests that are not back
    * *size*: how many have gone since none was away
    """

    def __init__(self) -> None:
        self.away: set[int] = set()
        self.size = 0
        self.is_over = False
        self.last_return = float("-inf")


class InFlight:
    """Knows which answers came before a jar's cookies had settled.

    *now* returns seconds on a clock that only goes forward.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._crowds: Bounded[Bounded[_Crowd]] = Bounded(_KEPT)
        self._crowd_of: Bounded[_Crowd] = Bounded(_KEPT)
        self._waiting: Waiters[None] = Waiters(CLOCK, late=None, patience=_LONGEST_WAIT)
        self._numbers = count(1)
        self._strangers = _Crowd()  # requests that came back before any was counted

    def went(self, request: Request) -> None:
        """Notes that *request* goes out."""
        place, host = _place(request), _host(request)
        hosts = self._crowds.get(place) or self._crowds.put(place, Bounded(_MOST_HOSTS))
        crowd = hosts.get(host) or hosts.put(host, _Crowd())
        # A request sent while others are away may reset the cookies to the ones it was sent with.
        if (crowd.is_over and not crowd.away) or NEWCOMER in request.meta:
            return
        if not crowd.away:
            crowd.size = 0
        number = next(self._numbers)
        request.meta[NEWCOMER] = number
        crowd.away.add(number)
        crowd.size += 1
        self._crowd_of.put(number, crowd)

    def came_back(self, request: Request, *, with_cookie: bool) -> None:
        """Notes that *request*, or its redirect, has been answered or has failed."""
        number = request.meta.pop(NEWCOMER, None)
        crowd = self._crowd_of.pop(number) if type(number) is int else None
        if crowd is not None:
            crowd.away.discard(number)
            crowd.is_over = crowd.is_over or with_cookie
            crowd.last_return = self._now()
            if not crowd.away:
                self._waiting.resume_all(None)

    def stranger_came_back(self) -> None:
        """Notes that an answer may have brought a cookie whose request was not noted."""
        self._strangers.size = 1
        self._strangers.last_return = self._now()

    def met_captcha(self, request: Request) -> None:
        """Notes that *request* shows a captcha: later requests have its session, if there is one.

        This holds, too, for the hosts from which redirects have led to the captcha.
        """
        for url in (request.url, *redirects(request)):
            host = host_of(url)
            hosts = self._crowds.get((site_of(host), jar_of(request)))
            crowd = hosts.get(host) if hosts is not None else None
            if crowd is not None:
                crowd.is_over = True

    async def have_settled_since(self, request: Request, asked_at: float) -> bool:
        """Whether the cookies of *request* may differ from those with which it went at *asked_at*.

        Waits until all that went out together are back. One that stays away for long is lost.
        """
        crowds = [*self._crowds_at(request), self._strangers]
        crowds = [crowd for crowd in crowds if crowd.away or asked_at <= crowd.last_return]
        if sum(crowd.size for crowd in crowds) < 2:
            return False
        patient_until = self._now() + _LONGEST_WAIT
        while any(crowd.away for crowd in crowds) and self._now() < patient_until:
            await self._waiting.wait()
        for crowd in crowds:
            crowd.away.clear()
        return True

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        self._waiting.close()

    def _crowds_at(self, request: Request) -> list[_Crowd]:
        """The groups of the site and cookie jar of *request*: its hosts may share cookies."""
        return list(self._crowds.get(_place(request)) or ())


def _place(request: Request) -> tuple[str, Hashable]:
    return site_of_page(request), jar_of(request)


def _host(request: Request) -> str:
    return urlparse_cached(request).hostname or ""
