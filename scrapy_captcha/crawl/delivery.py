"""The solution of a page: it goes to the site in the session of the page, before the page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.utils.httpobj import urlparse_cached

from scrapy_captcha.crawl.submission import leave_behind
from scrapy_captcha.origin import remember_origin, wanted_url
from scrapy_captcha.state import KEY, Stage

if TYPE_CHECKING:
    from scrapy.http import Request, Response

    from scrapy_captcha.buying.unused import Place, UnusedSolutions
    from scrapy_captcha.crawl.answer_pages import AnswerPages
    from scrapy_captcha.crawl.submitter import Submitter
    from scrapy_captcha.engine.cookie_jars import CookieJars
    from scrapy_captcha.sessions.single_flight import SingleFlight
    from scrapy_captcha.state import CaptchaState
    from scrapy_captcha.store.journal import Journal


class Delivery:
    """Sends the solution that a request has, and says what page it opens."""

    def __init__(
        self,
        solutions: UnusedSolutions,
        submitter: Submitter,
        answer_pages: AnswerPages,
        cookie_jars: CookieJars,
        flights: SingleFlight,
        journal: Journal,
    ) -> None:
        self._solutions = solutions
        self._submitter = submitter
        self._answer_pages = answer_pages
        self._cookie_jars = cookie_jars
        self._flights = flights
        self._journal = journal

    async def page_of(
        self, request: Request, state: CaptchaState, *, tried_again: bool
    ) -> Response | None:
        """The page that the solution of *request* opens; None if it is still to be fetched."""
        remember_origin(request, whole=tried_again)
        self._cookie_jars.leave_out(request)
        if self._flights.has_begun:
            self._submitter.wants(request)
        if tried_again:
            leave_behind(request, wanted_url(request))
        name = state.solution
        if state.stage is Stage.SUBMITTED:
            return self._answer_pages.decided(name)
        place = self._solutions.take(name) if name else None
        if place is None:
            return None
        with place:
            return await self._delivered(request, state, place)

    async def _delivered(
        self, request: Request, state: CaptchaState, place: Place
    ) -> Response | None:
        name, sending = state.solution, self._flights.sending
        request.meta[KEY] = state.to(Stage.SUBMITTED).to_meta()
        self._journal.update(request)  # a task whose solution is used is not to be collected
        # They are in the jar, and sent again they would overwrite what the site has set since.
        request.cookies = {}
        self._cookie_jars.prefer_own(request, state.cookies)
        sending.solution_sent(request, name)
        before = self._cookie_jars.cookies_for(request)
        page = await self._submitter.send(request, name, place.captcha, place.solution)
        self._cookie_jars.prefer_own(request, state.cookies)
        sets_cookie = self._cookie_jars.cookies_for(request) != before
        at_gate = urlsplit(place.captcha.url).path != urlparse_cached(request).path
        sending.delivered(request, name, sets_cookie=sets_cookie, at_gate=at_gate)
        return page
