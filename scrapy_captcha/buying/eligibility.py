"""Decides whether a solution may be bought for a captcha, at any provider."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import KINDS
from scrapy_captcha.policy import reason_not_to_answer
from scrapy_captcha.requests import site_of
from scrapy_captcha.urls import host_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request

    from scrapy_captcha.buying.rejections import Rejections
    from scrapy_captcha.models import Captcha, Kind
    from scrapy_captcha.reporting.summary import Summary
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.settings.domains import Domains
    from scrapy_captcha.settings.options import Options
    from scrapy_captcha.solver.pool import ProviderPool
    from scrapy_captcha.state import CaptchaState
    from scrapy_captcha.store.journal import Journal

logger = logging.getLogger(__name__)


class Eligibility:
    """Decides before each purchase, for a page or for a form."""

    def __init__(
        self,
        crawler: Crawler,
        domains: Domains,
        pool: ProviderPool,
        sessions: Sessions,
        rejections: Rejections,
        summary: Summary,
        journal: Journal,
    ) -> None:
        self._crawler = crawler
        self._cookies_enabled: bool = crawler.settings.getbool("COOKIES_ENABLED")
        self._domains = domains
        self._pool = pool
        self._sessions = sessions
        self._rejections = rejections
        self._summary = summary
        self._journal = journal
        self._without_proxy: set[Kind] = set()

    def reason_not_to_buy(
        self, request: Request, captcha: Captcha, state: CaptchaState, options: Options
    ) -> str | None:
        """The reason not to buy for *captcha* on the page of *request*; None without one."""
        reason = self._reason_not_to_want(request, captcha)
        if reason:
            return reason
        reason = self.reason_to_wait(captcha)
        if reason:
            return reason
        if state.tasks >= options.policy.retry_times:
            return "rejected"
        own_way = hasattr(self._crawler.spider, "captcha_submit")
        reason = reason_not_to_answer(captcha, own_way=own_way)
        if not reason and self._summary.is_dry(request, captcha):
            return "dry_run"
        return reason

    def reason_to_wait(self, captcha: Captcha) -> str | None:
        """The reason not to buy for the site of *captcha* now, which took no solution lately."""
        site = site_of(host_of(captcha.url))
        return self._rejections.reason_not_to_buy(site, time.monotonic())

    def has_no_seller(self, request: Request, captcha: Captcha) -> bool:
        """Whether *captcha* is a bot wall that no provider solves."""
        return KINDS[captcha.kind].is_wall and not self._is_sold(request, captcha)

    def _reason_not_to_want(self, request: Request, captcha: Captcha) -> str | None:
        if self._journal.is_taken:
            return "jobdir"
        if not self._domains.allow(captcha.url):
            return "domain"
        if KINDS[captcha.kind].cookie and not self._keeps_cookies(request):
            return "no_cookies"
        return None if self._is_sold(request, captcha) else ErrorCode.METHOD_INVALID.value

    def _is_sold(self, request: Request, captcha: Captcha) -> bool:
        proxy = self._sessions.solving_proxy(request)
        if self._pool.takes(captcha, proxy):
            return True
        own = self._sessions.proxy_of(request)
        if proxy is None and own is not None and self._pool.takes(captcha, own):
            self._tell_proxy_is_kept(captcha.kind)
        return False

    def _tell_proxy_is_kept(self, kind: Kind) -> None:
        """Logs once per *kind* why it is not bought without the proxy of the crawl."""
        if kind in self._without_proxy:
            return
        self._without_proxy.add(kind)
        logger.warning(
            "%(kind)s is sold with a proxy only, and that of the environment is never sent to a "
            "service: name one in CAPTCHA_PROXIES",
            {"kind": kind.value},
            extra={"spider": self._crawler.spider},
        )

    def _keeps_cookies(self, request: Request) -> bool:
        return self._cookies_enabled and not request.meta.get("dont_merge_cookies")
