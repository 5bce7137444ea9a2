"""Requests that carry a solution to a form: how they are sent and answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy_captcha.crawl.outcomes import is_page
from scrapy_captcha.detection import Verdict
from scrapy_captcha.origin import restore
from scrapy_captcha.state import KEY, CaptchaState, Stage

if TYPE_CHECKING:
    from scrapy.http import Request, Response

    from scrapy_captcha.buying.unused import Place, UnusedSolutions
    from scrapy_captcha.crawl.outcomes import Outcomes
    from scrapy_captcha.crawl.site_answers import SiteAnswers
    from scrapy_captcha.crawl.submitter import Submitter
    from scrapy_captcha.detection import Detection


class Carrier:
    """Puts the solution of such a request into the request that is sent, and nowhere else."""

    def __init__(
        self,
        solutions: UnusedSolutions,
        submitter: Submitter,
        site_answers: SiteAnswers,
        outcomes: Outcomes,
    ) -> None:
        self._solutions = solutions
        self._submitter = submitter
        self._site_answers = site_answers
        self._outcomes = outcomes

    async def sent(self, request: Request, state: CaptchaState) -> Response:
        """The site's answer to *request*.

        Raises CaptchaError if the solution is no longer held, and what the download raises.
        """
        place = self._solutions.take(state.solution)
        if place is None:
            raise self._outcomes.dropped(request, "lost")
        try:
            with place:
                answer = await self._carried(request, place)
        except Exception as error:
            self._site_answers.undelivered(request, error)
            request.meta["dont_retry"] = True
            restore(request, state)
            raise
        request.meta[KEY] = state.to(Stage.SUBMITTED).to_meta()
        if answer.status >= 300:  # its token is used up: it must not be sent again to any URL
            request.meta.update(dont_retry=True, dont_redirect=True)
        return answer

    def answered(self, request: Request, response: Response, found: Detection | None) -> Response:
        """*response*, the answer to *request*, unless *found* says that it is a captcha or a wall.

        If it shows a widget again, only the spider can see whether the form was accepted.
        """
        response.request = request  # and not the submission, which has the token in it
        if found is not None and found.verdict is not Verdict.WIDGET:
            self._site_answers.rejected(request, found.name, response.status)
            raise self._outcomes.dropped(request, "rejected", found.captcha)
        if found is None and is_page(request, response):
            self._site_answers.accepted(request)
        restore(request, CaptchaState.of(request.meta))
        return response

    async def _carried(self, request: Request, place: Place) -> Response:
        # No jar holds the cookies that the spider gave it.
        cookies = {**_by_name(request.cookies), **place.solution.cookies}
        solution = replace(place.solution, cookies=cookies)
        return await self._submitter.carry(request, place.captcha, solution)


def _by_name(cookies: Any) -> dict[str, str]:
    if isinstance(cookies, dict):
        return cookies
    return {one["name"]: one["value"] for one in cookies if {"name", "value"} <= one.keys()}
