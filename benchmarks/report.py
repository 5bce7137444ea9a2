"""The table that each command prints."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW = "{:56}{:>26}{:>12}{:>8}  {:<10}{}\n"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure, round by round.

    * *measured*, *baseline*: a value for each round, in *unit*; no baseline where there is none,
      and no values at all for a heading
    * *by_ratio*: whether the target is for the one divided by the other, round by round
    * *at_least*, *at_most*: targets for the median; *exactly*: one for every round
    """

    work: str
    unit: str
    measured: Sequence[float]
    baseline: Sequence[float] = ()
    by_ratio: bool = False
    at_least: float | None = None
    at_most: float | None = None
    exactly: float | None = None

    @property
    def ratios(self) -> list[float]:
        """Measured by baseline, in each round that has both."""
        pairs = zip(self.measured, self.baseline, strict=False)
        return [one / other for one, other in pairs if other]

    @property
    def target(self) -> str:
        """In signs, "" for none."""
        targets = {"=": self.exactly, ">=": self.at_least, "<=": self.at_most}
        return next(
            (f"{sign} {value:g}" for sign, value in targets.items() if value is not None), ""
        )

    @property
    def holds(self) -> bool:
        """Whether the target is met; without a target it is."""
        judged = self.ratios if self.by_ratio else self.measured
        return (
            (self.exactly is None or all(value == self.exactly for value in judged))
            and (self.at_least is None or median(judged) >= self.at_least)
            and (self.at_most is None or median(judged) <= self.at_most)
        )


def print_report(rows: Sequence[Row], *, quick: bool) -> bool:
    """Print *rows*; whether all targets are met, of which *quick* judges the exact ones only."""
    judged = [row for row in rows if row.target and (row.exactly is not None or not quick)]
    packages = ", ".join(f"{name} {version(name)}" for name in ("scrapy", "twisted"))
    sys.stdout.write(
        f"Python {platform.python_version()}, {packages}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n"
    )
    sys.stdout.write(_ROW.format("work", "median (spread)", "baseline", "ratio", "target", ""))
    for row in rows:
        baseline = f"{median(row.baseline):.4g}" if row.baseline else ""
        ratio = f"{median(row.ratios):.2f}" if row.ratios else ""
        verdict = ("holds" if row.holds else "MISSED") if row in judged else ""
        line = _ROW.format(row.work, _spread(row), baseline, ratio, row.target, verdict)
        sys.stdout.write(line.rstrip() + "\n")
    return all(row.holds for row in judged)


def _spread(row: Row) -> str:
    if not row.measured:
        return ""
    least, greatest = min(row.measured), max(row.measured)
    spread = f" ({least:.4g}-{greatest:.4g})" if least != greatest else ""
    return f"{median(row.measured):.4g}{spread} {row.unit}".rstrip()
