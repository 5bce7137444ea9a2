"""When to poll a task: with few polls, and soon after the solution is ready.

Tasks are polled at a fixed interval until enough tasks of their kind are known. Then the first poll
comes when almost half of the known tasks were ready, and the next ones are spread over the time of
the slower tasks. If all tasks take about equally long, one poll at the end of that time is enough.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy_captcha.models import Kind

_ENOUGH = 10  # tasks before a schedule is made
_REMEMBERED = 50  # tasks
_FIRST = 0.42  # share of tasks that are ready before the first poll
_SLOWEST, _FASTEST = 0.95, 0.05
_STEPS = 6  # polls from the first one to the slowest tasks
_GROWTH = 1.25  # of each step after those
_EARLY = 12  # one task of so many is polled early, in case the service has become faster


@dataclass(frozen=True, slots=True)
class PollingRules:
    """How often a service allows a task to be polled.

    * *first*: minimum number of seconds from the purchase to the first poll
    * *interval*: minimum number of seconds between two polls
    * *polls*: maximum number of polls of one task
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
        """The seconds to wait before each poll of a new task of *kind*; never ends."""
        return self._learned(kind).waits()

    def steadily(self) -> Iterator[float]:
        """The same for a task of unknown age: the first poll is made at once."""
        yield 0.0
        while True:
            yield self._interval

    def observe(self, kind: Kind, low: float, high: float) -> None:
        """A task was not ready at *low*, but at *high*; both are equal if the time is known."""
        self._learned(kind).observe(low, high)

    def _learned(self, kind: Kind) -> _Learned:
        return self._kinds.setdefault(kind, _Learned(self._first, self._interval))


class _Learned:
    """The durations of tasks of one kind, as exactly as the polls have shown them."""

    def __init__(self, earliest: float, interval: float) -> None:
        self._earliest = earliest
        self._interval = interval
        self._durations: deque[float] = deque(maxlen=_REMEMBERED)
        self._observed = 0
        self._begun = 0

    def observe(self, low: float, high: float) -> None:
        """Adds a duration between *low* and *high*, a known one if there is any in that range.

        Thus few polls do not blur what more polls have shown, and old durations still die out.
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
        first, step = self._plan()
        if self._begun % _EARLY == 0 and first / 2 >= self._earliest:
            yield first / 2
            first = max(first / 2, self._interval)
        yield first
        for _ in range(_STEPS):
            yield step
        while True:
            yield step
            step *= _GROWTH

    def _plan(self) -> tuple[float, float]:
        """The seconds to the first poll, and those between the next ones."""
        durations = sorted(self._durations)
        fastest, first, slowest = (
            durations[int(share * len(durations))] for share in (_FASTEST, _FIRST, _SLOWEST)
        )
        if slowest - fastest <= self._interval:
            first = slowest  # one poll is enough
        return max(first, self._earliest), max(self._interval, (slowest - first) / _STEPS)
