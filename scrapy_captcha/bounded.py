"""A table of bounded size, which forgets the least recently used records."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

V = TypeVar("V")


class Bounded(Generic[V]):
    """At most *size* records by key. Those for which *is_busy* is True stay: they are bounded by
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
        """The record of *key*, which counts as used; None if there is none."""
        record = self._records.get(key)
        if record is not None:
            self._records.move_to_end(key)
        return record

    def put(self, key: Hashable, record: V) -> V:
        """Stores *record* under *key* and returns it."""
        self._records[key] = record
        self._records.move_to_end(key)
        if len(self._records) > self._size:
            self._forget()
        return record

    def pop(self, key: Hashable) -> V | None:
        """Removes and returns the record of *key*; None if there is none."""
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
