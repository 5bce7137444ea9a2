"""The session of a request: site, cookie jar and proxy."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tldextract import TLDExtract

from scrapy_captcha.state import HAD_PROXY, PROXY_INDEX, CaptchaState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

    from scrapy.http import Request, Response
    from twisted.internet.defer import Deferred

    Served = frozenset[tuple[bytes, bytes]]  # names and values of cookies

    # A parked request waits for it; its result is sent instead.
    Wait = Callable[[Request], Coroutine[Deferred[Any], Any, Request]]

PROXY_KEYS = frozenset({"proxy", "_auth_proxy", "_scheme_proxy", PROXY_INDEX, HAD_PROXY})

# The meta keys of the session of a page: cookies, proxy with credentials, and download options.
_HEADERS = ("User-Agent", "Proxy-Authorization")
_META = (
    *PROXY_KEYS,
    "cookiejar",
    "dont_merge_cookies",
    "dont_obey_robotstxt",
    "impersonate",
    "download_slot",
    "download_timeout",
)

_extract = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@lru_cache(maxsize=4096)
def site_of(host: str) -> str:
    """The registrable domain of *host*; *host* itself if it has none, such as an IP address.

    The first call in a process takes some 30 ms to read the suffix list.
    """
    parts = _extract(host)
    return f"{parts.domain}.{parts.suffix}" if parts.domain and parts.suffix else host


def site_of_page(page: Request | Response) -> str:
    """The site of *page*."""
    return site_of(urlsplit(page.url).hostname or "")


def site_of_captcha(request: Request) -> str:
    """The site that shows the captcha of *request*, maybe after a redirect."""
    shown_at = CaptchaState.of(request.meta).shown_at
    return site_of(shown_at) if shown_at else site_of_page(request)


def jar_of(request: Request) -> Hashable:
    """The ``cookiejar`` of *request*; None for the default one."""
    jar = request.meta.get("cookiejar")
    try:
        hash(jar)
    except TypeError:  # without cookies, Scrapy does not care
        return repr(jar)
    named: Hashable = jar
    return named


def same_session(page: Request) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The headers and meta of a request in the session of *page*."""
    headers = {name: value for name in _HEADERS if (value := page.headers.get(name))}
    return headers, {key: page.meta[key] for key in _META if key in page.meta}


def has_proxy(request: Request) -> bool:
    """Whether *request* goes, or went, through a proxy."""
    return bool(request.meta.get("proxy")) or PROXY_INDEX in request.meta


def without_proxy(request: Request) -> Request:
    """*request* without its proxy and the credentials of that."""
    headers = request.headers.copy()
    headers.pop("Proxy-Authorization", None)
    meta: dict[str, Any] = {k: v for k, v in request.meta.items() if k not in PROXY_KEYS}
    return request.replace(headers=headers, meta=meta)


def without_credentials(request: Request) -> Request:
    """*request* as it may be written to disk: without the credentials of its proxy.

    A proxy from the environment is removed, since HttpProxyMiddleware sets it again.
    """
    if "Proxy-Authorization" not in request.headers:
        return request
    if "_scheme_proxy" in request.meta:
        return without_proxy(request)
    headers = request.headers.copy()
    headers.pop("Proxy-Authorization")
    meta = {k: v for k, v in request.meta.items() if k != "_auth_proxy"}
    return request.replace(headers=headers, meta=meta)
