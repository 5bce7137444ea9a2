"""Charts for the report, as inline SVG."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_WIDTH, _HEIGHT = 480, 160
_LEFT, _BOTTOM = 8, 22  # for the words around a curve
_BAR = 120


def curve(points: Sequence[tuple[float, int]], title: str, shown: Callable[[int], str]) -> str:
    """A figure over time as steps, with its highest value as *shown*; "" for less than two points.

    *points* are seconds from the beginning, with the figure from then on.
    """
    if len(points) < 2:
        return ""
    end = points[-1][0] or 1.0
    highest = max(value for _, value in points)
    steps = " ".join(_steps(points, end, highest or 1))
    return (
        f'<figure style="margin:0"><figcaption>{escape(title)}: at most {shown(highest)}'
        f'</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
        f"<title>{escape(title)}</title>"
        f'<path d="M{_LEFT} {_HEIGHT - _BOTTOM}H{_WIDTH}" stroke="var(--line)"/>'
        f'<polyline points="{steps}" fill="none" stroke="var(--accent)" stroke-width="2"/>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}" font-size="11" fill="currentColor">0 s</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 6}" font-size="11" fill="currentColor"'
        f' text-anchor="end">{end:.0f} s</text></svg></figure>'
    )


def _steps(points: Sequence[tuple[float, int]], end: float, highest: int) -> list[str]:
    def place(at: float, value: int) -> str:
        x = _LEFT + (_WIDTH - _LEFT) * at / end
        y = (_HEIGHT - _BOTTOM) - (_HEIGHT - _BOTTOM - 8) * (value / highest)
        return f"{x:.1f},{y:.1f}"

    steps = [place(*points[0])]
    for (_, before), (at, value) in pairwise(points):
        steps += [place(at, before), place(at, value)]
    return steps


def shares(counts: Mapping[str, int]) -> str:
    """A bar with a part for each of *counts*, whose names are the classes of its parts."""
    total = sum(counts.values())
    if not total:
        return ""
    parts, x = [], 0.0
    for name, number in counts.items():
        width = _BAR * number / total
        parts.append(
            f'<rect class="{name}" x="{x:.1f}" width="{width:.1f}" height="12">'
            f"<title>{name}: {number}</title></rect>"
        )
        x += width
    return f'<svg viewBox="0 0 {_BAR} 12" style="width:{_BAR}px" role="img">{"".join(parts)}</svg>'
