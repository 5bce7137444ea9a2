"""Carries a solution back to the site that asked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from scrapy.http import HtmlResponse, Request
from scrapy.utils.defer import maybe_deferred_to_future

from scrapy_captcha.audience import Audience, Outcome
from scrapy_captcha.captchas import KINDS
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.crawl.submission import SUBMISSION, build_submission
from scrapy_captcha.origin import ORIGIN
from scrapy_captcha.progress import KEY
from scrapy_captcha.sessions import site_of_page
from scrapy_captcha.urls import are_of_one_origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from scrapy_captcha.captchas import Captcha, Solution
    from scrapy_captcha.parking import ParkingLot
    from scrapy_captcha.slots import Slots

_OURS = (KEY, ORIGIN)  # keys of meta that are about the page, and not about a submission for it
_LONGEST_WAIT = 2.0  # seconds for what another page finds out


class Submitter:
    """Sends solutions to their sites and finds out which answer is the page.

    An answer at the page's own URL may be the page or only a thank-you: whether it is, is known
    when the page is fetched again and shows a captcha. Then the answer was all that the site gives
    for a solution, there and from then on. The first page of a site finds that out, and the next
    ones wait for it. *refused* tells whether the answer to a request asks for a captcha;
    *on_undelivered* is called for a solution that could not be sent.
    """

    def __init__(
        self,
        crawler: Crawler,
        lot: ParkingLot,
        slots: Slots,
        *,
        refused: Callable[[Request, Response], bool],
        on_undelivered: Callable[[Request, Exception], None],
    ) -> None:
        self._crawler = crawler
        self._lot = lot
        self._slots = slots
        self._refused = refused
        self._on_undelivered = on_undelivered
        self._held: dict[str, Response] = {}
        self._answer_with_pages: set[str] = set()
        self._found_out: set[str] = set()
        self._finding_out: set[str] = set()
        self._waiting = Audience(CLOCK, _LONGEST_WAIT)
        self._first_url: dict[tuple[str, int], str] = {}

    async def send(
        self, request: Request, name: str, captcha: Captcha, solution: Solution
    ) -> Response | None:
        """Sends *solution*; the answer where that is the page or a captcha, None otherwise.

        What may be the page is held under *name* until `page_instead` or `forget`.
        Raises what captcha_submit of the spider raises.
        """
        try:
            submission = self._built(request, captcha, solution)
        except Exception as error:
            self._on_undelivered(request, error)
            raise
        try:
            answer = await self._carried(submission)
        except Exception as error:  # noqa: BLE001 - whatever downloader middlewares raise
            self._on_undelivered(request, error)
            return None
        if self._is_verdict(request, submission, captcha, answer):
            return answer
        if _may_be_page_of(request, answer) and not self._is_said_elsewhere(answer):
            if await self._answers_with_pages(answer):
                return answer
            self._held[name] = answer
        return None

    async def _answers_with_pages(self, answer: Response) -> bool:
        """Whether the site of *answer* is known to answer with pages, as one finds out for all."""
        site = site_of_page(answer)
        if site in self._finding_out and site not in self._found_out:
            with self._lot.lent_slot():
                await maybe_deferred_to_future(self._waiting.wait(site))
        self._finding_out.add(site)
        return site in self._answer_with_pages and isinstance(answer, HtmlResponse)

    def _learned(self, site: str) -> None:
        self._found_out.add(site)
        self._waiting.tell(site, Outcome.OPENED)

    async def carry(self, request: Request, captcha: Captcha, solution: Solution) -> Response:
        """Sends *solution* for *request*; the answer, whatever it is.

        Raises what downloader middlewares raise.
        """
        return await self._carried(self._built(request, captcha, solution))

    def _built(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
        build = getattr(self._crawler.spider, "captcha_submit", build_submission)
        submission = build(request, captcha, solution)
        if build is build_submission and not are_of_one_origin(submission.url, captcha.url):
            raise ValueError(f"{submission} would take the solution to another origin")
        if not isinstance(submission, Request):
            raise TypeError(
                f"captcha_submit of the spider gave {submission!r}: return the Request that "
                "carries the solution"
            )
        if submission is request:
            submission = request.copy()
        for key in _OURS:
            submission.meta.pop(key, None)
        submission.meta[SUBMISSION] = True
        return submission

    async def _carried(self, submission: Request) -> Response:
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - a request is being processed
        with self._lot.lent_slot():
            return await engine.download_async(self._slots.first(submission))

    def _is_verdict(
        self, request: Request, submission: Request, captcha: Captcha, answer: Response
    ) -> bool:
        """Whether *answer* is the page's own, which needs no second look."""
        own = bool(KINDS[captcha.kind].cookie) and (
            submission.url == request.url
            or (submission.url == captcha.url and request.method == submission.method)
        )
        return own or (_is_at_url_of(request, answer) and self._refused(request, answer))

    def _is_said_elsewhere(self, answer: Response) -> bool:
        """Whether the site has given the same answer at another URL: then it is no page."""
        body = site_of_page(answer), hash(answer.body)
        return self._first_url.setdefault(body, answer.url) != answer.url

    def page_instead(self, name: str) -> Response | None:
        """The page, where a captcha is shown again because the page was given before."""
        answer = self._held.pop(name, None)
        if answer is not None:
            self._answer_with_pages.add(site_of_page(answer))
            self._learned(site_of_page(answer))
        return answer

    def forget(self, name: str) -> None:
        """The page has come; what is held under *name* was none."""
        answer = self._held.pop(name, None)
        if answer is not None:
            self._learned(site_of_page(answer))

    def close(self) -> None:
        """Leaves nothing in the reactor."""
        self._waiting.close()


def _may_be_page_of(request: Request, answer: Response) -> bool:
    return request.method == "GET" and answer.status < 300 and _is_at_url_of(request, answer)


def _is_at_url_of(request: Request, answer: Response) -> bool:
    return urldefrag(answer.url)[0] == urldefrag(request.url)[0]
