"""Detects sites that reject all solutions. Pure bookkeeping, without a clock.

Some sites always reject the first solution, so that one rejection means little; a site that rejects
many in a row is a wall. A site is a wall after 12 rejections; after 3, it gets one solution at a
time. After 3 in a row that could not even be sent, buying stops as well. Times are monotonic, in
seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

_DOUBTFUL = 3
_WALL = 12
_UNDELIVERED = 3
_WITHOUT_COOKIES = 2
_REST = 600.0  # seconds without purchases at a wall
_MOST_SITES = 4096
_LONG_AGO = float("-inf")


@dataclass(slots=True)
class _SiteRejections:
    """*rejected*, *undelivered* and *without_cookies* are counts in a row."""

    rejected: int = 0
    undelivered: int = 0
    without_cookies: int = 0
    wall_until: float = _LONG_AGO
    unreachable_until: float = _LONG_AGO


class Rejections:
    """Counts the solutions that each site rejects in a row, and those that cannot be sent."""

    def __init__(self) -> None:
        self._sites: OrderedDict[str, _SiteRejections] = OrderedDict()

    def count_against(self, site: str, now: float) -> bool:
        """*site* has rejected a solution; returns whether that makes it a wall for a while."""
        row = self._delivered(site)
        row.rejected += 1
        if row.rejected < _WALL or now < row.wall_until:
            return False
        row.wall_until = now + _REST
        return True

    def undelivered(self, site: str, now: float) -> bool:
        """A solution could not be sent to *site*; returns whether that stops buying for a while."""
        row = self._row(site)
        row.undelivered += 1
        if row.undelivered < _UNDELIVERED or now < row.unreachable_until:
            return False
        row.unreachable_until = now + _REST
        return True

    def rejected_without_cookies(self, site: str) -> bool:
        """A solution has opened nothing at *site* for a request that keeps no cookies.

        Returns whether that stops buying there, since a solution is remembered by a cookie.
        """
        row = self._row(site)
        row.without_cookies += 1
        return row.without_cookies == _WITHOUT_COOKIES

    def undecided(self, site: str) -> None:
        """*site* has answered a solution with neither a page nor a captcha."""
        if site in self._sites:
            self._delivered(site)

    def forgive(self, site: str) -> None:
        """*site* has accepted a solution."""
        self._sites.pop(site, None)

    def is_doubtful(self, site: str) -> bool:
        """Whether *site* should get one solution at a time."""
        row = self._sites.get(site)
        return row is not None and (row.rejected >= _DOUBTFUL or row.undelivered > 0)

    def reason_not_to_buy(self, site: str, now: float) -> str | None:
        """The reason not to buy for *site* now, None without one; one is tried after a while."""
        row = self._sites.get(site)
        if row is None:
            return None
        if row.without_cookies >= _WITHOUT_COOKIES:
            return "no_cookies"
        if now < row.wall_until:
            return "wall"
        if now < row.unreachable_until:
            return "undelivered"
        return None

    def _delivered(self, site: str) -> _SiteRejections:
        row = self._row(site)
        row.undelivered, row.unreachable_until = 0, _LONG_AGO
        return row

    def _row(self, site: str) -> _SiteRejections:
        """The counts of *site*, which replace the least recently used ones."""
        row = self._sites.setdefault(site, _SiteRejections())
        self._sites.move_to_end(site)
        if len(self._sites) > _MOST_SITES:
            self._sites.popitem(last=False)
        return row
