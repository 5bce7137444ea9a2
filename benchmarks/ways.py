"""The ways to crawl that are compared, each set up as its own description says."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from benchmarks.running import naive, with_plugin, without
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.arena import Arena

_CRAWL: dict[str, Any] = {
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "CLOSESPIDER_TIMEOUT": 600,
}


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to crawl the site.

    * *given*: what it is set up with, in words; *setup*: the settings
    * *needs*: the package without which it does not run, and the module that tells
    * *spider*: what its users write, where the crawl's own does not do
    * *kind*: of the captcha that it meets
    """

    name: str
    given: str
    setup: Callable[[Arena], dict[str, Any]]
    needs: tuple[str, str] | None = None
    spider: str = ""
    kind: Kind = Kind.RECAPTCHA_V2

    @property
    def is_there(self) -> bool:
        """Whether it can run here."""
        return self.needs is None or find_spec(self.needs[1]) is not None

    def __str__(self) -> str:
        release = f" {version(self.needs[0])}" if self.needs and self.is_there else ""
        return f"{self.name}{release}: {self.given if self.is_there else 'not installed'}"


def _sdk(arena: Arena) -> dict[str, Any]:
    return {
        **without(**_CRAWL),
        "DOWNLOADER_MIDDLEWARES": {"benchmarks.by_hand.SdkMiddleware": 585},
        "SDK_URL": arena.sandbox.url_of("2captcha"),
        "SDK_KEY": arena.sandbox.api_key,
    }


def _turnstile(arena: Arena) -> dict[str, Any]:
    return {
        **without(**_CRAWL),
        "DOWNLOADER_MIDDLEWARES": {"scrapy_turnstile.TurnstileMiddleware": 585},
        "PEAK_API_KEY": arena.sandbox.api_key,
        "PEAK_API_URL": f"{arena.stand_ins_url}/solve",
    }


def _scrapyx(arena: Arena) -> dict[str, Any]:
    one_opens_all = arena.site.guard.mode is Mode.CLEARANCE
    return {
        **without(**_CRAWL),
        "ADDONS": {"scrapyx_mw.addon.ScrapyxAddon": 0},
        "SCRAPYX_CAPTCHA_MODE": "polling",
        "SCRAPYX_CAPTCHA_ENABLED": True,
        "CAPTCHA_ENABLED": True,
        "CAPTCHA_API_KEY": arena.sandbox.api_key,
        "CAPTCHA_2CAPTCHA_BASE": arena.sandbox.url_of("2captcha"),
        "CAPTCHA_POLL_MAX_S": 1.0,
        "CAPTCHA_TOKEN_TTL_SECONDS": 110 if one_opens_all else 0,
    }


def _flaresolverr(arena: Arena) -> dict[str, Any]:
    middleware = "scrapy_flaresolverr.middleware.FlareSolverrMiddleware"
    return {
        **without(**_CRAWL),
        "DOWNLOADER_MIDDLEWARES": {middleware: 100},
        "FLARESOLVERR_URLS": [arena.stand_ins_url],
        "FLARESOLVERR_MAX_CONCURRENT": 3,
    }


def _polled(arena: Arena) -> dict[str, Any]:
    solve_time = arena.sandbox.solver.options.solve_time
    assert not callable(solve_time)  # noqa: S101 - it is that of `Work`
    return {**_CRAWL, "CAPTCHA_POLL_INTERVAL": min(1.0, solve_time)}


NOTHING = Way(name="without captchas", given="the baseline", setup=lambda _: without(**_CRAWL))
PLUGIN = Way(
    name="scrapy-captcha",
    given="looks every second",
    setup=lambda arena: with_plugin(arena.sandbox, **_polled(arena)),
)
OTHERS = (
    Way(
        name="by hand, awaited in a middleware",
        given="looks every second",
        setup=lambda arena: naive(arena.sandbox, **_polled(arena)),
    ),
    Way(
        name="by hand, with 2captcha-python",
        given="called in a middleware, looks every second",
        setup=_sdk,
        needs=("2captcha-python", "twocaptcha"),
    ),
    Way(
        name="scrapy-turnstile",
        given="answered as soon as it is solved",
        setup=_turnstile,
        needs=("scrapy-turnstile", "scrapy_turnstile"),
        kind=Kind.TURNSTILE,
    ),
    Way(
        name="scrapyx-mw",
        given="looks every second; a spider that finds and submits, until all have come",
        setup=_scrapyx,
        needs=("scrapyx-mw", "scrapyx_mw"),
        spider="benchmarks.by_hand.FlagRaiser",
    ),
    Way(
        name="scrapy-flaresolverr",
        given="three browsers that solve; a spider that sends them what has a captcha",
        setup=_flaresolverr,
        needs=("scrapy-flaresolverr", "scrapy_flaresolverr"),
        spider="benchmarks.by_hand.BrowserCaller",
        kind=Kind.TURNSTILE,
    ),
)
