"""The cookie jars of Scrapy's own middleware, of which it gives no account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http import Request

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http.cookies import CookieJar


class Jars:
    """The jars of a crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._is_enabled: bool = crawler.settings.getbool("COOKIES_ENABLED")

    def why_nothing_is_kept(self, request: Request) -> str:
        """What keeps cookies from being kept for *request*, "" where nothing does."""
        if not self._is_enabled:
            return "COOKIES_ENABLED is False"
        if request.meta.get("dont_merge_cookies"):
            return 'meta["dont_merge_cookies"] is set, which is like COOKIES_ENABLED = False'
        if self._jar(request) is None:
            return "CookiesMiddleware is switched off, which is like COOKIES_ENABLED = False"
        if not self.cookies_for(request):
            return "its cookie jar has kept nothing though COOKIES_ENABLED is True"
        return ""

    def cookies_for(self, request: Request) -> bytes:
        """What the jar of *request* would send along with it; b"" without a jar."""
        jar = self._jar(request)
        if jar is None:
            return b""
        bare = Request(request.url)
        jar.add_cookie_header(bare)
        return bare.headers.get("Cookie") or b""

    def _jar(self, request: Request) -> CookieJar | None:
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - a request is being processed
        for middleware in engine.downloader.middleware.middlewares:
            if isinstance(middleware, CookiesMiddleware):
                return middleware.jars[request.meta.get("cookiejar")]
        return None
