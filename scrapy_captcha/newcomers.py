"""Requests that go out together before a site knows their session.

Such a site gives each of them a cookie of its own, and the jar keeps the last: a captcha that was
shown to one of the others cannot be answered any more.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, cast

from twisted.internet.task import deferLater

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from scrapy.http import Request
    from twisted.internet.interfaces import IReactorTime

MARK = "_captcha_newcomer"  # meta: kept by the copies that redirects and retries make

_CHECK = 0.05  # seconds between two looks at who is still away
_LONGEST_WAIT = 5.0  # seconds


class _Crowd:
    """Those that have gone out to one jar's site before the first answer."""

    def __init__(self) -> None:
        self.away: set[int] = set()
        self.size = 0
        self.first_is_back = False
        self.last_return = float("-inf")


class Newcomers:
    """Knows which answers came before a jar's cookies had settled.

    *now* tells seconds on a clock that only goes forward.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        from twisted.internet import reactor

        self._now = now
        self._clock = cast("IReactorTime", reactor)
        self._crowds: dict[Hashable, _Crowd] = {}
        self._crowd_of: dict[int, _Crowd] = {}
        self._numbers = count(1)

    def went(self, request: Request, jar: Hashable) -> None:
        """*request* goes out with the cookies of *jar*."""
        crowd = self._crowds.setdefault(jar, _Crowd())
        if crowd.first_is_back or MARK in request.meta:
            return
        number = next(self._numbers)
        request.meta[MARK] = number
        crowd.away.add(number)
        crowd.size += 1
        self._crowd_of[number] = crowd

    def came_back(self, request: Request) -> None:
        """*request*, or what a redirect made of it, has been answered or has failed."""
        number = request.meta.pop(MARK, None)
        crowd = self._crowd_of.pop(number, None) if type(number) is int else None
        if crowd is not None:
            crowd.away.discard(number)
            crowd.first_is_back = True
            crowd.last_return = self._now()

    async def have_settled_since(self, jar: Hashable, asked_at: float) -> bool:
        """Whether the cookies of *jar* may differ from those of a request that went at *asked_at*.

        Waits until all that went out together are back.
        """
        crowd = self._crowds.get(jar)
        if crowd is None or crowd.size < 2 or not (crowd.away or asked_at <= crowd.last_return):
            return False
        patient_until = self._now() + _LONGEST_WAIT
        while crowd.away and self._now() < patient_until:
            await deferLater(self._clock, _CHECK)
        return True
