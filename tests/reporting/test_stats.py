"""What is counted."""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.utils.test import get_crawler

from scrapy_captcha import events
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Captcha, Kind
from scrapy_captcha.purchases import Fate
from scrapy_captcha.reporting.stats import Stats

PAGE = Request("https://shop.example/1")


def counted(*happened: events.Event) -> dict[str, object]:
    crawler = get_crawler(Spider)
    stats = Stats(crawler)
    for event in happened:
        stats(event)
    return crawler.stats.get_stats()


def test_captchas_and_reasons_are_counted_as_a_whole_and_one_by_one() -> None:
    captcha = Captcha(Kind.TURNSTILE, PAGE.url)
    assert counted(
        events.CaptchaDetected(PAGE, captcha),
        events.PageGivenUp(PAGE, "budget"),
        events.PageGivenUp(PAGE, "wall"),
    ) == {
        "captcha/detected_count": 1,
        "captcha/detected_count/turnstile": 1,
        "captcha/dropped_count": 2,
        "captcha/dropped_count/budget": 1,
        "captcha/dropped_count/wall": 1,
    }


def test_a_call_that_may_have_been_paid_is_counted_as_such() -> None:
    paid = SolverError(ErrorCode.NETWORK, possibly_paid=True)
    assert counted(events.CallFailed(paid), events.CallFailed(SolverError(ErrorCode.CAPACITY))) == {
        "captcha/error_count/NETWORK": 1,
        "captcha/error_count/CAPACITY": 1,
        "captcha/possibly_paid_count": 1,
    }


def test_only_ends_that_no_other_event_tells_of_are_counted() -> None:
    assert counted(*map(events.PurchaseEnded, Fate)) == {
        "captcha/unused_count": 1,
        "captcha/failed_count": 1,
    }


def test_money_is_what_was_said_last_and_parked_the_most() -> None:
    assert counted(
        events.MoneySpent(2_000, None),
        events.MoneySpent(4_000, 2_000),
        events.RequestParked(3),
        events.RequestParked(1),
        events.PagesLost(2),
        events.PagesLost(1),
    ) == {
        "captcha/spent": 0.004,
        "captcha/cost_per_accepted": 0.002,
        "captcha/parked_max": 3,
        "captcha/lost_count": 3,
    }


def test_names_of_stats_have_no_controls() -> None:
    assert list(counted(events.WallDetected(PAGE, "a\nb"))) == ["captcha/blocked_count/a\\nb"]
