"""Scrapy's HTTP cache, from which captchas are kept out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from scrapy import signals
from scrapy.downloadermiddlewares.httpcache import HttpCacheMiddleware
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware

from scrapy_captcha.state import SUBMISSION, CaptchaState

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

_VALIDATORS = ("If-Modified-Since", "If-None-Match")


class HttpCache:
    """The HTTP cache of a crawl that has one: a page that *shows_captcha* is not in it.

    It works on the running cache, whatever its policy and storage. A captcha page that an
    earlier run has stored counts as missing, whether fresh or not: nothing is validated with it, no
    failed download falls back on it, and the page that is fetched instead replaces it.
    """

    def __init__(
        self, crawler: Crawler, shows_captcha: Callable[[Request, Response], bool]
    ) -> None:
        self._crawler = crawler
        self._shows_captcha = shows_captcha
        self._cache: HttpCacheMiddleware | None = None
        crawler.signals.connect(self._spider_opened, signals.spider_opened)

    def store_page(self, request: Request, page: Response) -> None:
        """Stores *page* for *request*, if the cache accepts it; the cache has not seen it yet."""
        cache = self._cache
        if cache is None or request.meta.get("dont_cache"):
            return
        if cache.policy.should_cache_response(page, request):
            cache.storage.store_response(self._crawler.spider, request, page)

    def _spider_opened(self) -> None:
        self._cache = self._crawler.get_downloader_middleware(HttpCacheMiddleware)
        if self._cache is not None:
            self._keep_captchas_out(self._cache)

    def _keep_captchas_out(self, cache: HttpCacheMiddleware) -> None:
        decoder = HttpCompressionMiddleware(crawler=self._crawler)
        decoder.stats = None  # counts what the crawl decodes
        policy, retrieve = cache.policy, cache.storage.retrieve_response
        should_cache_response = policy.should_cache_response

        def shows_captcha(request: Request, response: Response) -> bool:
            return self._shows_captcha(request, _decoded(decoder, request, response))

        def is_to_be_stored(response: Response, request: Request) -> bool:
            return (
                SUBMISSION not in request.meta
                # Not asked before, where the page was the answer to a solution.
                and policy.should_cache_request(request)
                and should_cache_response(response, request)
                and not shows_captcha(request, response)
            )

        def retrieve_page(spider: Spider, request: Request) -> Response | None:
            if _asks_the_site(request):
                for name in _VALIDATORS:  # of what is stored
                    request.headers.pop(name, None)
                return None
            stored: Response | None = retrieve(spider, request)
            if stored is None or not shows_captcha(request, stored):
                return stored
            request.meta.pop("cache_timestamp", None)
            return None

        policy.should_cache_response = is_to_be_stored
        cache.storage.retrieve_response = retrieve_page


def _asks_the_site(request: Request) -> bool:
    """Whether the stored response to *request* is of no use: it has led to a captcha.

    It may be a redirect, which shows no captcha itself.
    """
    return SUBMISSION in request.meta or CaptchaState.of(request.meta).met


def _decoded(decoder: HttpCompressionMiddleware, request: Request, response: Response) -> Response:
    """*response* as the crawl will see it; as it is, if it cannot be decoded."""
    if "Content-Encoding" not in response.headers:
        return response
    try:
        return cast("Response", decoder.process_response(request, response.copy()))
    except Exception:  # noqa: BLE001 - each encoding has errors of its own
        return response
