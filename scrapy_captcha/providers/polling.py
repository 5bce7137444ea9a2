"""When to look at a task: few looks, and little waiting once the solution is there.

Until enough tasks of a kind are known, they are looked at in even steps. Then the first look is put
where almost half of them are ready, and the looks behind it are spread over what the slower tasks
took. Where all take about equally long, one look at the end of that is enough.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy_captcha.models import Kind

_ENOUGH = 10  # tasks, until which nothing is concluded
_REMEMBERED = 50  # tasks
_FIRST = 0.42  # of tasks that are ready before the first look
_SLOWEST, _FASTEST = 0.95, 0.05
_STEPS = 6  # looks from the first one to the slowest tasks
_GROWTH = 1.25  # of each step behind those
_EARLY = 12  # of so many tasks one is looked at early, in case that the service has become faster


@dataclass(frozen=True, slots=True)
class PollingRules:
    """What a service asks of those who look at its tasks.

    * *first*: seconds from the purchase to the first look, at least
    * *interval*: seconds between two looks, at least
    * *polls*: looks at one task, at most
    """

    first: float = 0.0
    interval: float = 0.0
    polls: int = 1000


class Polling:
    """Learns how long tasks of each kind take; times are seconds from the purchase."""

    def __init__(self, first: float, interval: float) -> None:
        self._first = first
        self._interval = interval
        self._kinds: dict[Kind, _Learned] = {}

    def waits(self, kind: Kind) -> Iterator[float]:
        """The time to wait before each look at a new task of *kind*, without end."""
        return self._learned(kind).waits()

    def steadily(self) -> Iterator[float]:
        """The same for a task of which nobody knows how old it is: the first look is at once."""
        yield 0.0
        while True:
            yield self._interval

    def observe(self, kind: Kind, low: float, high: float) -> None:
        """A task was ready at *high* and not yet at *low*; both the same where that is known."""
        self._learned(kind).observe(low, high)

    def _learned(self, kind: Kind) -> _Learned:
        return self._kinds.setdefault(kind, _Learned(self._first, self._interval))


class _Learned:
    """What is known of one kind: durations, as exactly as the looks could tell."""

    def __init__(self, earliest: float, interval: float) -> None:
        self._earliest = earliest
        self._interval = interval
        self._durations: deque[float] = deque(maxlen=_REMEMBERED)
        self._observed = 0
        self._begun = 0

    def observe(self, low: float, high: float) -> None:
        """Adds a duration from *low* to *high*, one as known before where there is any.

        So few looks do not blur what more looks have told, while what is no more dies out.
        """
        self._observed += 1
        known = [duration for duration in self._durations if low < duration <= high]
        duration = known[self._observed % len(known)] if known else (low + high) / 2
        self._durations.append(duration)

    def waits(self) -> Iterator[float]:
        if len(self._durations) < _ENOUGH:
            yield self._earliest
            while True:
                yield self._interval
        self._begun += 1
        look, step = self._plan()
        if self._begun % _EARLY == 0 and look / 2 >= self._earliest:
            yield look / 2
            look = max(look / 2, self._interval)
        yield look
        for _ in range(_STEPS):
            yield step
        while True:
            yield step
            step *= _GROWTH

    def _plan(self) -> tuple[float, float]:
        """When the first look is, and how far the next are from each other."""
        durations = sorted(self._durations)
        fastest, first, slowest = (
            durations[int(share * len(durations))] for share in (_FASTEST, _FIRST, _SLOWEST)
        )
        if slowest - fastest <= self._interval:
            first = slowest  # one look is enough
        return max(first, self._earliest), max(self._interval, (slowest - first) / _STEPS)
