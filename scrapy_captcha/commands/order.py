"""Checks of the middleware: whether it is enabled, and at a place where it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.downloadermiddlewares.httpcache import HttpCacheMiddleware
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.httpproxy import HttpProxyMiddleware
from scrapy.downloadermiddlewares.redirect import MetaRefreshMiddleware, RedirectMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware

from scrapy_captcha.commands.findings import bad, good
from scrapy_captcha.commands.project import downloader_middlewares
from scrapy_captcha.middleware import CaptchaMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scrapy.settings import BaseSettings

    from scrapy_captcha.commands.findings import Finding

_ADDON = 'ADDONS = {"scrapy_captcha.Addon": 500}'
_PLACE = 'write "scrapy_captcha.CaptchaMiddleware": 585, or remove it and write ' + _ADDON


@dataclass(frozen=True, slots=True)
class _Rule:
    """A middleware of Scrapy, the *setting* that enables it, and the consequence otherwise."""

    middleware: type
    setting: str
    otherwise: str


# Nearer to the downloader: responses pass them before this middleware, requests after it.
_ABOVE = (
    _Rule(HttpCompressionMiddleware, "COMPRESSION_ENABLED", "it cannot read compressed pages"),
    _Rule(RedirectMiddleware, "REDIRECT_ENABLED", "it takes a redirect for the page"),
    _Rule(CookiesMiddleware, "COOKIES_ENABLED", "answers that are cookies are not sent"),
    _Rule(HttpProxyMiddleware, "HTTPPROXY_ENABLED", "CAPTCHA_PROXIES are not used"),
    _Rule(HttpCacheMiddleware, "HTTPCACHE_ENABLED", "cached pages come instead of solved ones"),
)
# Nearer to the spider.
_BELOW = (
    _Rule(MetaRefreshMiddleware, "METAREFRESH_ENABLED", "captchas that reload are not solved"),
    _Rule(RetryMiddleware, "RETRY_ENABLED", "captchas with status 429 or 503 are not solved"),
)


def check_order(settings: BaseSettings) -> Iterator[Finding]:
    """One finding if all is well, else one for each fault."""
    try:
        stack = downloader_middlewares(settings)
    except ValueError as error:
        yield bad(f"middleware: {error}", "install it, correct its path, or remove it")
        return
    ours = [middleware for middleware in stack if issubclass(middleware, CaptchaMiddleware)]
    if len(ours) == 1:
        place = stack[ours[0]]
        wrong = list(_wrong_neighbours(place, stack, settings))
        if wrong:
            yield bad(f"middleware: at {place} it gets responses {', '.join(wrong)}", _PLACE)
        else:
            yield good(f"middleware: enabled, at {place}")
    elif ours:
        names = " and ".join(middleware.__name__ for middleware in ours)
        yield bad(
            f"middleware: {names} are both enabled: a captcha is paid for twice",
            "keep one in DOWNLOADER_MIDDLEWARES, with None for the other",
        )
    else:
        yield bad("middleware: not enabled", f"write {_ADDON} in settings.py{_why_not(settings)}")


def _why_not(settings: BaseSettings) -> str:
    switched = settings.getdict("DOWNLOADER_MIDDLEWARES")
    if any(str(path).endswith("CaptchaMiddleware") for path in switched):
        return ", and remove None for CaptchaMiddleware in DOWNLOADER_MIDDLEWARES"
    return ""


def _wrong_neighbours(
    place: int, stack: Mapping[type, int], settings: BaseSettings
) -> Iterator[str]:
    for rules, sign, order in ((_ABOVE, 1, "before"), (_BELOW, -1, "after")):
        for rule in rules:
            for other in _enabled(rule, stack, settings):
                if (stack[other] - place) * sign <= 0:
                    yield f"{order} {other.__name__} at {stack[other]} ({rule.otherwise})"


def _enabled(rule: _Rule, stack: Mapping[type, int], settings: BaseSettings) -> list[type]:
    if not settings.getbool(rule.setting):
        return []
    return [middleware for middleware in stack if issubclass(middleware, rule.middleware)]
