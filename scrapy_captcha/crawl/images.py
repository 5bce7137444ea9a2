"""Pictures of captchas, fetched in the session of the page that shows them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.http import Request
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.defer import deferred_from_coro
from twisted.internet.defer import CancelledError
from w3lib.url import parse_data_uri

from scrapy_captcha.cancelling import cancellable
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.crawl.addresses import address_of, is_public
from scrapy_captcha.crawl.formats import LARGEST, is_picture
from scrapy_captcha.crawl.resolving import addresses_of
from scrapy_captcha.requests import has_proxy, same_session, site_of
from scrapy_captcha.urls import host_of

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.defer import Deferred

    from scrapy_captcha.cancelling import Cancellation
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.settings.domains import Domains

logger = logging.getLogger(__name__)

_MOST_REDIRECTS = 5
_TIME_LIMIT = 30.0  # seconds for a picture, redirects and robots.txt included
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


class Pictures:
    """Fetches pictures from the sites of their pages, and from *domains* that the spider allows."""

    def __init__(self, crawler: Crawler, domains: Domains) -> None:
        self._crawler = crawler
        self._domains = domains

    async def fetch(self, page: Request, captcha: Captcha) -> bytes:
        """The picture of *captcha*, which the answer to *page* shows; b"" if there is none.

        It is fetched as the page was: same cookies, same proxy, same user agent. Data that is no
        picture counts as none, and so does a picture from another site, from a private network
        that the page itself is not in, or one that takes longer than half a minute.
        """
        image = captcha.image or ""
        if image.startswith("data:"):
            data = _inline(image)
        else:
            try:
                data = await self._fetched_in_time(page, urlsplit(captcha.url), image)
            except CancelledError:
                raise
            except Exception:  # noqa: BLE001 - whatever the user's downloader middlewares raise
                return b""
        return data if is_picture(data) else b""

    def _fetched_in_time(self, page: Request, shown_at: SplitResult, url: str) -> Deferred[bytes]:
        """As `_fetched`; fails with TimeoutError when it takes too long."""

        async def fetched(_cancellation: Cancellation) -> bytes:
            return await self._fetched(page, shown_at, url)

        return cancellable(fetched).addTimeout(_TIME_LIMIT, CLOCK)

    async def _fetched(self, page: Request, shown_at: SplitResult, url: str) -> bytes:
        for _ in range(1 + _MOST_REDIRECTS):
            request = _request(page, shown_at, url)
            refused = await self._refused(request, shown_at)
            if refused:
                self._say_refused(request, refused)
                return b""
            response = await self._downloaded(request, shown_at)
            if response is None:
                return b""
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return response.body if response.status == 200 else b""
            url = response.urljoin(location.decode("latin-1"))
        return b""

    async def _downloaded(self, request: Request, page: SplitResult) -> Response | None:
        """The answer; None if it came from an address to which the name did not resolve before."""
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - a crawl runs
        response = await deferred_from_coro(engine.download_async(request))
        if response.ip_address is None or has_proxy(request):
            return response
        is_out_of_reach = await self._is_out_of_reach(request, page, [str(response.ip_address)])
        return None if is_out_of_reach else response

    async def _refused(self, request: Request, page: SplitResult) -> str:
        """Why *request* may not be sent for a picture on *page*; "" if it may."""
        host = host_of(request.url)
        if not host:
            return "its URL is not one of a picture"
        if site_of(host) != site_of(page.hostname or "") and not self._domains.is_named(host):
            return "it is neither on the site of the page nor in allowed_domains"
        if await self._is_out_of_reach(request, page, await self._addresses(request, host)):
            return "it is on a private network or on this machine"
        return ""

    async def _is_out_of_reach(
        self, request: Request, page: SplitResult, addresses: list[str]
    ) -> bool:
        """Whether *addresses* are private ones, and *page* is not served there as well."""
        if all(map(is_public, addresses)):
            return False
        own = await self._addresses(request, page.hostname or "")
        is_private = bool(own) and not any(map(is_public, own))
        return not is_private or _port(urlsplit(request.url)) != _port(page)

    async def _addresses(self, request: Request, host: str) -> list[str]:
        """The addresses of *host*; none if only the proxy of *request* resolves it."""
        address = address_of(host)
        if address is not None:
            return [address]
        return [] if has_proxy(request) else await addresses_of(host)

    def _say_refused(self, request: Request, why: str) -> None:
        logger.info(
            "The picture of a captcha is not fetched from %(host)s: %(why)s",
            {"host": urlsplit(request.url).hostname, "why": why},
            extra={"spider": self._crawler.spider},
        )


def _inline(uri: str) -> bytes:
    try:
        return parse_data_uri(uri).data
    except ValueError:
        return b""


def _request(page: Request, shown_at: SplitResult, url: str) -> Request:
    headers, meta = same_session(page)
    own = {
        "captcha": False,
        "dont_cache": True,
        "dont_redirect": True,  # each is judged before it is followed
        "download_maxsize": LARGEST,
    }
    return Request(
        url,
        headers={"Referer": _referer(shown_at, urlsplit(url))} | headers,
        meta=meta | own,
        callback=NO_CALLBACK,
    )


def _referer(page: SplitResult, url: SplitResult) -> str:
    """*page* as a browser names it to *url*: without its path if that is another origin."""
    same = (page.scheme, page.netloc) == (url.scheme, url.netloc)
    path = page._replace(fragment="") if same else page._replace(path="/", query="", fragment="")
    return path.geturl()


def _port(url: SplitResult) -> int | None:
    return url.port or _PORTS.get(url.scheme)
