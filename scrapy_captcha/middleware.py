"""The downloader middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import signals
from twisted.internet.defer import Deferred

from scrapy_captcha.crawl.handler import Handler
from scrapy_captcha.crawl.wiring import Wiring
from scrapy_captcha.origin import remember_origin
from scrapy_captcha.settings.config import Config
from scrapy_captcha.state import KEY, ORIGIN, SUBMISSION

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from typing_extensions import Self


class CaptchaMiddleware:
    """Downloader middleware that has captchas solved by a service, within the user's limits.

    It stands at 585: after decompression (590), so that it can read pages; before MetaRefresh (580)
    and Retry (550), so that a captcha with status 429 or 503 is solved and not retried.

    A spider may define ``captcha_detect(response)``, which returns a `Captcha`, a `Detection` or
    None, and ``captcha_submit(request, captcha, solution)``, which returns the request that carries
    the solution. A request may have ``meta={"captcha": False}``, or a dict as in `Options.of`.
    """

    def __init__(self, crawler: Crawler, config: Config) -> None:
        self._wiring = wiring = Wiring(crawler, config)
        self._inspector = wiring.inspector
        self._sessions = wiring.sessions
        self._flights = wiring.flights
        self._outcomes = wiring.outcomes
        self._gates = wiring.gates
        self._handler = Handler(wiring)
        self.forms = wiring.forms
        self._sees_all = bool(config.proxies or config.dry_run)
        if config.proxies:
            crawler.signals.connect(self._request_scheduled, signals.request_scheduled)
        crawler.signals.connect(self._spider_opened, signals.spider_opened)
        crawler.signals.connect(self._spider_closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Raises NotConfigured without an account, ValueError for invalid settings."""
        return cls(crawler, Config.from_settings(crawler.settings))

    async def process_request(
        self, request: Request, spider: Spider | None = None
    ) -> Request | Response | None:
        """As `Handler.sent`; a request that no captcha concerns yet goes on at once."""
        if not self._is_quiet_for(request):
            return await self._handler.sent(request)
        remember_origin(request)
        self._flights.traffic.went_quietly(request)
        return None

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response | Awaitable[Request]:
        """As `Handler.answered`; a page that no captcha concerns yet goes on at once."""
        if not (self._is_quiet_for(request) and self._inspector.is_plain(response)):
            return self._handler.answered(request, response)
        self._flights.traffic.came_back_quietly(request, response)
        self._outcomes.came_free(request, response)
        if self._gates.are_awaited:
            self._gates.answered(request)
        if ORIGIN in request.meta:
            self._outcomes.restore_late()
        return response

    def process_exception(
        self, request: Request, exception: Exception, spider: Spider | None = None
    ) -> Request | None:
        """As `Handler.failed`."""
        return self._handler.failed(request, exception)

    def _is_quiet_for(self, request: Request) -> bool:
        """Whether no captcha, no option and no state concerns *request*.

        That holds for most requests of most crawls, for which nothing else is done.
        """
        if self._sees_all or self._flights.has_begun or self._sessions.bound:
            return False
        meta = request.meta
        return not (KEY in meta or "captcha" in meta or SUBMISSION in meta)

    def _request_scheduled(self, request: Request) -> None:
        self._sessions.forget_credentials(request)

    def _spider_opened(self) -> None:
        Deferred.fromCoroutine(self._wiring.pool.ask_balances())

    async def _spider_closed(self) -> None:
        await self._wiring.end()
