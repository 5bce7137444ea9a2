"""The purchases behind tasks whose solutions have not come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy_captcha.providers.base import TaskId


class PendingTasks:
    """Names of purchases by the id of their task.

    A service that gives several purchases one id is paid for each: their names are kept together,
    and taken one by one.
    """

    def __init__(self, pairs: Iterable[tuple[TaskId, str]] = ()) -> None:
        self._names: dict[TaskId, list[str]] = {}
        for task_id, name in pairs:
            self.put(task_id, name)

    def put(self, task_id: TaskId, name: str) -> None:
        """Notes that the purchase *name* has become the task *task_id*."""
        names = self._names.setdefault(task_id, [])
        if name not in names:
            names.append(name)

    def discard(self, task_id: TaskId | None, name: str) -> None:
        """Forgets the purchase *name*, if it has become the task *task_id*."""
        names = [] if task_id is None else self._names.get(task_id, [])
        if name in names:
            names.remove(name)
            self._forget_if_empty(task_id)

    def pop(self, task_id: TaskId | None) -> str:
        """Takes out the name of a purchase that has become *task_id*; "" without any."""
        names = [] if task_id is None else self._names.get(task_id, [])
        name = names.pop(0) if names else ""
        self._forget_if_empty(task_id)
        return name

    def stored(self) -> list[tuple[TaskId, str]]:
        """Pairs of plain data, for `from_stored`."""
        return [(task_id, name) for task_id, names in self._names.items() for name in names]

    @classmethod
    def from_stored(cls, pairs: Any) -> PendingTasks:
        """Those that `stored` has returned; raises TypeError or ValueError for anything else."""
        return cls(_checked(pair) for pair in pairs)

    def _forget_if_empty(self, task_id: TaskId | None) -> None:
        if task_id is not None and not self._names.get(task_id):
            self._names.pop(task_id, None)


def _checked(pair: Any) -> tuple[TaskId, str]:
    task_id, name = pair
    if type(task_id) not in (str, int) or type(name) is not str:
        raise TypeError
    return task_id, name
