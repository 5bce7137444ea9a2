"""The ``CAPTCHA_…`` settings, read and checked here only."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from scrapy.exceptions import NotConfigured
from scrapy.utils.spider import DefaultSpider

from scrapy_captcha.detection import DETECTORS, MAX_SIZE, Document, judge
from scrapy_captcha.providers import PROVIDERS, Unified
from scrapy_captcha.settings.choices import GiveUp, NoProxy, Preference, Refetch, Scope
from scrapy_captcha.settings.domains import Domains
from scrapy_captcha.settings.limits import Limit, Limits
from scrapy_captcha.settings.loaders import read_detectors, read_providers, read_proxies
from scrapy_captcha.settings.parsers import (
    as_shown,
    did_you_mean,
    read_actions,
    read_boolean,
    read_count,
    read_domains,
    read_duration,
    read_key,
    read_keys,
    read_limit,
    read_money,
    read_path,
    read_prices,
    read_ratio,
    read_url,
    read_urls,
    read_word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import Field

    from scrapy import Spider
    from scrapy.settings import BaseSettings

    from scrapy_captcha.detection import Detection, Detector, Page
    from scrapy_captcha.errors import ErrorCode
    from scrapy_captcha.models import Kind
    from scrapy_captcha.money import Micros
    from scrapy_captcha.policy import Action
    from scrapy_captcha.providers import Provider
    from scrapy_captcha.proxy import Chooser, Proxy

PREFIX = "CAPTCHA_"
_US = "scrapy-captcha"
_SECRET = frozenset({"api_key", "keys", "proxies"})

_T = TypeVar("_T")

_NO_PROXIES: tuple[Proxy, ...] | Chooser = ()


def _setting(read: Callable[[object], _T], default: _T, about: str, *, repr: bool = True) -> _T:  # noqa: A002
    result: Any = field(
        default_factory=lambda: default, repr=repr, metadata={"read": read, "about": about}
    )
    return result  # type: ignore[no-any-return]  # what dataclasses make of a field at run time


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings, by their names in lower case without ``CAPTCHA_``."""

    enabled: bool = _setting(read_boolean, True, "whether captchas are handled at all")
    providers: tuple[type[Provider], ...] = _setting(
        read_providers, (Unified,), "services to buy from, the preferred first: names, or classes"
    )
    keys: Mapping[str, str] = _setting(
        read_keys, {}, "keys of the accounts, by provider", repr=False
    )
    api_urls: Mapping[str, str] = _setting(
        read_urls, {}, "base URLs, by provider, that differ from the usual ones"
    )
    provider_order: Preference = _setting(
        read_word(Preference), Preference.LISTED, "which provider is asked first"
    )
    api_url: str = _setting(read_url, "", "base URL of the API of the first provider")
    api_key: str = _setting(read_key, "", "key of the account at the first provider", repr=False)
    allow_http: bool = _setting(
        read_boolean, False, "whether the API may be called without TLS on another machine"
    )
    domains: tuple[str, ...] = _setting(
        read_domains, (), "domains to buy for, of those in the spider's ``allowed_domains``"
    )
    retry_times: int = _setting(
        read_count, 3, "purchases per page; free errors are retried as often"
    )
    max_delay: float = _setting(read_duration, 300.0, "longest wait before a page is tried again")
    poll_interval: float = _setting(read_duration, 3.0, "minimum time between two polls of a task")
    http_timeout: float = _setting(
        read_duration, 20.0, "limit for one call of the API, body included"
    )
    outage_patience: float = _setting(
        read_duration, 600.0, "time for which pages wait for a provider that cannot be reached"
    )
    solve_timeout: float = _setting(read_duration, 180.0, "limit for one purchase, polls included")
    token_life: float = _setting(
        read_duration, 110.0, "time after which an unsent token counts as expired"
    )
    max_parked: int = _setting(
        read_count, 10_000, "pages that wait at once; at the limit the crawl waits for room"
    )
    concurrent_solves: int = _setting(read_count, 16, "purchases under way at once")
    proxies: tuple[Proxy, ...] | Chooser = _setting(
        read_proxies, _NO_PROXIES, "proxies to crawl and to solve through"
    )
    on_no_proxy: NoProxy = _setting(
        read_word(NoProxy), NoProxy.DROP, "what to do with a page if no proxy is left for its site"
    )
    rotate_before_paying: bool = _setting(
        read_boolean,
        False,
        "whether a page is first tried through a proxy with far fewer captchas",
    )
    detectors: Mapping[str, Detector] = _setting(
        read_detectors, DETECTORS, "detectors added, replaced or removed, by name and import path"
    )
    detect_maxsize: int = _setting(
        read_count, MAX_SIZE, "bytes of a page above which it is not parsed"
    )
    scope: Scope = _setting(
        read_word(Scope),
        Scope.AUTO,
        "whether a solution opens the site or a page; learned with auto",
    )
    refetch: Refetch = _setting(
        read_word(Refetch),
        Refetch.AUTO,
        "whether a page is fetched again after its solution was sent; learned with auto",
    )
    policy: Mapping[ErrorCode, Action] = _setting(
        read_actions, {}, "what to do about an error, instead of the decision in the table"
    )
    on_give_up: GiveUp = _setting(
        read_word(GiveUp), GiveUp.DROP, "what to do with a page whose captcha is not solved"
    )
    close_on_stop: bool = _setting(
        read_boolean,
        False,
        "whether an account error, or a limit, closes the spider instead of only ending purchases",
    )
    max_solves: int | None = _setting(read_limit, None, "maximum number of solves to buy")
    max_solves_per_site: int | None = _setting(read_limit, None, "the same, for each site")
    max_solves_per_hour: int | None = _setting(read_limit, None, "the same, within any hour")
    budget: Micros | None = _setting(read_money, None, "maximum amount to spend")
    budget_per_site: Micros | None = _setting(read_money, None, "the same, for each site")
    budget_per_hour: Micros | None = _setting(read_money, None, "the same, within any hour")
    max_loss_per_site: Micros | None = _setting(
        read_money, None, "maximum amount to spend at a site without getting a page for it"
    )
    max_solves_per_page: float = _setting(
        read_ratio,
        5.0,
        "maximum number of solves per page that comes, per site; 0 for no limit",
    )
    prices: Mapping[Kind, Micros] = _setting(
        read_prices, {}, "prices of a solve, by kind, until an answer contains them"
    )
    dry_run: bool = _setting(
        read_boolean, False, "whether nothing is bought, and a forecast made instead"
    )
    dropped_feed: str = _setting(read_path, "", "file for the pages that are given up")
    report: str = _setting(read_path, "", "file for a report in HTML")

    @property
    def limits(self) -> Limits:
        """The limits on purchases."""
        return Limits(
            Limit(self.max_solves, self.budget),
            Limit(self.max_solves_per_site, self.budget_per_site),
            Limit(self.max_solves_per_hour, self.budget_per_hour),
            self.max_loss_per_site,
            self.max_solves_per_page,
        )

    @classmethod
    def read(cls, settings: BaseSettings) -> Config:
        """Reads all settings and, for the key, the environment; the API may be left out.

        Raises ValueError, naming the setting and what to write instead, for one that is wrong.
        """
        given = _given(settings)
        return cls(**{f.name: _read(f, given[f.name]) for f in fields(cls) if f.name in given})

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Config:
        """The settings of a crawl.

        Raises NotConfigured when it is switched off or no API is given, and ValueError as `read`,
        or for settings that contradict each other.
        """
        config = cls.read(settings)
        if not config.enabled:
            raise NotConfigured
        _refuse_conflicts(config, settings)
        return config

    def document(self, page: Page, wanted: str | None = None) -> Document:
        """*page*, requested at the URL *wanted*, as detectors get it."""
        return Document(page, self.detect_maxsize, wanted)

    def detect(self, page: Page, wanted: str | None = None) -> Detection | None:
        """The detection of *page*, requested at the URL *wanted*, according to the settings."""
        return judge(self.document(page, wanted), self.detectors)


def _refuse_conflicts(config: Config, settings: BaseSettings) -> None:
    if not settings.getbool("TWISTED_REACTOR_ENABLED", default=True):
        raise ValueError(
            "TWISTED_REACTOR_ENABLED = False, but captchas are solved over Twisted: "
            "remove the setting, or set CAPTCHA_ENABLED = False"
        )
    handlers = settings.getdict("DOWNLOAD_HANDLERS")
    proxies = config.proxies if isinstance(config.proxies, tuple) else ()
    socks = [str(proxy) for proxy in proxies if proxy.scheme.startswith("socks")]
    if socks and not {"http", "https"} <= set(handlers):
        raise ValueError(
            f"CAPTCHA_PROXIES: {socks[0]} speaks SOCKS, and Scrapy's usual download handler does "
            "not: set DOWNLOAD_HANDLERS for http and https to one that does, or remove that proxy"
        )
    if config.proxies and not settings.getbool("HTTPPROXY_ENABLED", default=True):
        raise ValueError(
            "HTTPPROXY_ENABLED = False, but CAPTCHA_PROXIES are used through it: "
            "remove one of the two"
        )
    known = {*PROVIDERS, *(provider.name for provider in config.providers)}
    for setting in ("keys", "api_urls"):
        for name in getattr(config, setting).keys() - known:
            hint = did_you_mean(name, sorted(known))
            raise ValueError(f"{PREFIX}{setting.upper()}: {name!r} is no provider{hint}")


def domains_of(spider: Spider | None, config: Config) -> Domains:
    """The domains for which solutions may be bought in a crawl of *spider*.

    Raises ValueError when there is no domain, or NotConfigured for the spider of "scrapy shell" and
    "scrapy fetch", which has none and does no harm.
    """
    allowed = getattr(spider, "allowed_domains", None) or ()
    domains = Domains(tuple(d for d in allowed if isinstance(d, str)), config.domains)
    if domains:
        return domains
    reason = (
        "captchas are bought for named domains only: "
        "set allowed_domains on the spider, or CAPTCHA_DOMAINS"
    )
    raise NotConfigured(reason) if isinstance(spider, DefaultSpider) else ValueError(reason)


def _given(settings: BaseSettings) -> dict[str, object]:
    """The values that the user has set, by field name; raises ValueError for unknown names."""
    known = {PREFIX + f.name.upper(): f.name for f in fields(Config)}
    given: dict[str, object] = {"api_key": os.environ.get("CAPTCHA_API_KEY", "")}
    for name in settings:
        if not str(name).startswith(PREFIX) or settings[name] in (None, ""):
            continue
        if name not in known:
            hint = did_you_mean(name, known, f"remove it, or rename it if it is not for {_US}")
            raise ValueError(f"{name} is no setting of {_US}{hint}")
        given[known[name]] = settings[name]
    return given


def _read(setting: Field[Any], value: object) -> Any:
    try:
        return setting.metadata["read"](value)
    except ValueError as error:
        name = PREFIX + setting.name.upper()
        shown = "" if setting.name in _SECRET else f" = {as_shown(value)}"
        raise ValueError(f"{name}{shown}: {error}") from error.__cause__
