"""The request that the spider meant, before redirects led it to a captcha's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.http import Request

_ORIGIN = "_captcha_origin"  # meta: what a redirect would make the request forget
_REDIRECT_KEYS = frozenset({"redirect_urls", "redirect_times", "redirect_ttl", "redirect_reasons"})


def remember_origin(request: Request) -> None:
    """Keeps in meta what a redirect would make *request* forget."""
    if (request.method != "GET" or request.cookies) and _ORIGIN not in request.meta:
        request.meta[_ORIGIN] = {
            "method": request.method,
            "body": request.body,
            "headers": dict(request.headers),
            "cookies": request.cookies,
        }


def forget_origin(request: Request) -> None:
    """Undoes `remember_origin`."""
    request.meta.pop(_ORIGIN, None)


def original(request: Request, *, priority_adjust: int) -> Request:
    """The request that the spider meant, before redirects led it to *request*.

    A POST that was redirected is sent again only where the captcha's own page names the way back in
    its query; elsewhere it may have been carried out. *priority_adjust* is
    ``REDIRECT_PRIORITY_ADJUST``.
    """
    urls = request.meta.get("redirect_urls")
    if not urls:
        return request
    meta = without_redirects(request.meta)
    origin = meta.pop(_ORIGIN, {"method": "GET"})
    if origin["method"] != "GET" and not _names_way_back(request.url, urls[0]):
        return request
    priority = request.priority - priority_adjust * request.meta.get("redirect_times", 1)
    meant: Request = request.replace(url=urls[0], meta=meta, priority=priority, **origin)
    return meant


def _names_way_back(url: str, meant: str) -> bool:
    values = (value for _, value in parse_qsl(urlsplit(url).query))
    return (urlsplit(meant).path or "/") in {urlsplit(value).path for value in values}


def without_redirects(meta: Mapping[str, Any]) -> dict[str, Any]:
    """*meta* without what the redirect middlewares keep there."""
    return {k: v for k, v in meta.items() if k not in _REDIRECT_KEYS}
