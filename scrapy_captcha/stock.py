"""Solutions from the moment that they are wanted until they are sent, or have expired.

They stay in memory: what travels in ``request.meta`` is only a name for one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scrapy_captcha.admission import Admission
from scrapy_captcha.captchas import KINDS
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.pace import Pace
from scrapy_captcha.sessions import site_of_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.http import Request
    from twisted.internet.interfaces import IDelayedCall
    from typing_extensions import Self

    from scrapy_captcha.captchas import Captcha, Solution
    from scrapy_captcha.slots import Slots


class Place:
    """Room for one solution; given up at the end of a ``with`` block that has put none in."""

    __slots__ = ("_expiry", "_has_left", "_queue", "captcha", "name", "solution")

    captcha: Captcha
    solution: Solution

    def __init__(self, queue: Admission) -> None:
        self._queue = queue
        self._expiry: IDelayedCall | None = None
        self._has_left = False
        self.name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        if not self.name:
            self.leave()

    def leave(self) -> None:
        """Gives the room to somebody else; a solution that is in stays."""
        if not self._has_left:
            self._has_left = True
            self._queue.leave()

    def fill(self, name: str, captcha: Captcha, solution: Solution, expiry: IDelayedCall) -> None:
        """Puts *solution* in under *name*, until *expiry* at most."""
        self.name, self.captcha, self.solution, self._expiry = name, captcha, solution, expiry

    def empty(self) -> None:
        """The solution is not kept any longer."""
        self.name = ""
        if self._expiry is not None and self._expiry.active():
            self._expiry.cancel()


class Stock:
    """Has no more solutions for a download slot than it can send while they are good.

    * *life*: seconds for which a token is good. What a cookie carries has no such limit: it only
      gives up its room then, since somebody else may have dropped its request
    * *is_doubtful*: whether a site should get one solution at a time
    * *on_expired*: called with the name of each token that was not sent in time
    """

    def __init__(
        self,
        slots: Slots,
        *,
        life: float,
        is_doubtful: Callable[[str], bool],
        on_expired: Callable[[str, Captcha], None],
    ) -> None:
        self._slots = slots
        self._life = life
        self._is_doubtful = is_doubtful
        self._on_expired = on_expired
        self._queues: dict[str, tuple[Pace, Admission]] = {}
        self._places: dict[str, Place] = {}

    async def place(self, ticket: Request, captcha: Captcha) -> Place:
        """A place for the solution of *captcha*, once the slot of *ticket* has room for one."""
        pace, queue = self._queue(ticket)
        pace.interval = self._slots.interval(ticket) if _ages(captcha) else 0.0
        await queue.enter()
        return Place(queue)

    def keep(self, place: Place, name: str, captcha: Captcha, solution: Solution) -> None:
        """Keeps *solution* in *place* under *name* until it is taken or has expired."""
        expire = partial(self._expire, place) if _ages(captcha) else place.leave
        place.fill(name, captcha, solution, CLOCK.callLater(self._life, expire))
        self._places[name] = place

    def take(self, name: str) -> Place | None:
        """The place of the solution *name*, once; None when it has expired or never was here."""
        place = self._places.pop(name, None)
        if place is not None:
            place.empty()
        return place

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        for place in self._places.values():
            place.empty()
        for _, queue in self._queues.values():
            queue.close()

    def _expire(self, place: Place) -> None:
        name = place.name
        with place:
            self.take(name)
        self._on_expired(name, place.captcha)

    def _queue(self, ticket: Request) -> tuple[Pace, Admission]:
        slot = self._slots.name(ticket)
        if slot not in self._queues:
            pace = Pace(self._life, partial(self._is_doubtful, site_of_page(ticket)))
            self._queues[slot] = pace, Admission(pace, CLOCK)
        return self._queues[slot]


def _ages(captcha: Captcha) -> bool:
    return KINDS[captcha.kind].cookie is None
