"""A table that forgets what was used least recently, so that a long crawl needs no more memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

V = TypeVar("V")


class Bounded(Generic[V]):
    """At most *size* records by key. *is_busy* names those that stay: their number is bounded by
    other means, such as requests under way.
    """

    def __init__(self, size: int, is_busy: Callable[[V], bool] = lambda _record: False) -> None:
        self._size = size
        self._is_busy = is_busy
        self._records: OrderedDict[Hashable, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[V]:
        return iter(self._records.values())

    def get(self, key: Hashable) -> V | None:
        """The record of *key*, None without one; it counts as used."""
        record = self._records.get(key)
        if record is not None:
            self._records.move_to_end(key)
        return record

    def put(self, key: Hashable, record: V) -> V:
        """*record*, which is that of *key* from now on."""
        self._records[key] = record
        self._records.move_to_end(key)
        if len(self._records) > self._size:
            self._forget()
        return record

    def pop(self, key: Hashable) -> V | None:
        """The record of *key*, which is forgotten; None without one."""
        return self._records.pop(key, None)

    def _forget(self) -> None:
        """The oldest that is not busy goes; a busy one that is oldest becomes the newest."""
        for _ in range(_TRIES):
            key, record = next(iter(self._records.items()))
            if not self._is_busy(record):
                del self._records[key]
                return
            self._records.move_to_end(key)


_TRIES = 8
