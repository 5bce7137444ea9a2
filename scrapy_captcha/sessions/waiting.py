"""The pages of a session that wait for their turn, and the order in which they get it."""

from __future__ import annotations

from enum import Enum
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from scrapy_captcha.clock import Timed
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime


class Why(Enum):
    """The reasons why a page waits; the first are served first."""

    TO_SEND = "it has a solution, which ages"
    AGAIN = "it was fetched again, and showed a captcha all the same"
    SHOWN = "it shows a captcha"
    NEW = "it would be in the way, or only meet a captcha"


_LONGEST_HOLD = 30.0  # seconds for which pages are held back that may be free after all


class WaitingPages(Timed):
    """The waits by session, each for *patience* seconds at most: then the outcome is PENDING."""

    def __init__(self, clock: IReactorTime, patience: float) -> None:
        hold = min(patience, _LONGEST_HOLD)
        self._queues = {
            why: Waiters(
                clock,
                late=Outcome.PENDING,
                patience=hold if why is Why.NEW else patience,
                on_unclaimed=partial(self._pass_on, why),
            )
            for why in Why
        }

    def until_resumed(self, session: str, why: Why) -> Deferred[Outcome]:
        """Fires with the outcome for *session*; may be cancelled."""
        return self._queues[why].wait(session)

    def has(self, session: str) -> bool:
        """Whether a page of *session* waits."""
        return any(queue.has(session) for queue in self._queues.values())

    def resume(self, session: str, outcome: Outcome, *, new: bool = True) -> bool:
        """Resumes the next page of *session* with *outcome*; False if none waits.

        Pages that have not been fetched yet count with *new* only.
        """
        return any(
            self._queues[why].resume(outcome, session) for why in Why if new or why is not Why.NEW
        )

    def resume_to_send(self, session: str, outcome: Outcome) -> bool:
        """Resumes the next page of *session* that has a solution; False without one."""
        return self._queues[Why.TO_SEND].resume(outcome, session)

    def resume_new(self, session: str, outcome: Outcome, most: float = inf) -> None:
        """Resumes the next *most* pages that have not been fetched yet with *outcome*."""
        resumed = 0
        while resumed < most and self._queues[Why.NEW].resume(outcome, session):
            resumed += 1

    def resume_all(self, session: str, outcome: Outcome, *whys: Why) -> None:
        """Resumes all that wait for one of *whys* with *outcome*."""
        for why in whys:
            self._queues[why].resume_all(outcome, session)

    def cancel_timers(self) -> None:
        """As in `Timed`."""
        for queue in self._queues.values():
            queue.cancel_timers()

    def _pass_on(self, why: Why, outcome: Outcome, session: str) -> None:
        """The page that *outcome* was for is gone; all others learn the other outcomes anyway."""
        if outcome is Outcome.TRIAL:
            self._queues[why].resume(outcome, session)
