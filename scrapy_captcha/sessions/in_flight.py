"""Requests that go out together before a site knows their session.

Such a site gives each of them a cookie of its own, and the jar keeps the last: a captcha that was
shown to one of the others cannot be answered any more.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from scrapy.utils.httpobj import urlparse_cached

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.clock import CLOCK, Timed
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


class _Group:
    """Requests that have gone out to one host, with one jar, before a cookie or captcha came back.

    * *away*: the requests that are not back
    * *size*: how many have gone since none was away
    """

    def __init__(self) -> None:
        self.away: set[int] = set()
        self.size = 0
        self.is_over = False
        self.last_return = float("-inf")


class InFlight(Timed):
    """Knows which answers came before a jar's cookies had settled.

    *now* returns seconds on a clock that only goes forward.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._groups: Bounded[Bounded[_Group]] = Bounded(_KEPT)
        self._group_of: Bounded[_Group] = Bounded(_KEPT)
        self._waiting: Waiters[None] = Waiters(CLOCK, late=None, patience=_LONGEST_WAIT)
        self._numbers = count(1)
        self._unknown = _Group()  # requests that came back before any was counted

    def went(self, request: Request) -> None:
        """Notes that *request* goes out."""
        place, host = _place(request), _host(request)
        hosts = self._groups.get(place) or self._groups.put(place, Bounded(_MOST_HOSTS))
        group = hosts.get(host) or hosts.put(host, _Group())
        # A request sent while others are away may reset the cookies to the ones it was sent with.
        if (group.is_over and not group.away) or NEWCOMER in request.meta:
            return
        if not group.away:
            group.size = 0
        number = next(self._numbers)
        request.meta[NEWCOMER] = number
        group.away.add(number)
        group.size += 1
        self._group_of.put(number, group)

    def came_back(self, request: Request, *, with_cookie: bool) -> None:
        """Notes that *request*, or its redirect, has been answered or has failed."""
        number = request.meta.pop(NEWCOMER, None)
        group = self._group_of.pop(number) if type(number) is int else None
        if group is not None:
            group.away.discard(number)
            group.is_over = group.is_over or with_cookie
            group.last_return = self._now()
            if not group.away:
                self._waiting.resume_all(None)

    def unknown_came_back(self) -> None:
        """Notes that an answer may have brought a cookie whose request was not noted."""
        self._unknown.size = 1
        self._unknown.last_return = self._now()

    def captcha_came(self, request: Request) -> None:
        """Notes that *request* shows a captcha: later requests have its session, if there is one.

        This holds, too, for the hosts from which redirects have led to the captcha.
        """
        for url in (request.url, *redirects(request)):
            host = host_of(url)
            hosts = self._groups.get((site_of(host), jar_of(request)))
            group = hosts.get(host) if hosts is not None else None
            if group is not None:
                group.is_over = True

    async def have_settled_since(self, request: Request, asked_at: float) -> bool:
        """Whether the cookies of *request* may differ from those with which it went at *asked_at*.

        Waits until all that went out together are back. One that stays away for long is lost.
        """
        groups = [*self._groups_at(request), self._unknown]
        groups = [group for group in groups if group.away or asked_at <= group.last_return]
        if sum(group.size for group in groups) < 2:
            return False
        patient_until = self._now() + _LONGEST_WAIT
        while any(group.away for group in groups) and self._now() < patient_until:
            await self._waiting.wait()
        for group in groups:
            group.away.clear()
        return True

    def cancel_timers(self) -> None:
        """As in `Timed`."""
        self._waiting.cancel_timers()

    def _groups_at(self, request: Request) -> list[_Group]:
        """The groups of the site and cookie jar of *request*: its hosts may share cookies."""
        return list(self._groups.get(_place(request)) or ())


def _place(request: Request) -> tuple[str, Hashable]:
    return site_of_page(request), jar_of(request)


def _host(request: Request) -> str:
    return urlparse_cached(request).hostname or ""
