"""A queue of coroutines that wait, each of which is resumed from the reactor and from nowhere else.

To fire the Deferred of one waiter runs its coroutine, often up to its end. Where that end fires the
next one, a queue of some hundred is one chain of calls, and longer than Python's stack.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Generic, TypeVar

from twisted.internet.defer import Deferred

from scrapy_captcha.clock import Timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

logger = logging.getLogger(__name__)

T = TypeVar("T")

_BATCH = 50  # waiters resumed before the reactor has its turn


class Waiters(Timed, Generic[T]):
    """Waiters in the order in which they came; with *party* given, the parties take turns.

    One that has waited for *patience* seconds is resumed with *late*. *on_unclaimed* is called with
    the result and the party of a waiter that was cancelled between `resume` and its being resumed.
    """

    def __init__(
        self,
        clock: IReactorTime,
        *,
        late: T,
        patience: float = float("inf"),
        on_unclaimed: Callable[[T, str], object] = lambda _result, _party: None,
    ) -> None:
        self._clock = clock
        self._late = late
        self._patience = patience
        self._on_unclaimed = on_unclaimed
        self._canceller = self._cancelled  # one for all that wait
        self._queues: OrderedDict[str, OrderedDict[Deferred[T], None]] = OrderedDict()
        self._party_of: dict[Deferred[T], str] = {}
        self._chosen: OrderedDict[Deferred[T], tuple[T, str]] = OrderedDict()
        self._deadlines: deque[tuple[float, Deferred[T]]] = deque()
        self._delivery: IDelayedCall | None = None
        self._is_delivering = False
        self._expiry: IDelayedCall | None = None

    def __len__(self) -> int:
        """How many have not been resumed, those included that are about to be."""
        return len(self._party_of) + len(self._chosen)

    @property
    def waiting(self) -> int:
        """How many `resume` can still choose from."""
        return len(self._party_of)

    def wait(self, party: str = "") -> Deferred[T]:
        """Fires with the result; may be cancelled."""
        waiter: Deferred[T] = Deferred(self._canceller)
        self._party_of[waiter] = party
        self._queues.setdefault(party, OrderedDict())[waiter] = None
        if self._patience < float("inf"):
            self._deadlines.append((self._clock.seconds() + self._patience, waiter))
            self._expire_later()
        return waiter

    def has(self, party: str) -> bool:
        """Whether `resume` can choose from *party*."""
        return party in self._queues

    def resume(self, result: T, party: str | None = None) -> bool:
        """Chooses the next waiter, of *party* if given, which is resumed with *result* soon.

        False without any.
        """
        if party is None:
            party = next(iter(self._queues), None)
        if party is None or party not in self._queues:
            return False
        self._queues.move_to_end(party)
        self._choose(next(iter(self._queues[party])), result)
        return True

    def resume_all(self, result: T, party: str | None = None) -> None:
        """All that wait now, of *party* if given, are resumed with *result*, some at a time."""
        while self.resume(result, party):
            pass

    def cancel_timers(self) -> None:
        """What waits is not resumed any more."""
        for call in (self._delivery, self._expiry):
            if call is not None and call.active():
                call.cancel()

    def _choose(self, waiter: Deferred[T], result: T) -> None:
        self._chosen[waiter] = result, self._remove(waiter)
        self._deliver_later()

    def _remove(self, waiter: Deferred[T]) -> str:
        party = self._party_of.pop(waiter)
        queue = self._queues[party]
        del queue[waiter]
        if not queue:
            del self._queues[party]
        return party

    def _cancelled(self, waiter: Deferred[T]) -> None:
        if waiter in self._party_of:
            self._remove(waiter)
        elif waiter in self._chosen:
            self._on_unclaimed(*self._chosen.pop(waiter))

    def _deliver_later(self) -> None:
        is_due = self._delivery is not None and self._delivery.active()
        if not (is_due or self._is_delivering):
            self._delivery = self._clock.callLater(0, self._deliver)

    def _deliver(self) -> None:
        self._is_delivering = True
        for _ in range(_BATCH):  # those chosen meanwhile included
            if not self._chosen:
                break
            waiter, (result, _party) = self._chosen.popitem(last=False)
            self._deliver_one(waiter, result)
        self._is_delivering = False
        if self._chosen:
            self._deliver_later()

    def _deliver_one(self, waiter: Deferred[T], result: T) -> None:
        try:
            waiter.callback(result)
        except Exception:
            logger.exception("Error while a request that waited for a captcha was resumed")

    def _expire_later(self) -> None:
        while self._deadlines and self._deadlines[0][1] not in self._party_of:
            self._deadlines.popleft()
        if self._deadlines and (self._expiry is None or not self._expiry.active()):
            rest = max(0.0, self._deadlines[0][0] - self._clock.seconds())
            self._expiry = self._clock.callLater(rest, self._expire)

    def _expire(self) -> None:
        now = self._clock.seconds()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, waiter = self._deadlines.popleft()
            if waiter in self._party_of:
                self._choose(waiter, self._late)
        self._expire_later()
