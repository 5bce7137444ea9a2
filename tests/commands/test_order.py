"""Whether a wrong place of the middleware is seen, and called by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scrapy.settings import Settings

from scrapy_captcha import CaptchaMiddleware
from scrapy_captcha.commands.findings import Mark
from scrapy_captcha.commands.order import check_order
from scrapy_captcha.commands.project import settings_of_crawl

if TYPE_CHECKING:
    from scrapy_captcha.commands.findings import Finding

OURS = "scrapy_captcha.CaptchaMiddleware"
SCRAPYS = "scrapy.downloadermiddlewares"


class Derived(CaptchaMiddleware):
    """Somebody's own."""


def found(settings: dict[str, Any]) -> list[Finding]:
    return list(check_order(settings_of_crawl(Settings(settings))))


def found_at(middlewares: dict[Any, Any], **settings: Any) -> Finding:
    [finding] = found({"DOWNLOADER_MIDDLEWARES": middlewares, **settings})
    return finding


@pytest.mark.parametrize(
    "settings",
    [
        {"ADDONS": {"scrapy_captcha.Addon": 500}},
        {"DOWNLOADER_MIDDLEWARES": {OURS: 585}},
        {"DOWNLOADER_MIDDLEWARES": {Derived: 581}},
    ],
    ids=["addon", "path", "subclass"],
)
def test_enabled_in_its_place_is_good(settings: dict[str, Any]) -> None:
    [finding] = found(settings)

    assert finding.mark is Mark.GOOD
    assert finding.words.startswith("middleware: enabled, at 58")


@pytest.mark.parametrize(
    ("place", "others"),
    [
        (543, ["after MetaRefreshMiddleware at 580", "after RetryMiddleware at 550"]),
        (580, ["after MetaRefreshMiddleware at 580"]),
        (595, ["before HttpCompressionMiddleware at 590"]),
        (
            800,
            [
                "before HttpCompressionMiddleware at 590",
                "before RedirectMiddleware at 600",
                "before CookiesMiddleware at 700",
                "before HttpProxyMiddleware at 750",
            ],
        ),
    ],
)
def test_a_wrong_place_is_told_by_its_wrong_neighbours(place: int, others: list[str]) -> None:
    finding = found_at({OURS: place})

    assert finding.mark is Mark.BAD
    assert finding.words.count(" at ") == len(others) + 1
    for other in others:
        assert other in finding.words
    assert "585" in finding.mend


def test_neighbours_that_are_switched_off_or_moved_are_no_matter_or_one() -> None:
    off = {f"{SCRAPYS}.redirect.MetaRefreshMiddleware": None, OURS: 560}
    assert found_at(off).mark is Mark.GOOD
    assert found_at({OURS: 560}, METAREFRESH_ENABLED=False).mark is Mark.GOOD
    moved = {f"{SCRAPYS}.retry.RetryMiddleware": 610, OURS: 585}
    assert "after RetryMiddleware at 610" in found_at(moved).words


def test_the_cache_matters_where_it_is_on() -> None:
    cache = {f"{SCRAPYS}.httpcache.HttpCacheMiddleware": 100, OURS: 585}
    assert found_at(cache).mark is Mark.GOOD
    assert "before HttpCacheMiddleware at 100" in found_at(cache, HTTPCACHE_ENABLED=True).words


def test_not_enabled_says_the_line_that_enables() -> None:
    [finding] = found({})

    assert finding.mark is Mark.BAD
    assert 'ADDONS = {"scrapy_captcha.Addon": 500}' in finding.mend
    assert "None" not in finding.mend


def test_switched_off_says_where() -> None:
    off = found_at({OURS: None}, ADDONS={"scrapy_captcha.Addon": 500})

    assert off.mark is Mark.BAD
    assert "remove None for CaptchaMiddleware" in off.mend


def test_two_of_them_would_pay_twice() -> None:
    finding = found_at({Derived: 586}, ADDONS={"scrapy_captcha.Addon": 500})

    assert finding.mark is Mark.BAD
    assert "Derived and CaptchaMiddleware" in finding.words


def test_a_path_that_leads_nowhere_is_named() -> None:
    finding = found_at({OURS: 585, "no.such.Middleware": 100})

    assert finding.mark is Mark.BAD
    assert "no.such.Middleware cannot be imported" in finding.words
    assert found_at({OURS: 585, "no.such.Middleware": None}).mark is Mark.GOOD
