"""Keeps solutions from when they are ordered until they are sent or have expired.

They stay in memory: ``request.meta`` contains only the name of one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.buying.pace import Pace
from scrapy_captcha.clock import CLOCK, Timed
from scrapy_captcha.models import KINDS
from scrapy_captcha.requests import site_of_captcha
from scrapy_captcha.solver.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.http import Request
    from twisted.internet.interfaces import IDelayedCall
    from typing_extensions import Self

    from scrapy_captcha.engine.download_slots import DownloadSlots
    from scrapy_captcha.models import Captcha, Solution


_KEPT = 4096  # slots, and sites


class _Queue:
    """The queue before *pace*."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.admission = Admission(pace, CLOCK)

    def is_busy(self) -> bool:
        """Whether a purchase waits or is under way."""
        return bool(self.pace.outstanding or len(self.admission))


class Place:
    """Room for one solution, which is given up at the end of the ``with`` block if unused."""

    __slots__ = ("_expiry", "_has_left", "_queues", "captcha", "name", "solution")

    captcha: Captcha
    solution: Solution

    def __init__(self, *queues: _Queue) -> None:
        self._queues = queues
        self._expiry: IDelayedCall | None = None
        self._has_left = False
        self.name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        if not self.name:
            if self._expiry is None:
                for queue in self._queues:
                    queue.pace.unused()
            self.vacate()

    def vacate(self) -> None:
        """Gives up the room; a solution that is kept stays."""
        if not self._has_left:
            self._has_left = True
            for queue in self._queues:
                queue.admission.leave()

    def fill(self, name: str, captcha: Captcha, solution: Solution, expiry: IDelayedCall) -> None:
        """Keeps *solution* under *name*, until *expiry* at most."""
        self.name, self.captcha, self.solution, self._expiry = name, captcha, solution, expiry

    def empty(self) -> None:
        """Removes the solution."""
        self.name = ""
        if self._expiry is not None and self._expiry.active():
            self._expiry.cancel()


class UnusedSolutions(Timed):
    """Keeps no more solutions for a download slot than it can send before they expire, and one at
    a time for a doubtful site.

    * *life*: seconds for which a token is valid. Solutions that are cookies do not expire, but give
      up their room then, since their requests may have been dropped
    * *is_doubtful*: whether a site should get one solution at a time
    * *on_expired*: called with the name of each token that was not sent in time
    * *on_cookies*: called for each solution that goes into a cookie jar
    """

    def __init__(
        self,
        slots: DownloadSlots,
        *,
        life: float,
        is_doubtful: Callable[[str], bool],
        on_expired: Callable[[str, Captcha], None],
        on_cookies: Callable[[], None],
    ) -> None:
        self._download_slots = slots
        self._life = life
        self._is_doubtful = is_doubtful
        self._on_expired = on_expired
        self._on_cookies = on_cookies
        self._of_slots: Bounded[_Queue] = Bounded(_KEPT, _Queue.is_busy)
        self._of_sites: Bounded[_Queue] = Bounded(_KEPT, _Queue.is_busy)
        self._places: dict[str, Place] = {}

    async def place(self, ticket: Request, captcha: Captcha) -> Place:
        """Waits for a place for the solution of *captcha*, until its site may get one more.

        If the solution expires, the slot of *ticket* must have room for it as well.
        """
        site, slot = site_of_captcha(ticket), self._download_slots.name(ticket)
        of_site = self._of_sites.get(site) or self._of_sites.put(
            site, _Queue(Pace(self._life, partial(self._is_doubtful, site)))
        )
        await of_site.admission.enter()
        if not _ages(captcha):
            return Place(of_site)
        of_slot = self._of_slots.get(slot) or self._of_slots.put(slot, _Queue(Pace(self._life)))
        of_slot.pace.interval = self._download_slots.interval(ticket)
        try:
            await of_slot.admission.enter()
        except BaseException:  # the crawl ends, or its request is given up
            of_site.admission.leave()
            raise
        return Place(of_site, of_slot)

    def keep(self, place: Place, name: str, captcha: Captcha, solution: Solution) -> None:
        """Keeps *solution* in *place* under *name* until it is taken or has expired."""
        if solution.cookies or KINDS[captcha.kind].cookie:
            self._on_cookies()
        expire = partial(self._expire, place) if _ages(captcha) else place.vacate
        place.fill(name, captcha, solution, CLOCK.callLater(self._life, expire))
        self._places[name] = place

    def take(self, name: str) -> Place | None:
        """Removes and returns the place of the solution *name*; None if it is not kept."""
        place = self._places.pop(name, None)
        if place is not None:
            place.empty()
        return place

    def cancel_timers(self) -> None:
        """As in `Timed`."""
        for place in self._places.values():
            place.empty()
        for queue in (*self._of_slots, *self._of_sites):
            queue.admission.cancel_timers()

    def _expire(self, place: Place) -> None:
        name = place.name
        with place:
            self.take(name)
        self._on_expired(name, place.captcha)


def _ages(captcha: Captcha) -> bool:
    return KINDS[captcha.kind].cookie is None
