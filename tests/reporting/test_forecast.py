"""A dry run tells sites that open as a whole from those that ask page by page, as far as it can."""

from __future__ import annotations

import pytest

from scrapy_captcha.models import Kind
from scrapy_captcha.reporting.forecast import Estimate, Forecast
from scrapy_captcha.settings.choices import Scope

PRICE = dict.fromkeys(Kind, 2_000) | {Kind.IMAGE: 500}


def estimate(forecast: Forecast) -> Estimate:
    [site] = forecast.estimates(PRICE.__getitem__).values()
    return site


def met(forecast: Forecast, times: int, session: str = "s", kind: Kind = Kind.TURNSTILE) -> None:
    for _ in range(times):
        forecast.count_captcha("shop.example", session, kind)


def test_a_site_without_a_free_page_after_its_first_captcha_opens_as_a_whole() -> None:
    forecast = Forecast(Scope.AUTO)
    forecast.free("shop.example", "s")
    met(forecast, 40)

    assert estimate(forecast) == Estimate(40, solves=1, fewest=1, most=40, money=2_000)


def test_a_site_with_free_pages_among_its_captchas_asks_page_by_page() -> None:
    forecast = Forecast(Scope.AUTO)
    for _ in range(10):
        met(forecast, 2)
        forecast.free("shop.example", "s")
    met(forecast, 1, kind=Kind.IMAGE)

    assert estimate(forecast) == Estimate(21, solves=21, fewest=1, most=21, money=40_500)


def test_a_kind_that_is_answered_by_a_cookie_opens_the_site() -> None:
    forecast = Forecast(Scope.AUTO)
    met(forecast, 10, kind=Kind.AMAZON_WAF)
    for _ in range(10):
        forecast.free("shop.example", "s")

    assert estimate(forecast).solves == 1


def test_each_session_is_opened_for_itself() -> None:
    forecast = Forecast(Scope.AUTO)
    for session in "abc":
        met(forecast, 10, session)

    assert estimate(forecast).solves == 3


@pytest.mark.parametrize(("scope", "solves"), [(Scope.SITE, 2), (Scope.PAGE, 20)])
def test_the_users_word_leaves_nothing_open(scope: Scope, solves: int) -> None:
    forecast = Forecast(scope)
    for session in "ab":
        met(forecast, 10, session)
        forecast.free("shop.example", session)
    told = estimate(forecast)

    assert (told.solves, told.fewest, told.most) == (solves, solves, solves)


def test_pages_that_merely_contain_a_captcha_are_told_with_examples() -> None:
    forecast = Forecast(Scope.AUTO)
    for number in range(9):
        forecast.widget("shop.example", f"https://shop.example/{number}")
    told = estimate(forecast)

    assert (told.captchas, told.solves, told.widgets, len(told.examples)) == (0, 0, 9, 3)
