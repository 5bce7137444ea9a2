"""When to look at a task: few looks, and little waiting once the solution is there.

Until enough tasks of a kind are known, they are looked at in even steps. Then the first look is put
where about half of them are ready: it moves a little back with each task that it finds ready and a
little forth with each that it does not, so that it follows services that become faster or slower.
The looks behind it are spread over what the slower tasks took.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from scrapy_captcha.captchas import Kind

_ENOUGH = 10  # tasks, until which nothing is concluded
_REMEMBERED = 50  # tasks
_SHARE = 0.52  # of tasks that the first look should find ready
_SHARE_OF_EVEN = 0.9  # the same where all tasks take equally long: one look is enough
_SHIFT = 0.05  # of the first look's time, with each task
_STEPS = 7  # looks between the first one and the slowest tasks
_SLOWEST = 0.95
_GROWTH = 1.25  # of each step behind the slowest task that is known
_LUCK = 0.03  # chance of as many tasks in a row ready at the first look as make us look earlier
_EARLIER = 0.6  # of the first look's time: what is ready sooner was found by such an earlier look


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
    """What is known of one kind."""

    def __init__(self, earliest: float, interval: float) -> None:
        self._earliest = earliest
        self._interval = interval
        self._seen: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self._count = 0
        self._in_a_row = 0  # tasks that the first look found ready
        self._look = 0.0  # when the first look is; 0 while nothing is concluded

    def observe(self, low: float, high: float) -> None:
        self._seen.append((low, high))
        self._count += 1
        if self._look:
            self._move(low, high)
        elif self._count >= _ENOUGH:
            middles = [(low + high) / 2 for low, high in self._seen]
            self._look = _quantile([h for _, h in self._seen] if self._even() else middles, 0.5)
        if self._look:
            self._look = max(self._look, self._earliest)

    def _move(self, low: float, high: float) -> None:
        ready = (low + high) / 2 <= self._look  # which others may have moved meanwhile
        self._in_a_row = self._in_a_row + 1 if ready else 0
        if low == 0 < high < self._look * _EARLIER:
            self._look = high  # the earlier look has found it ready
            return
        share, shift = self._share(), max(_SHIFT, 1 / self._count)
        self._look *= 1 - shift * (1 - share) if ready else 1 + shift * share

    def waits(self) -> Iterator[float]:
        if not self._look:
            yield self._earliest
            while True:
                yield self._interval
        look, step = self._look, self._step()
        if self._share() ** self._in_a_row < _LUCK and look / 2 >= self._earliest:
            self._in_a_row = 0  # one look is enough to know
            yield look / 2
            look = max(look / 2, self._interval)
        yield look
        for _ in range(_STEPS):
            yield step
        while True:
            yield step
            step *= _GROWTH

    def _step(self) -> float:
        slowest = _quantile([high for _, high in self._seen], _SLOWEST)
        spread = 0.0 if self._even() else slowest - self._look
        return max(self._interval, spread / _STEPS)

    def _share(self) -> float:
        return _SHARE_OF_EVEN if self._even() else _SHARE

    def _even(self) -> bool:
        """Whether all tasks take equally long, as far as looks at such intervals can tell."""
        close = [s for s in self._seen if s[0] > 0 and s[1] - s[0] <= self._interval * 1.01]
        if not close:
            return False
        spread = max(high for _, high in close) - min(low for low, _ in close)
        return spread <= 2.01 * self._interval


def _quantile(values: Collection[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]
