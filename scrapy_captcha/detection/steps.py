"""The budget for judging one page, counted in steps: a step is about a microsecond of work."""

from __future__ import annotations

# Of a thousand real pages, walls needed 2,600 at most, and content 29,000.
MAX_STEPS = 40_000


class TooManyStepsError(Exception):
    """A page needs more work than any that is to be judged."""


class Steps:
    """What is left of the budget of one page."""

    __slots__ = ("left",)

    def __init__(self, limit: int = MAX_STEPS) -> None:
        self.left = limit

    def spend(self, steps: int) -> None:
        """Takes *steps* off. Raises `TooManyStepsError` where fewer are left."""
        self.left -= steps
        if self.left < 0:
            raise TooManyStepsError
