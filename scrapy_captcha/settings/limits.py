"""The limits that the user sets on purchases."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy_captcha.money import Micros

HOUR = 3600.0  # seconds
_REST = 600.0  # seconds without purchases at a site whose pages take too many solutions
_ENOUGH = 15  # purchases after which the number per page is judged
_REMEMBERED = 64  # purchases and pages
_STEP = 10.0  # seconds counted together, so that an hour takes a few hundred entries


class Room(Enum):
    """Whether one more purchase fits."""

    FREE = "it fits"
    TAKEN = "it may, once it is known what becomes of the purchases under way"
    NONE = "it does not"


def narrower(*rooms: Room) -> Room:
    """The smallest of *rooms*."""
    return max(rooms, key=list(Room).index)


@dataclass(frozen=True, slots=True)
class Limit:
    """The maximum numbers of *solves* and of *money*; None for no limit."""

    solves: int | None = None
    money: Micros | None = None

    def room(self, done: Total, under_way: Total, price: Micros) -> Room:
        """The room for one more at *price*, beside the totals *done* and *under_way*."""
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
    """A number of solves and their cost."""

    solves: int = 0
    money: Micros = 0

    def add(self, price: Micros, solves: int = 1) -> None:
        """Adds *solves* that cost *price* in total."""
        self.solves += solves
        self.money += price


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the crawl, of each site, and of any hour of the crawl.

    *loss* and *per_page*, the maximum number of solves per page (0: any), are those of a site.
    """

    crawl: Limit = Limit()
    site: Limit = Limit()
    hour: Limit = Limit()
    loss: Micros | None = None
    per_page: float = 0.0


@dataclass(slots=True)
class LastHour:
    """The purchases of the last hour. Times are seconds on one clock.

    Purchases within the same ten seconds leave the hour together, when the last of them does.
    """

    total: Total = field(default_factory=Total)
    _bought: deque[tuple[float, Total]] = field(default_factory=deque)

    def add(self, price: Micros, now: float, solves: int = 1) -> None:
        """Counts *solves* that cost *price* in total."""
        together = Total()
        if self._bought and self._bought[-1][0] // _STEP == now // _STEP:
            together = self._bought.pop()[1]
        together.add(price, solves)
        self._bought.append((now, together))
        self.total.add(price, solves)

    def forget_old(self, now: float) -> None:
        """Removes the purchases of more than an hour ago."""
        while self._bought and self._bought[0][0] <= now - HOUR:
            _, old = self._bought.popleft()
            self.total.add(-old.money, -old.solves)

    def ages(self, now: float) -> Iterator[tuple[float, Total]]:
        """Each purchase total, with its age in seconds."""
        return ((now - at, total) for at, total in self._bought)


@dataclass(slots=True)
class Yield:
    """The number of purchases of a site that have *ended*, and of *pages* that came of them.

    Old purchases fade. If pages take too many purchases, one is tried every ten minutes, and the
    count starts again with the first page that comes of it.
    """

    ended: int = 0
    pages: int = 0
    _shut_until: float | None = None
    _is_on_trial: bool = False

    def add(self, *, ended: int = 0, pages: int = 0) -> None:
        """Counts purchases that have ended, and pages, also those shared with other purchases."""
        self.ended += ended
        self.pages += pages
        if self._is_on_trial and ended and pages:
            self.ended = self.pages = 0
            self._shut_until, self._is_on_trial = None, False
        if self.ended + self.pages > _REMEMBERED:
            self.ended //= 2
            self.pages //= 2

    def allows(self, most: float, now: float) -> bool:
        """Whether one more may be bought if a page may take *most* of them; 0 is no limit."""
        # A purchase under way may still give a page.
        if not most or self.ended < _ENOUGH or self.ended <= most * (self.pages + 1):
            self._shut_until = None
            return True
        if self._shut_until is None:
            self._shut_until = now + _REST
        return now >= self._shut_until

    def reserved(self, now: float) -> None:
        """Notes a purchase that `allows` has allowed."""
        if self._shut_until is not None:
            self._shut_until, self._is_on_trial = now + _REST, True
