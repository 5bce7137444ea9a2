"""Those who wait for what becomes of a page that solves for its session."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Outcome(Enum):
    """What became of the page that solved for its session."""

    OPENED = "the site took its solution"
    TRIAL = "the site took its solution; one is to find out for whom that opens"
    MOVED = "it went on in another session"
    FAILED = "it was given up"
    PENDING = "nobody knows yet"


class Audience:
    """Waits by session, nobody for longer than *patience* seconds: then the outcome is PENDING."""

    def __init__(self, clock: IReactorTime, patience: float) -> None:
        self._clock = clock
        self._patience = patience
        self._waiting: dict[str, list[Deferred[Outcome]]] = {}
        self._tired: dict[str, IDelayedCall] = {}

    def wait(self, session: str) -> Deferred[Outcome]:
        """Fires with the outcome for *session*; may be cancelled."""
        told: Deferred[Outcome] = Deferred()
        self._waiting.setdefault(session, []).append(told)
        if session not in self._tired:  # one timer for all: thousands may wait
            self._tired[session] = self._clock.callLater(
                self._patience, self.tell, session, Outcome.PENDING
            )
        return told

    def tell(self, session: str, outcome: Outcome) -> None:
        """Those who wait for *session* learn the outcome, in slices."""
        waiting = self._waiting.pop(session, [])
        if not waiting:
            return
        tired = self._tired.pop(session)
        if tired.active():
            tired.cancel()

        def one_by_one() -> Iterator[None]:
            for told in waiting:
                if not told.called:
                    told.callback(outcome)
                yield

        cooperate(one_by_one())

    def tell_one(self, session: str, outcome: Outcome) -> None:
        """The first of those who wait for *session* learns the outcome at once."""
        waiting = self._waiting.get(session, [])
        while waiting:
            told = waiting.pop(0)
            if not told.called:
                told.callback(outcome)
                return

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        for tired in self._tired.values():
            tired.cancel()
