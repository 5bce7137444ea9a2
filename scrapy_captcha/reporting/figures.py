"""The figures of a crawl's captchas: per site, kind, provider and proxy, and over time."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, fields, replace
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy_captcha.money import Micros
    from scrapy_captcha.purchases import Need, Purchase

OTHERS = "other sites"  # the name of all sites together that come after the first ones
_MOST_SITES = 10_000
_LISTED = 10  # of the slowest, and of the dearest
_POINTS = 400  # of a curve
_ENOUGH = 20  # pages through a proxy before its rate of captchas counts
_FAR_FEWER = 0.5  # of another proxy's rate


@dataclass(slots=True)
class Row:
    """Figures of one site, or kind, or …; *seconds* is the time of its solutions together."""

    met: int = 0
    bought: int = 0
    solved: int = 0
    accepted: int = 0
    rejected: int = 0
    expired: int = 0
    unused: int = 0
    failed: int = 0
    money: Micros = 0
    seconds: float = 0.0

    @property
    def per_accepted(self) -> Micros | None:
        """The cost of each accepted solution, the others included; None without any."""
        return -(-self.money // self.accepted) if self.accepted else None

    def include(self, other: Row) -> None:
        """Adds the figures of *other*."""
        for f in fields(self):
            setattr(self, f.name, getattr(self, f.name) + getattr(other, f.name))


class Curve:
    """A figure over time, thinned out as it grows long. Times are seconds from the beginning."""

    def __init__(self) -> None:
        self.points: list[tuple[float, int]] = []
        self._every = 0.0

    def plot(self, at: float, value: int) -> None:
        """Notes that the figure is *value* from *at* on."""
        if len(self.points) > 1 and at - self.points[-2][0] < self._every:
            self.points[-1] = at, value
        elif not self.points or self.points[-1][1] != value:
            self.points.append((at, value))
        if len(self.points) > _POINTS:
            self.points = self.points[::2]
            self._every = max(self._every * 2, at / _POINTS)


class Figures:
    """Figures of one run: of each of the first *most_sites* sites, and of all others together."""

    def __init__(self, most_sites: int = _MOST_SITES) -> None:
        self._most_sites = most_sites
        self._sites: set[str] = set()
        self._total = Row()
        self._rows: defaultdict[Need, Row] = defaultdict(Row)
        self._numbers = count()
        self._slowest: list[tuple[float, int, Purchase]] = []
        self._dearest: list[tuple[float, int, Purchase]] = []
        self.dropped: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.pages: Counter[tuple[str, str]] = Counter()  # fetched, by site and proxy
        self.spent = Curve()
        self.waiting = Curve()

    def count_captcha(self, need: Need) -> None:
        """Notes that a page was replaced by a captcha."""
        self._add(need, Row(met=1))

    def charged(self, purchase: Purchase) -> None:
        """Counts *purchase*, which was bought."""
        self._add(purchase.need, Row(bought=1, money=purchase.price))
        _keep(self._dearest, (purchase.price, next(self._numbers), purchase))

    def count_solution(self, purchase: Purchase) -> None:
        """Counts *purchase*, whose solution came."""
        self._add(purchase.need, Row(solved=1, seconds=purchase.seconds))
        _keep(self._slowest, (purchase.seconds, next(self._numbers), purchase))

    def ended(self, purchase: Purchase) -> None:
        """Counts *purchase*, whose fate is known."""
        if purchase.fate is not None:
            self._add(purchase.need, Row(**{purchase.fate.value: 1}))

    def count_page(self, site: str, proxy: str) -> None:
        """Notes that a page of *site* was fetched through *proxy*."""
        self.pages[self._listed(site), proxy] += 1

    def count_dropped(self, site: str, reason: str) -> None:
        """Notes that a page of *site* is given up for *reason*."""
        self.dropped[self._listed(site)][reason] += 1

    def by(self, what: str) -> dict[str, Row]:
        """Rows by ``site``, ``kind``, ``provider`` or ``proxy``, sorted by that."""
        rows: defaultdict[str, Row] = defaultdict(Row)
        for need, row in self._rows.items():
            value = getattr(need, what)
            rows[str(getattr(value, "value", value))].include(row)
        return dict(sorted(rows.items()))

    def total(self) -> Row:
        """All together."""
        return replace(self._total)

    def rates(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Captchas met and pages fetched, by site and proxy."""
        met: Counter[tuple[str, str]] = Counter()
        for need, row in self._rows.items():
            met[need.site, need.proxy] += row.met
        return {place: (met[place], pages) for place, pages in sorted(self.pages.items())}

    def better(self, site: str, proxy: str) -> list[str]:
        """Proxies through which *site* shows far fewer captchas than through *proxy*, best first.

        Only proxies that have been used enough count.
        """
        rates = {
            other: met / pages
            for (at, other), (met, pages) in self.rates().items()
            if at == site and pages >= _ENOUGH
        }
        highest = rates.get(proxy, 0.0) * _FAR_FEWER
        return sorted((p for p, rate in rates.items() if rate < highest), key=rates.__getitem__)

    def _add(self, need: Need, figures: Row) -> None:
        site = self._listed(need.site)
        row = self._rows[need if site is need.site else replace(need, site=site)]
        for sums in (row, self._total):
            sums.include(figures)

    def _listed(self, site: str) -> str:
        """The name under which *site* is counted."""
        if site not in self._sites:
            if len(self._sites) >= self._most_sites:
                return OTHERS
            self._sites.add(site)
        return site

    @property
    def slowest(self) -> list[Purchase]:
        """The purchases whose solutions took longest."""
        return [purchase for _, _, purchase in sorted(self._slowest, reverse=True)]

    @property
    def dearest(self) -> list[Purchase]:
        """The purchases that cost most."""
        return [purchase for _, _, purchase in sorted(self._dearest, reverse=True)]


def _keep(best: list[tuple[float, int, Purchase]], entry: tuple[float, int, Purchase]) -> None:
    if len(best) < _LISTED:
        heapq.heappush(best, entry)
    else:
        heapq.heappushpop(best, entry)
