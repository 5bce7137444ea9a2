"""The conductor: what happens to one response, from the captcha on it to the page behind it."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.http import TextResponse
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.spider import DefaultSpider
from twisted.internet.defer import CancelledError

from scrapy_captcha.buying import Buyer
from scrapy_captcha.captchas import KINDS, Captcha
from scrapy_captcha.client import SolverClient
from scrapy_captcha.config import Config, GiveUp, Options
from scrapy_captcha.detection import Detection, Verdict, detect
from scrapy_captcha.domains import Domains
from scrapy_captcha.exceptions import CaptchaError
from scrapy_captcha.origin import remember_origin, restore, to_be_tried_again
from scrapy_captcha.parking import ParkingLot
from scrapy_captcha.progress import KEY, Progress
from scrapy_captcha.providers import Unified
from scrapy_captcha.sessions import Sessions
from scrapy_captcha.sharing import Sharing
from scrapy_captcha.submit import SUBMISSION, Submitter
from scrapy_captcha.tally import Tally

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from typing_extensions import Self


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
        self._domains = _domains(crawler, config)
        self._options = Options.of(config)
        self._cookies_enabled = crawler.settings.getbool("COOKIES_ENABLED")
        self._priority_adjust = crawler.settings.getint("REDIRECT_PRIORITY_ADJUST")
        self._tally = Tally(crawler)
        self._client = SolverClient(
            Unified(poll_interval=config.poll_interval),
            api_url=config.api_url,
            api_key=config.api_key,
            policy=self._options.policy,
            http_timeout=config.http_timeout,
            solve_timeout=config.solve_timeout,
            concurrent_solves=config.concurrent_solves,
            on_error=self._tally.error,
        )
        self._sessions = Sessions(config.proxies, time.monotonic)
        self._sharing = Sharing(
            config.scope,
            self._sessions,
            self._tally,
            time.monotonic,
            patience=2 * config.solve_timeout,
            is_under_way=self._is_under_way,
        )
        self._buyer = Buyer(
            crawler,
            self._client,
            self._sessions,
            self._sharing,
            self._tally,
            close_on_stop=config.close_on_stop,
        )
        self._lot = ParkingLot(crawler, on_parked=self._tally.parked, spoilt=self._spoilt)
        self._submitter = Submitter(crawler, self._lot, self._tally, self._refused)
        if config.proxies:
            crawler.signals.connect(self._request_scheduled, signals.request_scheduled)
        self._restores_late = False
        crawler.signals.connect(self._spider_closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured without an API, ValueError for settings that cannot be right."""
        config = Config.from_settings(crawler.settings)
        if config.proxies and not crawler.settings.getbool("HTTPPROXY_ENABLED"):
            raise ValueError(
                "HTTPPROXY_ENABLED = False, but CAPTCHA_PROXIES are used through it: "
                "remove one of the two"
            )
        if not crawler.settings.getbool("TWISTED_REACTOR_ENABLED", default=True):
            raise ValueError(
                "TWISTED_REACTOR_ENABLED = False, but captchas are solved over Twisted: "
                "remove the setting, or set CAPTCHA_ENABLED = False"
            )
        return cls(crawler, config)

    async def process_request(
        self, request: Request, spider: Spider | None = None
    ) -> Request | Response | None:
        """Waits in place, fails, or sends a solution, as the request's past has it."""
        if request in self._lot:
            return await self._waited_in_place(request)
        self._options_of(request)
        progress = Progress.of(request.meta)
        if progress.failed:
            self._end(request, progress)
            raise CaptchaError(progress.failed)
        if self._has_left_the_site(request, progress):
            raise self._dropped(request, "offsite")
        remember_origin(request)
        page = await self._solved(request, progress) if progress.solution else None
        if page is not None:
            return page
        bound = bool(progress.solution) or SUBMISSION in request.meta
        if not self._sessions.equip(request, keep_proxy=bound):
            raise self._dropped(request, "no_proxy")
        if self._domains.allow_host(urlparse_cached(request).hostname or ""):
            self._sharing.asked(request, progress)
        return None

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
            raise self._dropped(ticket, "closing") from None

    async def _solved(self, request: Request, progress: Progress) -> Response | None:
        """The page that a solution opens, None where it is still to be fetched."""
        bought = self._buyer.take(progress.solution)
        if bought is None:
            return None
        name = progress.solution
        progress = replace(progress, solution="", submitted=True, answer=name)
        request.meta[KEY] = progress.to_meta()
        # They are in the jar, and sent again they would overwrite what the site has set since.
        request.cookies = {}
        return await self._submitter.send(request, name, *bought)

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """Content goes on; a captcha page never does, unless the user wants it to."""
        if SUBMISSION in request.meta:
            request.meta["dont_retry"] = True  # its token is used up
            return response
        self._sharing.answered(request)
        progress, options = Progress.of(request.meta), self._options_of(request)
        found = None
        if not (progress.passed or options.ignore or _is_robots_txt(request)):
            found = self._detect(response)
        if found is None or found.verdict is Verdict.WIDGET:
            return self._arrived(request, response, progress)
        page = self._submitter.page_instead(progress.answer)
        if page is not None:
            return self._arrived(request, page, progress)
        if progress.submitted:
            self._tally.rejected(request, found.name)
        if found.captcha is None or not self._client.provider.takes(found.captcha):
            return self._blocked(request, response, found.name, options)
        return self._met(request, response, found.captcha, options)

    def process_exception(
        self, request: Request, exception: Exception, spider: Spider | None = None
    ) -> None:
        """A page that cannot be fetched solves for nobody else."""
        self._sharing.answered(request)
        self._sharing.left(Progress.of(request.meta))

    def _arrived(self, request: Request, response: Response, progress: Progress) -> Response:
        response.request = request
        if progress.submitted and response.status >= 500:
            self._sharing.left(progress)  # a broken site says nothing about the solution
        else:
            self._accepted(request, progress)
        self._submitter.forget(progress.answer)
        if not progress.tasks:
            restore(request, progress)
            return response
        # Retry and MetaRefresh come after us: what they send is to know what was spent.
        progress = replace(progress, submitted=False, answer="", leads="", follows=False)
        request.meta[KEY] = progress.to_meta()
        self._restore_late()
        return response

    def _accepted(self, request: Request, progress: Progress) -> None:
        if progress.submitted:
            self._tally.accepted(request)
        self._sharing.arrived(request, progress)

    def _end(self, request: Request, progress: Progress) -> None:
        self._sharing.left(progress)
        restore(request, progress)

    def _detect(self, response: Response) -> Detection | None:
        if not isinstance(response, TextResponse):
            return None
        by_spider = getattr(self._crawler.spider, "captcha_detect", None)
        found = by_spider(response) if by_spider else self._looked_at(response)
        if isinstance(found, Captcha):
            return Detection(Verdict.CHALLENGE, found.kind.value, found, ("captcha_detect",), 1.0)
        return found

    def _looked_at(self, response: TextResponse) -> Detection | None:
        config = self._config
        return detect(response, max_size=config.detect_maxsize, detectors=config.detectors)

    def _refused(self, answer: Response) -> bool:
        found = self._detect(answer)
        return found is not None and found.verdict is not Verdict.WIDGET

    def _met(
        self, request: Request, response: Response, captcha: Captcha, options: Options
    ) -> Request | Response:
        progress = Progress.of(request.meta)
        if progress.priority is None:  # for the first time
            self._tally.detected(request, captcha)
        reason = self._reason_not_to_buy(request, captcha, progress, options)
        if reason:
            return self._given_up(request, response, reason, options, captcha)
        asked_at = self._sharing.asked_at(request)
        story = partial(self._buyer.story, captcha=captcha, options=options, asked_at=asked_at)
        again = to_be_tried_again(request, priority_adjust=self._priority_adjust)
        return self._lot.ticket(again, story)

    def _blocked(
        self, request: Request, response: Response, name: str, options: Options
    ) -> Response:
        self._tally.blocked(request, name)
        if response.status < 400:
            return self._given_up(request, response, name, options)
        self._end(request, Progress.of(request.meta))
        return response

    def _given_up(
        self,
        request: Request,
        response: Response,
        reason: str,
        options: Options,
        captcha: Captcha | None = None,
    ) -> Response:
        if options.on_give_up is GiveUp.DROP:
            raise self._dropped(request, reason, captcha)
        self._tally.passed(request, reason)
        self._end(request, Progress.of(request.meta))
        return response

    def _dropped(
        self, request: Request, reason: str, captcha: Captcha | None = None
    ) -> CaptchaError:
        self._tally.dropped(request, reason, captcha)
        self._end(request, Progress.of(request.meta))
        return CaptchaError(reason)

    def _keeps_cookies(self, request: Request) -> bool:
        return self._cookies_enabled and not request.meta.get("dont_merge_cookies")

    def _reason_not_to_buy(
        self, request: Request, captcha: Captcha, progress: Progress, options: Options
    ) -> str | None:
        if not self._domains.allow(captcha.url):
            return "domain"
        if KINDS[captcha.kind].cookie and not self._keeps_cookies(request):
            return "no_cookies"
        return self._buyer.reason_not_to_buy(captcha, progress, options)

    def _options_of(self, request: Request) -> Options:
        value = request.meta.get("captcha")
        return self._options if value is None else Options.of(self._config, value)

    def _spoilt(self, ticket: Request) -> Request:
        self._tally.dropped(ticket, "error")
        progress = replace(Progress.of(ticket.meta), failed="error")
        return ticket.replace(meta=ticket.meta | {KEY: progress.to_meta()})

    def _is_under_way(self, request: Request) -> bool:
        return request in self._crawler.engine.downloader.active

    def _request_scheduled(self, request: Request) -> None:
        self._sessions.forget_credentials(request)

    def _restore_late(self) -> None:
        if not self._restores_late:  # a crawl that meets no captcha is not to pay for it
            self._restores_late = True
            self._crawler.signals.connect(self._response_received, signals.response_received)

    def _response_received(self, request: Request) -> None:
        restore(request, Progress.of(request.meta))

    async def _spider_closed(self) -> None:
        self._sharing.close()
        await maybe_deferred_to_future(self._client.close())


def _is_robots_txt(request: Request) -> bool:
    return urlparse_cached(request).path == "/robots.txt"


def _domains(crawler: Crawler, config: Config) -> Domains:
    allowed = getattr(crawler.spider, "allowed_domains", None) or ()
    domains = Domains(tuple(d for d in allowed if isinstance(d, str)), config.domains)
    if domains:
        return domains
    reason = (
        "captchas are bought for named domains only: "
        "set allowed_domains on the spider, or CAPTCHA_DOMAINS"
    )
    # The spider of "scrapy shell" and "scrapy fetch" has no domains, and no harm is done there.
    raise NotConfigured(reason) if isinstance(crawler.spider, DefaultSpider) else ValueError(reason)
