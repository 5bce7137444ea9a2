"""The spider's own request: repeating it after redirects, and giving it back unchanged."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from scrapy_captcha.state import CHAIN, GATE, KEY, ORIGIN, CaptchaState, Stage
from scrapy_captcha.urls import are_of_one_origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.http import Request

_OWN = {"owner": str, "method": str, "body": bytes, "headers": dict}
_SHAPES = [_OWN | {"cookies": cookies} for cookies in (dict, list)]
_REDIRECT_KEYS = frozenset({"redirect_urls", "redirect_times", "redirect_ttl", "redirect_reasons"})
_SAFE = frozenset({"GET", "HEAD"})
# What has begun with one response has ended when the page is to be fetched again.
_BEGUN = frozenset({Stage.SOLVED, Stage.SUBMITTED, Stage.DROPPED, Stage.PROBING})
_NAMES_A_GATE = re.compile(r"captcha|challenge|robot|human", re.IGNORECASE)


def redirects(request: Request) -> list[str]:
    """The URLs of *request* before each of its redirects, the first one first.

    Meta that a spider copies into another request contains old redirects, which are not those of
    the new request: that has a greater depth.
    """
    urls = request.meta.get("redirect_urls")
    is_sound = isinstance(urls, list | tuple) and all(isinstance(url, str) for url in urls)
    depth, start = _chain(request.meta)
    is_own = depth == request.meta.get("depth", 0)
    return list(urls[start:]) if urls and is_sound and is_own else []


def wanted_url(request: Request) -> str:
    """The URL that was requested first, before redirects led to *request*."""
    return next(iter(redirects(request)), request.url)


def shown_at(request: Request) -> str:
    """The host of *request* if a redirect from another host has led to it, else ""."""
    host = urlsplit(request.url).hostname or ""
    return host if host != urlsplit(wanted_url(request)).hostname else ""


def owner_of(request: Request) -> str:
    """A key of the spider's request, which differs from that of a request with copied meta."""
    depth, url = request.meta.get("depth", 0), wanted_url(request)
    return f"{depth} {url}" if depth else url


def is_of_page(request: Request) -> bool:
    """Whether the spider's request for *request* was a GET, for a page."""
    return _checked(request.meta.get(ORIGIN))["method"] in _SAFE


def is_at_its_gate(request: Request) -> bool:
    """Whether redirects have led *request* to the gate at which it is to end."""
    gate = request.meta.get(GATE)
    if not isinstance(gate, str) or not are_of_one_origin(request.url, gate):
        return False
    return urlsplit(request.url).path == urlsplit(gate).path


def disown(request: Request) -> None:
    """Removes the state of another request from *request*, whose meta a spider has copied."""
    owner = CaptchaState.of(request.meta).owner
    if owner and owner != owner_of(request):
        del request.meta[KEY]


def remember_origin(request: Request, *, whole: bool = False) -> None:
    """Keeps in meta what a redirect would change in *request*; with *whole*, the headers too."""
    meta, owner = request.meta, ""
    urls = meta.get("redirect_urls")
    if isinstance(urls, list | tuple):
        depth, _ = _chain(meta)
        if CHAIN not in meta or depth != meta.get("depth", 0):
            meta[CHAIN] = [meta.get("depth", 0), len(urls) - len(redirects(request))]
    if ORIGIN in meta:
        owner = owner_of(request)
        if _checked(meta[ORIGIN]).get("owner") != owner:
            del meta[ORIGIN]
    changes = request.method != "GET" or request.cookies or "Authorization" in request.headers
    if (changes or (whole and not redirects(request))) and ORIGIN not in meta:
        meta[ORIGIN] = {
            "owner": owner or owner_of(request),
            "method": request.method,
            "body": request.body,
            "headers": dict(request.headers),
            "cookies": request.cookies,
        }


def _chain(meta: Mapping[str, Any]) -> tuple[int, int]:
    chain = meta.get(CHAIN)
    if isinstance(chain, list) and [type(part) for part in chain] == [int, int]:
        return chain[0], max(0, chain[1])
    return meta.get("depth", 0), 0


def restore(request: Request, state: CaptchaState) -> None:
    """Restores *request* for the spider, without any state of the plugin."""
    if state.priority is not None:
        request.priority = state.priority
        request.dont_filter = state.dont_filter
        request.cookies = state.cookies or {}
    origin = _checked(request.meta.get(ORIGIN))
    if "cookies" in origin and not redirects(request):
        request.cookies = origin["cookies"]
    for key in (KEY, ORIGIN, CHAIN):
        request.meta.pop(key, None)


def to_be_tried_again(request: Request, *, priority_adjust: int, is_gate: bool = False) -> Request:
    """The spider's own request for *request*, with the state of *request*.

    *priority_adjust* is ``REDIRECT_PRIORITY_ADJUST``; *is_gate* as in `original`.
    """
    meant = original(request, priority_adjust=priority_adjust, is_gate=is_gate)
    state = CaptchaState.of(request.meta)
    state = _with_own(state, meant).to(
        Stage.REQUESTED if state.stage in _BEGUN else state.stage,
        shown_at=shown_at(request) if redirects(request) else state.shown_at,
        reposts=meant is request and _may_be_repeated(request),
        solution="",
    )
    again: Request = meant.replace(
        priority=state.priority,
        cookies=state.cookies or {},
        dont_filter=True,
        meta=meant.meta | {KEY: state.to_meta()},
    )
    return again


def with_own(request: Request, *, priority_adjust: int) -> CaptchaState:
    """The state of *request*, with its own priority, dont_filter and cookies."""
    meant = original(request, priority_adjust=priority_adjust)
    return _with_own(CaptchaState.of(request.meta), meant)


def _with_own(state: CaptchaState, meant: Request) -> CaptchaState:
    if state.priority is not None:
        return state
    return replace(
        state,
        owner=owner_of(meant),
        priority=meant.priority,
        dont_filter=meant.dont_filter,
        cookies=meant.cookies or None,
    )


def original(request: Request, *, priority_adjust: int, is_gate: bool = False) -> Request:
    """The spider's own request, before redirects led to *request*.

    A POST that was redirected may have been carried out, with a captcha before the page of its
    result. It is sent again only if the redirect led to a captcha for other pages as well: if the
    URL names the way back or a captcha, or with *is_gate*, if other pages have been redirected to
    it. *priority_adjust* is ``REDIRECT_PRIORITY_ADJUST``.
    """
    urls = redirects(request)
    if not urls:
        return request
    origin = _checked(request.meta.get(ORIGIN))
    is_safe = origin["method"] in _SAFE or origin["method"] == request.method
    if not is_safe and not _was_not_carried_out(request, urls, is_gate=is_gate):
        return request
    priority = request.priority - priority_adjust * len(urls)
    return _meant(request, urls[0], origin, priority)


def post_again(request: Request, *, priority_adjust: int) -> Request:
    """The POST that was redirected to *request*, which has turned out not to be its result.

    It has the options of *request*.
    """
    origin = _checked(request.meta.get(ORIGIN))
    state = CaptchaState.of(request.meta)
    state = replace(
        state,
        reposts=False,
        priority=(state.priority or 0) - priority_adjust,
        cookies=origin.get("cookies"),
    )
    meant = _meant(request, wanted_url(request), origin, request.priority)
    meant.meta[KEY] = state.to_meta()
    return meant.replace(dont_filter=True)


def _meant(request: Request, url: str, origin: dict[str, Any], priority: int) -> Request:
    meta = without_redirects(request.meta)
    meta.pop(ORIGIN, None)
    own = {name: value for name, value in origin.items() if name != "owner"}
    meant: Request = request.replace(url=url, meta=meta, priority=priority, **own)
    return meant


def _was_not_carried_out(request: Request, urls: list[str], *, is_gate: bool) -> bool:
    if _names_way_back(request.url, urls[0]):
        return True
    names_a_gate = _NAMES_A_GATE.search(urlsplit(request.url).path) is not None
    return _may_be_repeated(request) and (is_gate or names_a_gate)


def _may_be_repeated(request: Request) -> bool:
    """Whether there is no sign that the POST that led to *request* has been carried out."""
    values = [value for _, value in parse_qsl(urlsplit(request.url).query)]
    names_way_on = any(value.startswith(("/", "http:", "https:")) for value in values)
    return len(redirects(request)) == 1 and not names_way_on


def _checked(origin: object) -> dict[str, Any]:
    sound = isinstance(origin, dict) and {k: type(v) for k, v in origin.items()}
    return cast("dict[str, Any]", origin) if sound in _SHAPES else {"method": "GET"}


def _names_way_back(url: str, meant: str) -> bool:
    values = (value for _, value in parse_qsl(urlsplit(url).query))
    return (urlsplit(meant).path or "/") in {urlsplit(value).path for value in values}


def without_redirects(meta: Mapping[str, Any]) -> dict[str, Any]:
    """*meta* without the keys of the redirect middlewares, and without our notes of them."""
    return {k: v for k, v in meta.items() if k not in _REDIRECT_KEYS and k != CHAIN}
