"""One purchase on its way: what was asked last, and what is known of it should it end there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Solution

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy_captcha.providers import Call, TaskId


class TrackedPurchase:
    """A purchase at *provider*; *on_task* is told the id of its task, once."""

    def __init__(self, provider: str, on_task: Callable[[TaskId], None]) -> None:
        self._provider = provider
        self._on_task = on_task
        self._last: Call | None = None
        self._was_answered = False

    def asks(self, call: Call) -> None:
        """*call* is made now."""
        is_news = self._last is None or self._last.task_id != call.task_id
        self._last = call
        if call.task_id is not None and is_news:
            self._on_task(call.task_id)

    def heard(self, is_answer: bool) -> None:
        """The last call has been answered, or has failed."""
        self._was_answered = is_answer

    def solved(self, solution: Solution) -> Solution:
        """*solution*, whose task no call has named where it was solved at once.

        Raises TypeError where the provider has given something else.
        """
        if not isinstance(solution, Solution):
            kind = type(solution).__name__
            raise TypeError(
                f"the provider {self._provider!r} gave something of type {kind}: return a Solution"
            )
        is_named = self._last is not None and self._last.task_id is not None
        if not is_named and solution.task_id is not None:
            self._on_task(solution.task_id)
        return solution

    def late(self) -> SolverError:
        """For one that has taken too long."""
        error = self.ended_by(SolverError(ErrorCode.TIMEOUT, provider=self._provider))
        error.unheard = error.task_id is not None and not self._was_answered
        return error

    def ended_by(self, error: SolverError) -> SolverError:
        """*error*, with what is known of the task."""
        if self._last is not None:
            error.task_id, error.possibly_paid = self._last.task_id, self._last.buys
        return error
