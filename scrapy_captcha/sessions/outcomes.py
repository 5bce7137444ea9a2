"""The waiters for the outcome of a page that solves for its session."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime


_SWEEP_AT = 1000  # sessions


class Outcome(Enum):
    """The outcome of the page that solved for its session."""

    OPENED = "the site took its solution"
    TRIAL = "the site took its solution; one page tries what that opens"
    MOVED = "it went on in another session"
    FAILED = "it was given up"
    PENDING = "not known yet"


class Audience:
    """Waits by session, each for *patience* seconds at most: then the outcome is PENDING."""

    def __init__(self, clock: IReactorTime, patience: float) -> None:
        self._clock = clock
        self._patience = patience
        self._waiting: dict[str, Waiters[Outcome]] = {}
        self._next_sweep = _SWEEP_AT

    def wait(self, session: str) -> Deferred[Outcome]:
        """Fires with the outcome for *session*; may be cancelled."""
        if session not in self._waiting:
            if len(self._waiting) >= self._next_sweep:
                self._sweep()
            self._waiting[session] = self._waiters()
        return self._waiting[session].wait()

    def tell(self, session: str, outcome: Outcome) -> None:
        """Resumes all that wait for *session* with the outcome, some at a time."""
        waiters = self._waiting.pop(session, None)
        if waiters is not None:
            waiters.resume_all(outcome)

    def has(self, session: str) -> bool:
        """Whether a page waits for *session*."""
        return session in self._waiting and bool(self._waiting[session].waiting)

    def tell_one(self, session: str, outcome: Outcome) -> bool:
        """Resumes the first that waits for *session* with the outcome; False without any."""
        return session in self._waiting and self._waiting[session].resume(outcome)

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        for waiters in self._waiting.values():
            waiters.close()

    def _sweep(self) -> None:
        """Forgets the sessions for which none waits; the next time is twice as far away."""
        self._waiting = {name: waiters for name, waiters in self._waiting.items() if len(waiters)}
        self._next_sweep = max(_SWEEP_AT, 2 * len(self._waiting))

    def _waiters(self) -> Waiters[Outcome]:
        def pass_on(outcome: Outcome) -> None:
            if outcome is Outcome.TRIAL:  # all others learn the other outcomes anyway
                waiters.resume(outcome)

        waiters = Waiters(
            self._clock, late=Outcome.PENDING, patience=self._patience, on_unclaimed=pass_on
        )
        return waiters
