"""The purchases at a solver, and the reports about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tasks import JsonObject, TaskOrder


@dataclass(slots=True)
class SoldTask:
    """A task of the solver's.

    * *made_at*, *ready_at*, *polled_at*: monotonic seconds; *made_time*: Unix time
    * *solution*: None before the first poll that finds it solved
    """

    id: int | str
    order: TaskOrder
    price: float
    made_at: float
    ready_at: float
    made_time: int
    polls: int = 0
    polled_at: float | None = None
    solution: JsonObject | None = None
    reported: bool = False
    refunded: bool = False

    @property
    def ready_time(self) -> int:
        """Unix time of the solution."""
        return self.made_time + round(self.ready_at - self.made_at)


@dataclass(frozen=True, slots=True)
class Report:
    """A client's report of a solution. *refunded*: whether the service paid it back."""

    task_id: int | str
    correct: bool
    refunded: bool
