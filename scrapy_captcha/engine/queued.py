"""Requests for the scheduler or the journal, without the cookies of the cookie jar.

CookiesMiddleware leaves its header in each request that it has seen, and so in requests that are
sent again: with it, solutions would be written to disk. It sets the header anew each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import signals

from scrapy_captcha.requests import without_credentials

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request


class Queued:
    """Removes the headers of CookiesMiddleware from requests; the spider's own headers stay."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._is_merged = crawler.settings.getbool("COOKIES_ENABLED")
        self._is_watching = False

    def watch(self) -> None:
        """Removes the headers from now on, since a solution goes into a cookie jar."""
        if not self._is_watching:
            self._is_watching = True
            self._crawler.signals.connect(self._request_scheduled, signals.request_scheduled)

    def prepared(self, request: Request) -> Request:
        """*request* as it may be written to the journal."""
        request = without_credentials(request)
        if "Cookie" in request.headers:
            request = request.copy()
            self._request_scheduled(request)
        return request

    def _request_scheduled(self, request: Request) -> None:
        if self._is_merged and not request.meta.get("dont_merge_cookies"):
            request.headers.pop("Cookie", None)
