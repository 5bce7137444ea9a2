"""The request that the spider meant: how it is tried again, and given back as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from scrapy_captcha.progress import KEY, Progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.http import Request

ORIGIN = "_captcha_origin"  # meta: what a redirect would make the request forget
_SHAPES = [
    {"method": str, "body": bytes, "headers": dict, "cookies": cookies} for cookies in (dict, list)
]
_REDIRECT_KEYS = frozenset({"redirect_urls", "redirect_times", "redirect_ttl", "redirect_reasons"})


def remember_origin(request: Request) -> None:
    """Keeps in meta what a redirect would make *request* forget."""
    told = request.method != "GET" or request.cookies or "Authorization" in request.headers
    if told and ORIGIN not in request.meta:
        request.meta[ORIGIN] = {
            "method": request.method,
            "body": request.body,
            "headers": dict(request.headers),
            "cookies": request.cookies,
        }


def restore(request: Request, progress: Progress) -> None:
    """Gives *request* back to the spider as it was, with nothing of ours in it."""
    if progress.priority is not None:
        request.priority = progress.priority
        request.dont_filter = progress.dont_filter
        request.cookies = progress.cookies
    request.meta.pop(KEY, None)
    request.meta.pop(ORIGIN, None)


def to_be_tried_again(request: Request, *, priority_adjust: int) -> Request:
    """The request that the spider meant with *request*, with what is known by now.

    *priority_adjust* is ``REDIRECT_PRIORITY_ADJUST``.
    """
    meant = original(request, priority_adjust=priority_adjust)
    progress = replace(
        _with_own(Progress.of(request.meta), meant),
        submitted=False,
        solution="",
        answer="",
        dropped=False,
        probes=False,
    )
    again: Request = meant.replace(
        priority=progress.priority,
        cookies=progress.cookies,
        dont_filter=True,
        meta=meant.meta | {KEY: progress.to_meta()},
    )
    return again


def with_own(request: Request, *, priority_adjust: int) -> Progress:
    """The progress of *request*, with what is the request's own and may differ on the way."""
    meant = original(request, priority_adjust=priority_adjust)
    return _with_own(Progress.of(request.meta), meant)


def _with_own(progress: Progress, meant: Request) -> Progress:
    if progress.priority is not None:
        return progress
    return replace(
        progress,
        priority=meant.priority,
        dont_filter=meant.dont_filter,
        cookies=meant.cookies,
    )


def original(request: Request, *, priority_adjust: int) -> Request:
    """The request that the spider meant, before redirects led it to *request*.

    A POST that was redirected is sent again only where the captcha's own page names the way back in
    its query; elsewhere it may have been carried out. *priority_adjust* is
    ``REDIRECT_PRIORITY_ADJUST``.
    """
    urls = redirected_from(request.meta)
    if not urls:
        return request
    meta = without_redirects(request.meta)
    origin = _checked(meta.pop(ORIGIN, None))
    if origin["method"] != "GET" and not _names_way_back(request.url, urls[0]):
        return request
    priority = request.priority - priority_adjust * len(urls)
    meant: Request = request.replace(url=urls[0], meta=meta, priority=priority, **origin)
    return meant


def _checked(origin: object) -> dict[str, Any]:
    sound = isinstance(origin, dict) and {k: type(v) for k, v in origin.items()}
    return cast("dict[str, Any]", origin) if sound in _SHAPES else {"method": "GET"}


def _names_way_back(url: str, meant: str) -> bool:
    values = (value for _, value in parse_qsl(urlsplit(url).query))
    return (urlsplit(meant).path or "/") in {urlsplit(value).path for value in values}


def redirected_from(meta: Mapping[str, Any]) -> list[str]:
    """The URLs that redirects have led away from, the first first; [] where there were none."""
    urls = meta.get("redirect_urls")
    is_sound = isinstance(urls, list | tuple) and all(isinstance(url, str) for url in urls)
    return list(urls or ()) if is_sound else []


def without_redirects(meta: Mapping[str, Any]) -> dict[str, Any]:
    """*meta* without what the redirect middlewares keep there."""
    return {k: v for k, v in meta.items() if k not in _REDIRECT_KEYS}
