"""The manners of a site, as learned: what may go on beside a solution in its session.

Pure bookkeeping. Times are seconds on any clock that only goes forward.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from math import inf


class Manner(IntEnum):
    """The part of the way from a captcha to its page in which its session must be left alone."""

    APART = 0  # nothing: solutions that are sent at once do one another no harm
    TURNS = 1  # from the submission to the page: the next submission may replace its clearance
    VISITS = 2  # from the captcha on: the next one that is shown may replace the expected answer


_DOUBTS = 2  # rejections that our own requests may have caused, before less is done at once
_MOST_UNCOUNTED = 6  # rejections in a row that other requests of the crawl may have caused
_ENOUGH_ALONE = 3  # solutions accepted one at a time, before two are sent at once
_ENOUGH_BESIDE = 4  # accepted of those, before no solution waits for another
_SURE = 30  # accepted beside others, before a rejection is the site's own


@dataclass(slots=True)
class Flight:
    """A solution on its way: when its captcha was shown, and what happened since.

    * *sent_at*: infinite before it was sent
    * *overlapped*: whether another solution of the session was on its way at the same time
    * *sets_cookie*: whether the answer has changed the session's cookies
    * *at_gate*: whether it was for a captcha at another URL than that of its page, so that the site
      remembers by the session which page is wanted
    """

    shown_at: float
    manner: Manner
    sent_at: float = inf
    overlapped: bool = False
    sets_cookie: bool = False
    at_gate: bool = False


@dataclass(slots=True)
class Overlap:
    """Whether solutions of a site may be sent at once, tried out with two where that costs little.

    A site that sets no cookie for a solution may keep no session, and then it takes them in any
    number. It may also have a mark for the visitor, which the next solution replaces: then one of
    the two is rejected, and they are sent one at a time for good.

    * *alone*, *beside*: how many were accepted that were sent one at a time, and at once
    """

    alone: int = 0
    beside: int = 0
    does_harm: bool = False

    @property
    def was_tried(self) -> bool:
        """Whether enough were accepted one at a time for two to be sent at once."""
        return self.alone >= _ENOUGH_ALONE

    @property
    def is_on_trial(self) -> bool:
        """Whether two may be sent at once, which may cost one of them."""
        return self.was_tried and not self.does_harm

    @property
    def is_harmless(self) -> bool:
        """Whether as many as there are may be sent at once."""
        return self.is_on_trial and self.beside >= _ENOUGH_BESIDE

    @property
    def is_proof(self) -> bool:
        """Whether one more that was accepted beside another proves that this does no harm."""
        return not self.was_tried or self.beside >= _SURE

    def learn_accepted(self, flight: Flight) -> None:
        """The solution of *flight* was accepted."""
        if flight.sets_cookie or flight.at_gate:
            self.does_harm = True
        elif flight.overlapped:
            self.beside += 1
        elif flight.manner is Manner.TURNS:
            self.alone += 1


@dataclass(slots=True)
class Manners:
    """What one site has shown.

    * *manner*: that of now; *before*: the one before it while it is on trial, else None
    * *uncounted*: rejections in a row that may be our own doing
    * *may_show*, *may_send*: whether other captchas that are shown, and other solutions that are
      sent, have been seen to do no harm
    """

    manner: Manner = Manner.TURNS
    before: Manner | None = None
    doubts: int = 0
    uncounted: int = 0
    may_show: bool = False
    may_send: bool = False
    overlap: Overlap = field(default_factory=Overlap)

    @property
    def take_two(self) -> bool:
        """Whether to try whether two solutions may be sent at once."""
        return self.manner is Manner.TURNS and self.before is None and self.overlap.is_on_trial

    def are_for_one_visit(self) -> None:
        """Notes that captchas of the site are good for one visit."""
        self.manner, self.before = Manner.VISITS, None

    def answers_with_page(self, flight: Flight) -> None:
        """Notes that the answer to a solution was the page, without a redirect to it."""
        if flight.sets_cookie or self.may_send:
            return
        if self.manner is Manner.TURNS and self.before is None:
            self.manner = Manner.APART

    def learn_accepted(self, flight: Flight, *, outdated: bool) -> None:
        """Notes that the site has accepted the solution of *flight*, whatever went on beside it.

        It was *outdated* where another captcha had been shown meanwhile.
        """
        self.may_show = self.may_show or outdated
        self.may_send = self.may_send or (flight.overlapped and self.overlap.is_proof)
        self.doubts = self.uncounted = 0
        if flight.manner is self.manner:
            self.before = None
        self.overlap.learn_accepted(flight)
        if self.take_two and self.overlap.is_harmless:
            self.manner = Manner.APART

    def count_rejection(self, flight: Flight, *, outdated: bool) -> int:
        """Notes that the site has rejected the solution of *flight*, *outdated* as above.

        Returns how many rejections that proves to be its own. None where this may be our doing:
        then less is done at once, on trial. Where that changes nothing, the earlier ones were the
        site's own too.
        """
        crossed = flight.overlapped and not self.may_send
        if (crossed or (outdated and not self.may_show)) and self.uncounted < _MOST_UNCOUNTED:
            self.uncounted += 1
            if crossed and self.overlap.was_tried:
                self._one_at_a_time()
            elif flight.manner is self.manner and self.manner is not Manner.VISITS:
                self._doubt(Manner.TURNS if crossed else Manner.VISITS)
            return 0
        if self.before is not None and flight.manner is self.manner:
            self.manner, self.before = self.before, None
            self.may_show = self.may_send = True
        earlier, self.uncounted = self.uncounted, 0
        return 1 + earlier if self.may_show else 1

    def _one_at_a_time(self) -> None:
        self.overlap.does_harm = True
        self.manner = max(self.manner, Manner.TURNS)

    def _doubt(self, manner: Manner) -> None:
        self.doubts += 1
        if self.doubts >= _DOUBTS:
            self.doubts = 0
            self.overlap.does_harm = True
            self.before = self.manner if self.before is None else self.before
            self.manner = max(manner, Manner(self.manner + 1))
