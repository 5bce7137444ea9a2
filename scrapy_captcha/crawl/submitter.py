"""The submitter: sends a solution to the site that asked for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from scrapy.http import Request
from scrapy.utils.misc import load_object

from scrapy_captcha.crawl.submission import build_submission
from scrapy_captcha.models import KINDS
from scrapy_captcha.origin import wanted_url, without_redirects
from scrapy_captcha.settings.choices import Refetch
from scrapy_captcha.state import GATE, KEY, ORIGIN, SUBMISSION
from scrapy_captcha.urls import are_of_one_origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from scrapy_captcha.crawl.answer_pages import AnswerPages
    from scrapy_captcha.crawl.inspector import Inspector
    from scrapy_captcha.engine.download_slots import DownloadSlots
    from scrapy_captcha.engine.parking import ParkingLot
    from scrapy_captcha.models import Captcha, Solution

_OURS = (KEY, ORIGIN)  # meta keys about the page, not about a submission for it


class Submitter:
    """Sends solutions to their sites.

    *on_undelivered* is called for a solution that could not be sent, *on_sent* with the answer to
    one, and whether that is the verdict.
    """

    def __init__(
        self,
        crawler: Crawler,
        lot: ParkingLot,
        slots: DownloadSlots,
        pages: AnswerPages,
        inspector: Inspector,
        *,
        on_undelivered: Callable[[Request, Exception], None],
        on_sent: Callable[[str, Response, bool], None],
    ) -> None:
        self._crawler = crawler
        self._lot = lot
        self._download_slots = slots
        self._pages = pages
        self._inspector = inspector
        self._on_undelivered = on_undelivered
        self._on_sent = on_sent

    def wants(self, request: Request) -> None:
        """Notes that the crawl asks for the page of *request*."""
        self._pages.wants(wanted_url(request))

    def want_all_under_way(self) -> None:
        """Notes that the crawl asks for the pages of all requests in the downloader."""
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - a request is being processed
        for request in engine.downloader.active:
            self.wants(request)

    async def send(
        self, request: Request, name: str, captcha: Captcha, solution: Solution
    ) -> Response | None:
        """Sends *solution*; the answer if that is the page or a captcha, None otherwise.

        An answer that may be the page is held under *name* by `AnswerPages`.
        Raises what captcha_submit of the spider raises.
        """
        if self._pages.lead_on_to_others(request):
            captcha = await self._shown_again(request, captcha)
        try:
            submission = self._built(request, captcha, solution)
            submission.meta[SUBMISSION] = name
            says_it = "captcha" in submission.meta
            refetch = self._inspector.options(submission if says_it else request).refetch
        except Exception as error:
            self._on_undelivered(request, error)
            raise
        try:
            answer = await self._carried(submission)
        except Exception as error:  # noqa: BLE001 - whatever downloader middlewares raise
            self._on_undelivered(request, error)
            return None
        is_verdict = self._is_verdict(request, submission, captcha, answer)
        self._on_sent(name, answer, is_verdict or refetch is Refetch.NEVER)
        if is_verdict:
            return answer
        return await self._pages.judged(request, name, answer, refetch)

    async def _shown_again(self, request: Request, captcha: Captcha) -> Captcha:
        """*captcha* as it is shown again for *request*, if that takes the same solution.

        The page of *request* is then the one that its session has wanted last. A site may expect
        the answer to its last picture: none is shown again, but its page is wanted again.
        """
        is_at_page = urldefrag(captcha.url)[0] == urldefrag(request.url)[0]
        shows_another = bool(captcha.image) and is_at_page
        if request.method != "GET" or shows_another or KINDS[captcha.kind].cookie:
            return captcha
        again = request.replace(meta=without_redirects(request.meta), dont_filter=True)
        for key in _OURS:
            again.meta.pop(key, None)
        again.meta.update({SUBMISSION: True, "dont_retry": True})
        if captcha.image:
            again.meta[GATE] = captcha.url
        try:
            answer = await self._carried(again)
            found = self._inspector.detected(answer, self._inspector.options(request))
        except Exception:  # noqa: BLE001 - whatever downloader middlewares raise
            return captcha
        shown = found.captcha if found is not None else None
        asks_the_same = shown is not None and (shown.kind, shown.site_key) == (
            captcha.kind,
            captcha.site_key,
        )
        return shown if shown is not None and asks_the_same else captcha

    async def carry(self, request: Request, captcha: Captcha, solution: Solution) -> Response:
        """Sends *solution* for *request*; the answer, whatever it is.

        Raises what downloader middlewares raise.
        """
        submission = self._built(request, captcha, solution)
        if "Referer" in request.headers:  # the spider's own, or Scrapy's for the page of the form
            submission.headers["Referer"] = request.headers["Referer"]
        return await self._carried(submission)

    def _built(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
        build = getattr(self._crawler.spider, "captcha_submit", build_submission)
        submission = build(request, self._with_policy(request, captcha), solution)
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
        submission.meta.update({SUBMISSION: True, "dont_retry": True})  # a token is good once
        return submission

    def _with_policy(self, request: Request, captcha: Captcha) -> Captcha:
        """*captcha* with the referrer policy of Scrapy, if its page names none.

        As in Scrapy, that of the request itself comes first.
        """
        form, settings = captcha.form, self._crawler.settings
        own = request.meta.get("referrer_policy")
        if form is None or (form.referrer_policy and not isinstance(own, str)):
            return captcha
        policy = own if isinstance(own, str) else settings.get("REFERRER_POLICY")
        if not settings.getbool("REFERER_ENABLED"):
            policy = "no-referrer"
        elif isinstance(policy, type) or (isinstance(policy, str) and "." in policy):
            policy = getattr(load_object(policy), "name", "")
        return replace(captcha, form=replace(form, referrer_policy=str(policy or "")))

    async def _carried(self, submission: Request) -> Response:
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - a request is being processed
        with self._lot.lent_slot():
            return await engine.download_async(self._download_slots.first(submission))

    def _is_verdict(
        self, request: Request, submission: Request, captcha: Captcha, answer: Response
    ) -> bool:
        """Whether *answer* is for the page itself, so that it need not be fetched again."""
        own = bool(KINDS[captcha.kind].cookie) and (
            submission.url == request.url
            or (submission.url == captcha.url and request.method == submission.method)
        )
        is_at_home = urldefrag(answer.url)[0] == urldefrag(request.url)[0]
        return own or (is_at_home and self._inspector.is_refused(request, answer))
