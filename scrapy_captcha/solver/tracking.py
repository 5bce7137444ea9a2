"""The state of one purchase under way, in case it ends early."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Solution

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy_captcha.providers import Call, TaskId


class TrackedPurchase:
    """A purchase at *provider*; *on_task* is called once, with the id of its task."""

    def __init__(self, provider: str, on_task: Callable[[TaskId], None]) -> None:
        self._provider = provider
        self._on_task = on_task
        self._last: Call | None = None
        self._was_answered = False

    def asks(self, call: Call) -> None:
        """Notes that *call* is made."""
        is_news = self._last is None or self._last.task_id != call.task_id
        self._last = call
        if call.task_id is not None and is_news:
            self._on_task(call.task_id)

    def heard(self, is_answer: bool) -> None:
        """Notes whether the last call was answered."""
        self._was_answered = is_answer

    def solved(self, solution: Solution) -> Solution:
        """Returns *solution*; calls *on_task* if the task was solved at once, without a poll.

        Raises TypeError if the provider has returned something else.
        """
        if not isinstance(solution, Solution):
            raise TypeError(
                f"the provider {self._provider!r} returned something of type "
                f"{type(solution).__name__}: return a Solution"
            )
        is_named = self._last is not None and self._last.task_id is not None
        if not is_named and solution.task_id is not None:
            self._on_task(solution.task_id)
        return solution

    def late(self) -> SolverError:
        """The error of a purchase that has timed out."""
        error = self.ended_by(SolverError(ErrorCode.TIMEOUT, provider=self._provider))
        error.unheard = error.task_id is not None and not self._was_answered
        return error

    def ended_by(self, error: SolverError) -> SolverError:
        """*error*, with the id of the task and whether it may have been paid."""
        if self._last is not None:
            error.task_id, error.possibly_paid = self._last.task_id, self._last.buys
        return error
