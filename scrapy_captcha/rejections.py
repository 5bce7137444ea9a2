"""Which sites have turned out to be walls: pure bookkeeping that is told the time.

Some sites always reject the first solution, so one rejection says little; a site that rejects many
in a row opens for nobody. A site is a wall after 12, and after 3 it is tried with one solution at a
time. Times are seconds on any clock that only goes forward.
"""

from __future__ import annotations

_DOUBTFUL = 3
_WALL = 12
_REST = 600.0  # seconds for which nothing is bought at a wall


class Rejections:
    """Counts what each site rejects in a row."""

    def __init__(self) -> None:
        self._in_a_row: dict[str, int] = {}
        self._wall_until: dict[str, float] = {}

    def rejected(self, site: str, now: float) -> bool:
        """*site* has rejected a solution; whether that makes it a wall, for a while."""
        count = self._in_a_row[site] = self._in_a_row.get(site, 0) + 1
        if count < _WALL or self.is_wall(site, now):
            return False
        self._wall_until[site] = now + _REST
        return True

    def accepted(self, site: str) -> None:
        """*site* has accepted a solution."""
        self._in_a_row.pop(site, None)
        self._wall_until.pop(site, None)

    def is_doubtful(self, site: str) -> bool:
        """Whether one solution at a time is enough for *site*."""
        return self._in_a_row.get(site, 0) >= _DOUBTFUL

    def is_wall(self, site: str, now: float) -> bool:
        """Whether nothing is to be bought for *site*; after a rest, one more is tried."""
        return now < self._wall_until.get(site, float("-inf"))
