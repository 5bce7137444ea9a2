"""Pages that Scrapy follows by their meta refresh, after this middleware has seen them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.downloadermiddlewares.redirect import MetaRefreshMiddleware
from scrapy.http import HtmlResponse
from scrapy.utils.response import get_meta_refresh

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response


class MetaRefreshes:
    """Knows which pages MetaRefreshMiddleware of *crawler* will follow."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        settings = crawler.settings
        self._most_times = settings.getint("REDIRECT_MAX_TIMES")
        self._longest_delay = settings.getint("METAREFRESH_MAXDELAY")
        self._ignored_tags = settings.getlist("METAREFRESH_IGNORE_TAGS")

    def follows(self, request: Request, response: Response) -> bool:
        """Whether *response*, to *request*, will be followed to another page."""
        if not isinstance(response, HtmlResponse) or not self._may_follow(request):
            return False
        delay, url = get_meta_refresh(response, ignore_tags=self._ignored_tags)
        is_web = bool(url) and urlsplit(url).scheme in {"http", "https"}
        return is_web and delay is not None and delay < self._longest_delay

    def _may_follow(self, request: Request) -> bool:
        if self._crawler.get_downloader_middleware(MetaRefreshMiddleware) is None:
            return False
        meta, times = request.meta, request.meta.get("redirect_times", 0)
        has_left = meta.get("redirect_ttl", 1) and type(times) is int and times < self._most_times
        return bool(has_left) and request.method != "HEAD" and not meta.get("dont_redirect")
