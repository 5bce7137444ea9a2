"""Whether settings and plugins that are in the way are seen, and others are not."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from scrapy.settings import Settings

from scrapy_captcha.commands.findings import Mark
from scrapy_captcha.commands.neighbours import check_neighbours
from scrapy_captcha.settings.config import Config

if TYPE_CHECKING:
    from pathlib import Path

    from scrapy_captcha.commands.findings import Finding

PROXIES = {"CAPTCHA_PROXIES": "http://proxy.example:8080"}


def found(settings: dict[str, Any]) -> list[Finding]:
    given = Settings(settings)
    return list(check_neighbours(given, Config.read(given)))


def middleware(monkeypatch: pytest.MonkeyPatch, path: str) -> str:
    """Makes *path* lead to a class, as if a plugin were installed."""
    name, _, cls = path.rpartition(".")
    module = ModuleType(name)
    setattr(module, cls, type(cls, (), {"__module__": name}))
    monkeypatch.setitem(sys.modules, name, module)
    return path


def test_usual_settings_make_no_conflict() -> None:
    for settings in ({}, PROXIES, {"HTTPCACHE_ENABLED": True}, {"JOBDIR": "job"}):
        [finding] = found(settings)
        assert finding.mark is Mark.GOOD


@pytest.mark.parametrize(
    ("settings", "mark"),
    [
        ({"COOKIES_ENABLED": False}, Mark.WARNING),
        ({"REDIRECT_ENABLED": False}, Mark.WARNING),
        ({"HTTPCACHE_ENABLED": True, "HTTPCACHE_IGNORE_MISSING": True}, Mark.WARNING),
        ({"SCHEDULER": "scrapy.core.scheduler.BaseScheduler"}, Mark.WARNING),
        ({"SCHEDULER": "scrapy_redis.scheduler.Scheduler"}, Mark.WARNING),
        (
            PROXIES
            | {
                "DOWNLOADER_MIDDLEWARES": {
                    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None
                }
            },
            Mark.BAD,
        ),
        ({"CAPTCHA_REPORT": "no/such/report.html"}, Mark.BAD),
        ({"CAPTCHA_DROPPED_FEED": "no/such/dropped.jsonl"}, Mark.BAD),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value.name,
)
def test_a_setting_that_is_in_the_way_is_named_and_how_to_mend_it(
    settings: dict[str, Any], mark: Mark
) -> None:
    [finding] = found(settings)

    assert finding.mark is mark
    assert [name for name in settings if name in finding.words + finding.mend]
    assert finding.mend


def test_files_in_directories_that_are_there_are_no_matter(tmp_path: Path) -> None:
    [finding] = found({"CAPTCHA_REPORT": str(tmp_path / "report.html")})

    assert finding.mark is Mark.GOOD


@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("scrapyx_mw.middlewares.captcha_polling.AsyncCaptchaMiddleware", Mark.BAD),
        ("scrapy_turnstile.middleware.TurnstileMiddleware", Mark.BAD),
        ("scrapypuppeteer.middlewares.PuppeteerRecaptchaDownloaderMiddleware", Mark.BAD),
        ("rotating_proxies.middlewares.RotatingProxyMiddleware", Mark.BAD),
        ("scrapy_flaresolverr.middleware.FlareSolverrMiddleware", Mark.WARNING),
    ],
)
def test_a_plugin_that_is_in_the_way_is_named(
    path: str, mark: Mark, monkeypatch: pytest.MonkeyPatch
) -> None:
    [finding] = found({"DOWNLOADER_MIDDLEWARES": {middleware(monkeypatch, path): 600}})

    assert finding.mark is mark
    assert path in finding.words
    assert finding.mend


@pytest.mark.parametrize(
    "path",
    [
        "scrapy_user_agents.middlewares.RandomUserAgentMiddleware",
        "scrapy_fake_useragent.middleware.RandomUserAgentMiddleware",
        "scrapy_impersonate.middleware.RandomBrowserMiddleware",
        "shop.middlewares.ScrapeOpsFakeBrowserHeaderAgentMiddleware",
        "shop.middlewares.RotateUserAgent",
        "shop.random_user_agent.Middleware",
    ],
)
def test_a_middleware_that_changes_the_user_agent_is_named_once(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware"
    stack = {usual: None, middleware(monkeypatch, path): 400}
    [finding] = found({"DOWNLOADER_MIDDLEWARES": stack})

    assert finding.mark is Mark.WARNING
    assert path in finding.words
    assert "USER_AGENT" in finding.mend


@pytest.mark.parametrize("place", [500, 590])
def test_the_user_agent_middleware_of_scrapy_is_no_matter(place: int) -> None:
    usual = "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware"
    [finding] = found({"DOWNLOADER_MIDDLEWARES": {usual: place}})

    assert finding.mark is Mark.GOOD


def test_middlewares_of_a_plugin_that_does_other_things_are_no_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for path in ("scrapyx_mw.middlewares.debug.Debug", "shop.middlewares.RotatingProxyMiddleware"):
        [finding] = found({"DOWNLOADER_MIDDLEWARES": {middleware(monkeypatch, path): 600}})
        assert finding.mark is Mark.GOOD


def test_proxies_of_ours_keep_those_of_a_rotating_plugin_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = middleware(monkeypatch, "rotating_proxies.middlewares.RotatingProxyMiddleware")
    [finding] = found(PROXIES | {"DOWNLOADER_MIDDLEWARES": {path: 610}})

    assert finding.mark is Mark.GOOD


def test_a_browser_is_in_the_way_of_proxies_only() -> None:
    browser = {
        "DOWNLOAD_HANDLERS": {"https": "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"}
    }
    [without] = found(browser)
    [with_proxies] = found(browser | PROXIES)

    assert without.mark is Mark.GOOD
    assert with_proxies.mark is Mark.WARNING
    assert "PLAYWRIGHT_LAUNCH_OPTIONS" in with_proxies.mend
