"""The limits of a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.sandbox.tasks import RefusedError, Trouble

if TYPE_CHECKING:
    from scrapy_captcha.sandbox.purchases import SoldTask


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """None and 0 are no limit. *now* in all methods is monotonic seconds.

    * *poll_interval*: seconds between two polls of a task; *polls*: of a task
    * *keeps*: seconds from the solution to the end of its task
    * *solves*: seconds from purchase to solution, before it is given up
    * *picture*: the smallest and the largest number of bytes
    * *one_report*: whether a solution can be reported once only, while its task is kept
    """

    poll_interval: float = 0.0
    polls: int | None = None
    keeps: float | None = None
    solves: float | None = None
    picture: tuple[int, int | None] = (0, None)
    one_report: bool = False

    def check_poll(self, purchase: SoldTask, now: float, interval: float | None) -> None:
        """Count a poll. Raises RefusedError for one too many, or too soon after the last.

        *interval* stands for *poll_interval* unless it is None.
        """
        last, purchase.polled_at = purchase.polled_at, now
        purchase.polls += 1
        if self.polls is not None and purchase.polls > self.polls:
            raise RefusedError(ErrorCode.NOT_FOUND, "Polled too often", Trouble.TOO_MANY)
        interval = self.poll_interval if interval is None else interval
        if last is not None and now - last < interval:
            raise RefusedError(ErrorCode.CAPACITY, "Polled too fast", Trouble.TOO_FAST)

    def check_picture(self, picture: bytes) -> None:
        """Raises RefusedError for one of too few or too many bytes."""
        smallest, largest = self.picture
        if len(picture) < smallest:
            raise RefusedError(ErrorCode.INPUT_TOO_SMALL, f"Less than {smallest} bytes")
        if largest is not None and len(picture) > largest:
            raise RefusedError(ErrorCode.INPUT_TOO_LARGE, f"More than {largest} bytes")

    def has_forgotten(self, purchase: SoldTask, now: float) -> bool:
        """Whether the task is no longer known."""
        return self.keeps is not None and now >= purchase.ready_at + self.keeps

    def has_given_up(self, purchase: SoldTask, now: float) -> bool:
        """Whether solving the task took too long."""
        until = purchase.ready_at if self.solves is None else purchase.made_at + self.solves
        return purchase.ready_at > until <= now

    def takes_report(self, purchase: SoldTask, now: float) -> bool:
        """Whether there is a solution that may be reported."""
        return now >= purchase.ready_at and not (self.one_report and purchase.reported)
