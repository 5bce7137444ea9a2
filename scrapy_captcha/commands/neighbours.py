"""Checks of the settings and plugins of a project beside which captchas are handled."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.core.scheduler import Scheduler
from scrapy.downloadermiddlewares.httpproxy import HttpProxyMiddleware
from scrapy.downloadermiddlewares.useragent import UserAgentMiddleware
from scrapy.utils.misc import load_object

from scrapy_captcha.commands.findings import bad, good, warning
from scrapy_captcha.commands.project import downloader_middlewares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scrapy.settings import BaseSettings

    from scrapy_captcha.commands.findings import Finding
    from scrapy_captcha.settings.config import Config

_KEEP_ONE = "keep one of the two: None in DOWNLOADER_MIDDLEWARES switches it off"
_LEAVE_ALONE = 'give those requests meta={"captcha": False}'


@dataclass(frozen=True, slots=True)
class _Plugin:
    """A component of another package, and the trouble with it.

    *is_harmless*: whether there is none, by the settings.
    """

    trouble: str
    mend: str
    kind: Callable[[str, str], Finding] = bad
    is_harmless: Callable[[Config], bool] = lambda _config: False


# By the import paths of their components.
_PLUGINS: Mapping[str, _Plugin] = {
    "scrapyx_mw.middlewares.captcha*": _Plugin(
        "it buys solutions too, and reads CAPTCHA_ENABLED and CAPTCHA_API_KEY in its own way",
        _KEEP_ONE,
    ),
    "scrapy_turnstile.*": _Plugin("it buys solutions too: captchas are paid for twice", _KEEP_ONE),
    "scrapypuppeteer.*Recaptcha*": _Plugin(
        "it buys solutions too: captchas are paid for twice", _KEEP_ONE
    ),
    "rotating_proxies.*": _Plugin(
        "it takes captchas for bans, and changes the proxy that a solution is bound to",
        "remove its middlewares, and give ROTATING_PROXY_LIST to CAPTCHA_PROXIES",
        is_harmless=lambda config: bool(config.proxies),
    ),
    "scrapy_flaresolverr.*": _Plugin(
        "requests that it fetches have cookies of its own, and solutions would go without them",
        _LEAVE_ALONE,
        warning,
    ),
    "scrapy_playwright.*": _Plugin(
        "requests with meta playwright do not go through CAPTCHA_PROXIES",
        f"{_LEAVE_ALONE}, or give the browser the proxy in PLAYWRIGHT_LAUNCH_OPTIONS",
        warning,
        is_harmless=lambda config: not config.proxies,
    ),
}

# In the import paths of middlewares that choose a browser, in small letters and without "_".
_BROWSERS = ("useragent", "randomua", "randombrowser", "browserheader")


def check_neighbours(settings: BaseSettings, config: Config) -> Iterator[Finding]:
    """One finding if there is no conflict, else one for each conflict."""
    found = [
        *_scrapy_settings(settings, config),
        *_written_files(config),
        *_plugins(settings, config),
        *_browsers(settings),
    ]
    yield from found or [good("conflicts: none with Scrapy's settings or with plugins")]


def _scrapy_settings(settings: BaseSettings, config: Config) -> Iterator[Finding]:
    if not settings.getbool("COOKIES_ENABLED"):
        yield warning(
            "conflicts: with COOKIES_ENABLED = False captchas that are answered by a cookie, as of "
            "Amazon WAF, are given up, and sites that remember a solution by one ask on each page",
            "remove it; requests that need no cookies may have meta dont_merge_cookies",
        )
    if not settings.getbool("REDIRECT_ENABLED"):
        yield warning(
            "conflicts: with REDIRECT_ENABLED = False captchas behind a redirect are not met",
            "remove it",
        )
    stack = _stack(settings)
    if config.proxies and stack and not any(issubclass(one, HttpProxyMiddleware) for one in stack):
        yield bad(
            "conflicts: CAPTCHA_PROXIES need HttpProxyMiddleware, which is switched off",
            "remove its None from DOWNLOADER_MIDDLEWARES, or CAPTCHA_PROXIES",
        )
    if settings.getbool("HTTPCACHE_ENABLED") and settings.getbool("HTTPCACHE_IGNORE_MISSING"):
        yield warning(
            "conflicts: with HTTPCACHE_IGNORE_MISSING = True captcha pages in the cache count as "
            "missing, and are ignored instead of solved",
            "remove it for a crawl that is to solve captchas",
        )
    if not _has_own_scheduler(settings):
        yield warning(
            f"conflicts: SCHEDULER = {settings['SCHEDULER']}: where processes share its queue, "
            "each solves a site for itself, and limits such as CAPTCHA_BUDGET hold for each",
            "divide the limits by the number of processes",
        )


def _has_own_scheduler(settings: BaseSettings) -> bool:
    try:
        # issubclass() would take any class with the methods of a scheduler for one.
        return Scheduler in load_object(settings["SCHEDULER"]).__mro__
    except (ImportError, NameError, ValueError):
        return False


def _written_files(config: Config) -> Iterator[Finding]:
    for name in ("report", "dropped_feed"):
        path = getattr(config, name)
        directory = Path(path).parent
        if path and not (directory.is_dir() and os.access(directory, os.W_OK)):
            yield bad(
                f"files: CAPTCHA_{name.upper()} = {path!r} cannot be written",
                f"make the directory {str(directory)!r}, or name another file",
            )


def _plugins(settings: BaseSettings, config: Config) -> Iterator[Finding]:
    for pattern, plugin in _PLUGINS.items():
        theirs = [path for path in _components(settings) if fnmatchcase(path, pattern)]
        if theirs and not plugin.is_harmless(config):
            yield plugin.kind(f"conflicts: {theirs[0]}: {plugin.trouble}", plugin.mend)


def _browsers(settings: BaseSettings) -> Iterator[Finding]:
    """A finding for each middleware that chooses another browser from request to request."""
    for middleware in _stack(settings):
        path = _path(middleware)
        name = path.lower().replace("_", "")
        if middleware is not UserAgentMiddleware and any(word in name for word in _BROWSERS):
            yield warning(
                f"conflicts: {path}: sites bind solutions to the user agent, and a session keeps "
                "the one with which its first captcha was met: it is not changed there any more",
                "set USER_AGENT instead, or leave it for crawls whose sites show no captchas",
            )


def _components(settings: BaseSettings) -> Iterator[str]:
    for middleware in _stack(settings):
        yield _path(middleware)
    for handler in settings.getdict("DOWNLOAD_HANDLERS").values():
        if handler is not None:
            yield handler if isinstance(handler, str) else f"{handler.__module__}.{handler}"


def _path(middleware: type) -> str:
    return f"{middleware.__module__}.{middleware.__qualname__}"


def _stack(settings: BaseSettings) -> Mapping[type, int]:
    try:
        return downloader_middlewares(settings)
    except ValueError:  # reported by the check of the order
        return {}
