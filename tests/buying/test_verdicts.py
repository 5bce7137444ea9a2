"""Which rejections are reported."""

from __future__ import annotations

import pytest

from scrapy_captcha.buying.verdicts import Verdicts, is_about_solution

SHOP, NEWS = ("shop.example", "hcaptcha"), ("news.example", "hcaptcha")


@pytest.mark.parametrize(
    ("status", "seen", "is_about"),
    [
        (200, {"a"}, True),
        (403, {"a"}, True),
        (200, set(), True),
        (200, {"a", "b"}, False),
        (429, {"a"}, False),
        (500, {"a"}, False),
        (503, {"a"}, False),
    ],
)
def test_a_rejection_is_about_the_solution_where_nothing_else_is_wrong(
    status: int, seen: set[str], is_about: bool
) -> None:
    assert is_about_solution(status, seen) is is_about


def test_the_first_rejection_waits_for_another_of_its_site_and_kind() -> None:
    verdicts: Verdicts[str] = Verdicts()

    assert verdicts.reportable(SHOP, "one") == []
    assert verdicts.reportable(NEWS, "two") == []
    assert verdicts.reportable(SHOP, "three") == ["one", "three"]
    assert verdicts.reportable(SHOP, "four") == []


def test_an_accepted_solution_drops_what_is_held() -> None:
    verdicts: Verdicts[str] = Verdicts()
    verdicts.reportable(SHOP, "one")
    verdicts.prove(SHOP, is_first=False)

    assert verdicts.reportable(SHOP, "two") == []


def test_one_is_enough_where_a_first_solution_was_accepted() -> None:
    verdicts: Verdicts[str] = Verdicts()
    verdicts.prove(SHOP, is_first=True)

    assert verdicts.reportable(SHOP, "one") == ["one"]
    assert verdicts.reportable(NEWS, "two") == []


def test_what_is_held_is_bounded() -> None:
    verdicts: Verdicts[int] = Verdicts()
    for n in range(3_000):
        verdicts.reportable(n, n)

    assert verdicts.reportable(0, -1) == []
    assert verdicts.reportable(2_999, -1) == [2_999, -1]
