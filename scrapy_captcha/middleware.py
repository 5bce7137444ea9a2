"""The conductor: what happens to one response, from the captcha on it to the page behind it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import CancelledError, Deferred

from scrapy_captcha.audience import Outcome
from scrapy_captcha.config import Config, NoProxy
from scrapy_captcha.detection import Verdict
from scrapy_captcha.origin import remember_origin, to_be_tried_again
from scrapy_captcha.parts import Parts
from scrapy_captcha.progress import KEY, Progress
from scrapy_captcha.sessions import site_of_page
from scrapy_captcha.sight import is_robots_txt
from scrapy_captcha.submit import SUBMISSION

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from typing_extensions import Self

    from scrapy_captcha.captchas import Captcha
    from scrapy_captcha.options import Options
    from scrapy_captcha.parking import Story


class CaptchaMiddleware:
    """Downloader middleware that gets captchas solved by a service, within the user's limits.

    It stands at 585: after decompression (590), so that it can read pages; before MetaRefresh (580)
    and Retry (550), so that a captcha with status 429 or 503 is solved and not retried.

    A spider may define ``captcha_detect(response)``, which returns a `Captcha`, a `Detection` or
    None, and ``captcha_submit(request, captcha, solution)``, which returns the request that carries
    the solution back. A request may say ``meta={"captcha": False}``, or a dict as in `Options.of`.
    """

    def __init__(self, crawler: Crawler, config: Config) -> None:
        self._crawler = crawler
        self._config = config
        self._priority_adjust = crawler.settings.getint("REDIRECT_PRIORITY_ADJUST")
        parts = Parts(crawler, config)
        self._domains = parts.domains
        self._sight = parts.sight
        self._tally = parts.tally
        self._market = parts.market
        self._sessions = parts.sessions
        self._sharing = parts.sharing
        self._summary = parts.summary
        self._spending = parts.spending
        self._slots = parts.slots
        self._stock = parts.stock
        self._journal = parts.journal
        self._permission = parts.permission
        self._buyer = parts.buyer
        self._lot = parts.lot
        self._submitter = parts.submitter
        self._endings = parts.endings
        self._cache = parts.cache
        self.forms = parts.forms
        self._carrier = parts.carrier
        if config.proxies:
            crawler.signals.connect(self._request_scheduled, signals.request_scheduled)
        crawler.signals.connect(self._spider_opened, signals.spider_opened)
        crawler.signals.connect(self._spider_closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured without an account, ValueError for settings that cannot be right."""
        return cls(crawler, Config.from_settings(crawler.settings))

    async def process_request(
        self, request: Request, spider: Spider | None = None
    ) -> Request | Response | None:
        """Waits in place, fails, or sends a solution, as the request's past has it."""
        if request in self._lot:
            return await self._waited_in_place(request)
        options = self._sight.options(request)
        progress = Progress.of(request.meta)
        if progress.failed:
            raise self._endings.failed(request, progress)
        if self._has_left_the_site(request, progress):
            raise self._endings.dropped(request, "offsite")
        if progress.asked and not progress.submitted:
            return await self._carrier.sent(request, progress)
        remember_origin(request)
        if progress.solution:
            page = await self._solved(request, progress)
            if page is not None:
                return page
        if progress.priority is not None:
            self._slots.first(request)
        submits = SUBMISSION in request.meta
        keep_proxy = submits or bool(progress.solution)
        patient = self._config.on_no_proxy is NoProxy.WAIT and not keep_proxy
        if not self._sessions.equip(request, keep_proxy=keep_proxy, patient=patient):
            again = await self._without_proxy(request, progress)
            if again is not None:
                return again
        host = urlparse_cached(request).hostname or ""
        if submits or not self._domains.allow_host(host):
            return None
        return await self._held_back(request, progress, options)

    async def _held_back(
        self, request: Request, progress: Progress, options: Options
    ) -> Request | None:
        """A ticket for *request* where it would only meet the captcha that is being solved."""
        if self._sharing.is_shut(request) and not (options.ignore or is_robots_txt(request)):
            self._tally.held(request)
            return await self._parked(request, progress, self._sharing.until_open)
        self._sharing.asked(request, progress)
        return None

    async def _without_proxy(self, request: Request, progress: Progress) -> Request | None:
        """What is done where no proxy may be used: None to go on without one."""
        wait = self._sessions.wait(request)
        self._tally.no_proxy(site_of_page(request), is_over=wait is None)
        if self._config.on_no_proxy is NoProxy.DIRECT:
            self._sessions.go_directly(request)
            return None
        if self._config.on_no_proxy is NoProxy.DROP or wait is None:
            raise self._endings.dropped(request, "no_proxy")
        return await self._parked(request, progress, self._sessions.until_rested)

    def _has_left_the_site(self, request: Request, progress: Progress) -> bool:
        """Whether a redirect leads where Scrapy's own filter would have stopped *request*.

        It is not asked, because what is tried again must not be filtered as a duplicate.
        """
        tried_again = progress.priority is not None and not progress.dont_filter
        if not tried_again or "redirect_urls" not in request.meta:
            return False
        return self._domains.is_offsite(urlparse_cached(request).hostname or "")

    async def _waited_in_place(self, ticket: Request) -> Request:
        try:
            return await self._lot.wait_in_place(ticket)
        except CancelledError:
            raise self._endings.dropped(ticket, "closing") from None

    async def _solved(self, request: Request, progress: Progress) -> Response | None:
        """The page that a solution opens, None where it is still to be fetched."""
        name = progress.solution
        place = self._stock.take(name)
        if place is None:
            return None
        with place:
            progress = replace(progress, solution="", submitted=True, answer=name)
            request.meta[KEY] = progress.to_meta()
            self._journal.update(request)  # a task whose solution is used is not to be collected
            # They are in the jar, and sent again they would overwrite what the site has set since.
            request.cookies = {}
            return await self._submitter.send(request, name, place.captcha, place.solution)

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response | Awaitable[Request]:
        """Content goes on; a captcha page never does, unless the user wants it to."""
        if SUBMISSION in request.meta:
            request.meta["dont_retry"] = True  # its token is used up
            return response
        self._sharing.answered(request, response)
        progress, options = Progress.of(request.meta), self._sight.options(request)
        found = None if progress.passed else self._sight.found(request, response)
        if not is_robots_txt(request):
            self._summary.page(request, response, found)
        if progress.asked and progress.submitted:
            return self._carrier.answered(request, response, found)
        if found is None or found.verdict is Verdict.WIDGET:
            return self._endings.arrived(request, response, progress)
        page = self._submitter.page_instead(progress.answer)
        if page is not None:
            self._cache.add(request, page)
            return self._endings.arrived(request, page, progress)
        if progress.submitted:
            self._endings.rejected(request, found.name)
        if found.captcha is None or self._permission.has_no_seller(request, found.captcha):
            return self._endings.blocked(request, response, found.name, options)
        return self._met(request, response, found.captcha, options)

    def process_exception(
        self, request: Request, exception: Exception, spider: Spider | None = None
    ) -> None:
        """A page that cannot be fetched solves for nobody else."""
        self._sharing.answered(request)
        self._sharing.left(Progress.of(request.meta))

    def _met(
        self, request: Request, response: Response, captcha: Captcha, options: Options
    ) -> Request | Response | Awaitable[Request]:
        self._sharing.met(request)
        progress = Progress.of(request.meta)
        if not progress.met:
            self._tally.detected(request, captcha)
            self._summary.met(request, captcha)
            progress = replace(progress, met=True)
            request.meta[KEY] = progress.to_meta()
        reason = self._permission.reason_not_to_buy(request, captcha, progress, options)
        if reason:
            return self._endings.given_up(request, response, reason, options, captcha)
        if self._config.rotate_before_paying and not progress.rotated:
            elsewhere = self._elsewhere(request, progress)
            if elsewhere is not None:
                return elsewhere
        asked_at = self._sharing.asked_at(request)
        story = partial(self._buyer.story, captcha=captcha, options=options, asked_at=asked_at)
        return self._parked(request, progress, story)

    def _elsewhere(self, request: Request, progress: Progress) -> Request | None:
        """What to fetch instead, where another proxy is shown far fewer captchas."""
        better = self._summary.books.better(site_of_page(request), self._sessions.label(request))
        again = to_be_tried_again(request, priority_adjust=self._priority_adjust)
        elsewhere = self._sessions.better(again, better) if better else None
        if elsewhere is not None:
            self._tally.rotated_before_paying(request)
            self._sharing.left(progress, Outcome.MOVED)
            progress = replace(Progress.of(elsewhere.meta), rotated=True, leads="")
            elsewhere.meta[KEY] = progress.to_meta()
        return elsewhere

    def _parked(self, request: Request, progress: Progress, story: Story) -> Awaitable[Request]:
        again = to_be_tried_again(request, priority_adjust=self._priority_adjust)
        return self._lot.ticket(again, story, leads=bool(progress.leads))

    def _request_scheduled(self, request: Request) -> None:
        self._sessions.forget_credentials(request)

    def _spider_opened(self) -> None:
        Deferred.fromCoroutine(self._market.ask_balances())

    async def _spider_closed(self) -> None:
        self._sharing.close()
        self._stock.close()
        self._submitter.close()
        self._journal.close()
        self._spending.close()
        self._summary.close()
        await self._market.close()
