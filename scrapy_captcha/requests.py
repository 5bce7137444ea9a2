"""What a request says of the session that it belongs to: site, cookie jar and proxy."""

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

    # What a parked request waits for; its result is sent in its place.
    Story = Callable[[Request], Coroutine[Deferred[Any], Any, Request]]

PROXY_KEYS = frozenset({"proxy", "_auth_proxy", "_scheme_proxy", PROXY_INDEX, HAD_PROXY})

# What makes the session of a page: its cookies and its proxy, with the proxy's credentials; and by
# which rules it was fetched.
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
    """The registrable domain of *host*; an IP address or a name without one is its own site.

    The first call of a process reads the suffix list, for some 30 ms: it is not for every page.
    """
    parts = _extract(host)
    return f"{parts.domain}.{parts.suffix}" if parts.domain and parts.suffix else host


def site_of_page(page: Request | Response) -> str:
    """The site of *page*."""
    return site_of(urlsplit(page.url).hostname or "")


def site_of_captcha(request: Request) -> str:
    """The site that shows the captcha of *request*, to which a redirect may have led."""
    shown_at = CaptchaState.of(request.meta).shown_at
    return site_of(shown_at) if shown_at else site_of_page(request)


def jar_of(request: Request) -> Hashable:
    """What names the cookie jar of *request*; None for the usual one."""
    jar = request.meta.get("cookiejar")
    try:
        hash(jar)
    except TypeError:  # without cookies, Scrapy does not care
        return repr(jar)
    named: Hashable = jar
    return named


def same_session(page: Request) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Headers and meta of a request that belongs to the session of *page*."""
    headers = {name: value for name in _HEADERS if (value := page.headers.get(name))}
    return headers, {key: page.meta[key] for key in _META if key in page.meta}


def has_proxy(request: Request) -> bool:
    """Whether *request* goes, or went, through a proxy."""
    return bool(request.meta.get("proxy")) or PROXY_INDEX in request.meta


def without_proxy(request: Request) -> Request:
    """*request* as if it had never had a proxy, its credentials included."""
    headers = request.headers.copy()
    headers.pop("Proxy-Authorization", None)
    meta: dict[str, Any] = {k: v for k, v in request.meta.items() if k not in PROXY_KEYS}
    return request.replace(headers=headers, meta=meta)


def without_credentials(request: Request) -> Request:
    """*request* as it may be written to disk: as it is, but for the credentials of its proxy.

    A proxy of the environment is left out, since HttpProxyMiddleware will choose it again.
    """
    if "Proxy-Authorization" not in request.headers:
        return request
    if "_scheme_proxy" in request.meta:
        return without_proxy(request)
    headers = request.headers.copy()
    headers.pop("Proxy-Authorization")
    meta = {k: v for k, v in request.meta.items() if k != "_auth_proxy"}
    return request.replace(headers=headers, meta=meta)
