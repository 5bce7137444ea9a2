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
_STEP = 10.0  # seconds that are kept as one, so that an hour is a few hundred of them


class Room(Enum):
    """Whether one more purchase fits."""

    FREE = "it fits"
    TAKEN = "it may, once it is known what becomes of the purchases under way"
    NONE = "it does not"


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
    """Of the crawl, of each site, and of any hour of the crawl; *loss* is a site's."""

    crawl: Limit = Limit()
    site: Limit = Limit()
    hour: Limit = Limit()
    loss: Micros | None = None


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
