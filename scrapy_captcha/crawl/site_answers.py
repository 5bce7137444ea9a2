"""What a site does with a solution, for all that learn from it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scrapy_captcha.events import (
    CookiesNotKept,
    SitePaused,
    SolutionAccepted,
    SolutionRejected,
    SubmissionFailed,
)
from scrapy_captcha.requests import site_of_captcha
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.state import KEY, CaptchaState, Stage

if TYPE_CHECKING:
    from scrapy.http import Request, Response

    from scrapy_captcha.buying.budget import Budget
    from scrapy_captcha.buying.feedback import Feedback
    from scrapy_captcha.buying.rejections import Rejections
    from scrapy_captcha.engine.unkept import UnkeptCookies
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.sessions.single_flight import SingleFlight


class SiteAnswers:
    """Reports to the budget, the services and the rejections what came of each solution."""

    def __init__(
        self,
        flights: SingleFlight,
        unkept: UnkeptCookies,
        rejections: Rejections,
        feedback: Feedback,
        budget: Budget,
        events: Events,
    ) -> None:
        self._flights = flights
        self._unkept = unkept
        self._rejections = rejections
        self._feedback = feedback
        self._budget = budget
        self._events = events

    def accepted(self, request: Request) -> None:
        """Notes that the site has accepted the solution for *request*."""
        self._events.publish(SolutionAccepted(request))
        self._rejections.forgive(site_of_captcha(request))
        state = CaptchaState.of(request.meta)
        self._feedback.accepted(state.solution, is_first=state.tasks == 1)
        self._budget.accepted(state)

    def rejected(self, request: Request, name: str, status: int) -> None:
        """Notes that the site shows *name*, a captcha or a wall, with *status*, in spite of the
        solution for *request*.
        """
        self._events.publish(SolutionRejected(request, name))
        state = CaptchaState.of(request.meta)
        self._budget.rejected(state)
        site = site_of_captcha(request)
        count = self._flights.sending.count_rejection(request, state.solution)
        lost_by = self._unkept.why(request, state.solution)
        if lost_by and self._rejections.rejected_without_cookies(site):
            self._events.publish(CookiesNotKept(site, lost_by))
        if lost_by or not count:
            self._feedback.not_judged(state.solution)
        if not count:
            self._rejections.undecided(site)
            return
        self._feedback.rejected(state.solution, request, status)
        now = time.monotonic()
        for _ in range(count):
            if self._rejections.count_against(site, now):
                self._events.publish(SitePaused(site, "it rejects every solution"))

    def undecided(self, request: Request, response: Response, state: CaptchaState) -> None:
        """Notes that *response* is neither a page nor a captcha: no verdict on the solution."""
        self._rejections.undecided(site_of_captcha(request))
        self._feedback.not_judged(state.solution)
        is_broken = response.status >= 500 or response.status == 429
        self._flights.left(state, Outcome.FAILED if is_broken else Outcome.MOVED)

    def undelivered(self, request: Request, error: Exception) -> None:
        """Notes that the solution for *request* could not be sent to the site, and will not be."""
        self._events.publish(SubmissionFailed(request, error))
        state = CaptchaState.of(request.meta)
        self._feedback.not_judged(state.solution)
        self._budget.ended(state)
        request.meta[KEY] = state.to(Stage.REQUESTED, solution="").to_meta()
        site = site_of_captcha(request)
        if self._rejections.undelivered(site, time.monotonic()):
            self._events.publish(SitePaused(site, "three in a row could not be sent"))
