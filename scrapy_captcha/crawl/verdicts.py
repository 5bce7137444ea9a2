"""PageVerdicts: what the site makes of a solution, as far as the page after it says so."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scrapy_captcha.detection import Verdict
from scrapy_captcha.origin import redirects
from scrapy_captcha.state import KEY, CaptchaState, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy.http import Request, Response

    from scrapy_captcha.crawl.answer_pages import AnswerPages
    from scrapy_captcha.crawl.detours import Detours
    from scrapy_captcha.crawl.outcomes import Outcomes
    from scrapy_captcha.crawl.site_answers import SiteAnswers
    from scrapy_captcha.detection import Detection
    from scrapy_captcha.engine.http_cache import HttpCache
    from scrapy_captcha.sessions.single_flight import SingleFlight


class PageVerdicts:
    """Judges the solution of a page that shows a captcha once more."""

    def __init__(
        self,
        answer_pages: AnswerPages,
        flights: SingleFlight,
        cache: HttpCache,
        site_answers: SiteAnswers,
        outcomes: Outcomes,
        detours: Detours,
    ) -> None:
        self._answer_pages = answer_pages
        self._flights = flights
        self._cache = cache
        self._site_answers = site_answers
        self._outcomes = outcomes
        self._detours = detours

    def posted_again(
        self, request: Request, response: Response, found: Detection | None, state: CaptchaState
    ) -> Request | None:
        """The POST to send again, if *response*, at the URL that it was redirected to, is no page
        of its result; else None.

        It comes after a solution, its own or another page's.
        """
        if not (state.reposts and state.stage in (Stage.SUBMITTED, Stage.SHARED)):
            return None
        stands_for_page = found is not None and found.verdict is not Verdict.WIDGET
        if stands_for_page or len(redirects(request)) > 1 or 400 <= response.status < 500:
            return self._detours.post_again(request)
        return None

    def judged(
        self, request: Request, state: CaptchaState, name: str, status: int
    ) -> Request | Response | Awaitable[Request] | None:
        """What becomes of *request*, which shows *name* after its solution; None if rejected."""
        page = self._answer_pages.instead(state.solution)
        if page is not None:
            if page.request is None or "redirect_urls" not in page.request.meta:
                self._flights.sending.answers_with_page(request, state.solution)
            self._cache.store_page(request, page)
            return self._outcomes.arrived(request, page, state)
        if self._answer_pages.is_undecided(state.solution):
            return self._undecided(request, state, name, status)
        self._site_answers.rejected(request, name, status)
        return None

    def _undecided(
        self, request: Request, state: CaptchaState, name: str, status: int
    ) -> Awaitable[Request]:
        """Waits until it is known whether the answer to the solution was the page of *request*.

        Another page solves meanwhile: its answer shows it.
        """
        self._flights.left(state)
        state = state.to(Stage.WAITING, leads="")
        request.meta[KEY] = state.to_meta()
        wait = partial(self._until_decided, answer=state.solution, name=name, status=status)
        return self._detours.parked(request, state, wait)

    async def _until_decided(self, ticket: Request, answer: str, name: str, status: int) -> Request:
        """*ticket*, to get its page, or to be fetched again because its solution was rejected."""
        is_page = await self._answer_pages.decide(answer)
        state = CaptchaState.of(ticket.meta).to(Stage.SUBMITTED, solution=answer)
        ticket.meta[KEY] = state.to_meta()
        if not is_page:
            self._site_answers.rejected(ticket, name, status)
            ticket.meta[KEY] = state.to(Stage.REQUESTED, solution="").to_meta()
        return ticket
