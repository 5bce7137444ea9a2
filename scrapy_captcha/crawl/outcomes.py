"""How the captcha of a page ends: with the page, with a wall, or with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import signals

from scrapy_captcha.crawl.statuses import Statuses
from scrapy_captcha.events import (
    PageGivenUp,
    PagePassedOn,
    WallDetected,
)
from scrapy_captcha.exceptions import CaptchaError
from scrapy_captcha.origin import restore
from scrapy_captcha.requests import site_of_captcha, site_of_page
from scrapy_captcha.settings.choices import GiveUp
from scrapy_captcha.state import CHAIN, KEY, ORIGIN, CaptchaState, Stage

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

    from scrapy_captcha.buying.budget import Budget
    from scrapy_captcha.crawl.answer_pages import AnswerPages
    from scrapy_captcha.crawl.site_answers import SiteAnswers
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.sessions.single_flight import SingleFlight
    from scrapy_captcha.settings.options import Options
    from scrapy_captcha.store.journal import Journal


def spoilt(events: Events, ticket: Request) -> Request:
    """The request to send back for *ticket*, after an error while it was parked."""
    events.publish(PageGivenUp(ticket, "error"))
    state = CaptchaState.of(ticket.meta).to(Stage.FAILED, failed="error")
    failing: Request = ticket.replace(meta=ticket.meta | {KEY: state.to_meta()})
    return failing


def is_page(request: Request, response: Response) -> bool:
    """Whether *response* is what a spider regards as the page of *request*."""
    has_body = bool(response.body) or request.method == "HEAD" or response.status in (204, 205)
    return response.status < 400 and (has_body or response.status >= 300)


class Outcomes:
    """Gives requests back to the spider as they were, and reports the outcome to other parts."""

    def __init__(
        self,
        crawler: Crawler,
        flights: SingleFlight,
        site_answers: SiteAnswers,
        answer_pages: AnswerPages,
        journal: Journal,
        budget: Budget,
        events: Events,
    ) -> None:
        self._crawler = crawler
        self._flights = flights
        self._site_answers = site_answers
        self._answer_pages = answer_pages
        self._journal = journal
        self._budget = budget
        self._events = events
        self._statuses = Statuses()
        self._restores_late = False

    def arrived(self, request: Request, response: Response, state: CaptchaState) -> Response:
        """Returns *response*, the page of *request*, for the spider."""
        response.request = request
        if state.is_beginning:
            self._flights.page_came(request, state)
            self.came_free(request, response)
            request.meta.pop(KEY, None)
            if ORIGIN in request.meta or CHAIN in request.meta:
                self.restore_late()
            return response
        if state.stage is Stage.SUBMITTED and not self._is_accepted(request, response):
            self._site_answers.undecided(request, response, state)
        else:
            self._arrived(request, state)
        self._answer_pages.forget(state.solution)
        self._journal.settle(request, state)
        self._budget.ended(state)
        if not (state.tasks or ORIGIN in request.meta or CHAIN in request.meta):
            restore(request, state)
            return response
        state = state.to(Stage.ARRIVED, solution="", leads="", entry="")
        request.meta[KEY] = state.to_meta()
        self.restore_late()
        return response

    def came_free(self, request: Request, response: Response) -> None:
        """Notes that *response* is the page of *request*, which was behind no captcha."""
        if self._statuses.are_noted(response.status):
            self._statuses.free(site_of_page(request), response.status)

    def _is_accepted(self, request: Request, response: Response) -> bool:
        """Whether *response* is a page, or has the usual status of the site's free pages."""
        if is_page(request, response):
            return True
        site = site_of_page(request)
        return bool(response.body) and self._statuses.are_usual(site, response.status)

    def blocked(
        self, request: Request, response: Response, name: str, options: Options
    ) -> Response:
        """Returns *response*, on which the wall *name* replaces the page: an error to Scrapy.

        Raises CaptchaError if the response is no error by its status.
        """
        self._events.publish(WallDetected(request, name))
        if response.status < 400:
            return self.given_up(request, response, name, options)
        self._end(request, CaptchaState.of(request.meta))
        return response

    def given_up(
        self,
        request: Request,
        response: Response,
        reason: str,
        options: Options,
        captcha: Captcha | None = None,
    ) -> Response:
        """*response* itself, if captcha pages are to be passed on; else raises CaptchaError."""
        if options.on_give_up is GiveUp.DROP:
            raise self.dropped(request, reason, captcha)
        self._events.publish(PagePassedOn(request, reason))
        self._end(request, CaptchaState.of(request.meta))
        return response

    def dropped(
        self, request: Request, reason: str, captcha: Captcha | None = None
    ) -> CaptchaError:
        """To be raised: the page of *request* is given up for *reason*."""
        self._events.publish(PageGivenUp(request, reason, captcha))
        self._end(request, CaptchaState.of(request.meta))
        return CaptchaError(reason)

    def failure_of(self, request: Request, state: CaptchaState) -> CaptchaError:
        """To be raised: the page was given up while it was parked, which was published then."""
        self._end(request, state)
        return CaptchaError(state.failed)

    def _arrived(self, request: Request, state: CaptchaState) -> None:
        if state.stage is Stage.SUBMITTED:
            self._site_answers.accepted(request)
        elif state.stage is Stage.SHARED:
            self._budget.shared(site_of_captcha(request))
        self._flights.page_came(request, state)

    def _end(self, request: Request, state: CaptchaState) -> None:
        self._flights.left(state)
        self._journal.settle(request, state)
        self._budget.ended(state)
        restore(request, state)

    def restore_late(self) -> None:
        """Gives requests back as they were only after the last middleware that may resend them.

        Retry and MetaRefresh come later, and the requests that they send keep their state.
        """
        if not self._restores_late:  # a crawl that meets no captcha is not to pay for it
            self._restores_late = True
            self._crawler.signals.connect(self._response_received, signals.response_received)

    def _response_received(self, request: Request) -> None:
        restore(request, CaptchaState.of(request.meta))
