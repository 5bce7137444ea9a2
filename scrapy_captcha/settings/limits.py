"""The limits that the user sets on what is bought."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy_captcha.money import Micros

HOUR = 3600.0  # seconds
_REST = 600.0  # seconds for which nothing is bought where pages take too many solutions
_ENOUGH = 15  # purchases that tell how many a page takes
_REMEMBERED = 64  # purchases and pages
_STEP = 10.0  # seconds that are kept as one, so that an hour is a few hundred of them


class Room(Enum):
    """Whether one more purchase fits."""

    FREE = "it fits"
    TAKEN = "it may, once it is known what becomes of the purchases under way"
    NONE = "it does not"


def narrower(*rooms: Room) -> Room:
    """The least of *rooms*."""
    return max(rooms, key=list(Room).index)


@dataclass(frozen=True, slots=True)
class Limit:
    """The most *solves* and the most *money*; None for no limit."""

    solves: int | None = None
    money: Micros | None = None

    def room(self, done: Total, under_way: Total, price: Micros) -> Room:
        """For one more at *price*, beside what is *done* for good and what is *under_way*."""
        if not self._holds(done.solves + 1, done.money + price):
            return Room.NONE
        both = done.solves + under_way.solves, done.money + under_way.money
        return Room.FREE if self._holds(both[0] + 1, both[1] + price) else Room.TAKEN

    def _holds(self, solves: int, money: Micros) -> bool:
        return (self.solves is None or solves <= self.solves) and (
            self.money is None or money <= self.money
        )


@dataclass(slots=True)
class Total:
    """How many solves, and what they cost."""

    solves: int = 0
    money: Micros = 0

    def add(self, price: Micros, solves: int = 1) -> None:
        """Counts *solves* more that cost *price* together."""
        self.solves += solves
        self.money += price


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the crawl, of each site, and of any hour of the crawl.

    *loss* and *per_page*, the most solves for a page, are a site's; 0 per page is no limit.
    """

    crawl: Limit = Limit()
    site: Limit = Limit()
    hour: Limit = Limit()
    loss: Micros | None = None
    per_page: float = 0.0


@dataclass(slots=True)
class LastHour:
    """What was bought within the hour before now. Times are seconds on one clock.

    What is bought within the same ten seconds leaves the hour together, with the last of it.
    """

    total: Total = field(default_factory=Total)
    _bought: deque[tuple[float, Total]] = field(default_factory=deque)

    def add(self, price: Micros, now: float, solves: int = 1) -> None:
        """*solves* were bought, at *price* together."""
        together = Total()
        if self._bought and self._bought[-1][0] // _STEP == now // _STEP:
            together = self._bought.pop()[1]
        together.add(price, solves)
        self._bought.append((now, together))
        self.total.add(price, solves)

    def forget_old(self, now: float) -> None:
        """Leaves out what was bought more than an hour ago."""
        while self._bought and self._bought[0][0] <= now - HOUR:
            _, old = self._bought.popleft()
            self.total.add(-old.money, -old.solves)

    def ages(self, now: float) -> Iterator[tuple[float, Total]]:
        """What was bought, and how many seconds ago."""
        return ((now - at, total) for at, total in self._bought)


@dataclass(slots=True)
class Yield:
    """How many purchases of a site have *ended*, and how many *pages* came of them.

    What is long ago fades. A page is too dear where there are too many purchases for it; then one
    is tried every ten minutes, and a page that comes of it is a new beginning.
    """

    ended: int = 0
    pages: int = 0
    _shut_until: float | None = None
    _is_on_trial: bool = False

    def add(self, *, ended: int = 0, pages: int = 0) -> None:
        """Counts what a site did with purchases, or that it gave pages for those of others."""
        self.ended += ended
        self.pages += pages
        if self._is_on_trial and ended and pages:
            self.ended = self.pages = 0
            self._shut_until, self._is_on_trial = None, False
        if self.ended + self.pages > _REMEMBERED:
            self.ended //= 2
            self.pages //= 2

    def allows(self, most: float, now: float) -> bool:
        """Whether one more may be bought where a page is to take *most* of them, 0 for any."""
        # The one that is on its way to a page is not held against the site.
        if not most or self.ended < _ENOUGH or self.ended <= most * (self.pages + 1):
            self._shut_until = None
            return True
        if self._shut_until is None:
            self._shut_until = now + _REST
        return now >= self._shut_until

    def reserved(self, now: float) -> None:
        """One more is bought, as `allows` has it."""
        if self._shut_until is not None:
            self._shut_until, self._is_on_trial = now + _REST, True
