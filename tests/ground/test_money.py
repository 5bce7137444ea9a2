"""Sums of money are exact."""

from __future__ import annotations

import pytest

from scrapy_captcha.money import amount, micros, shown


def test_a_thousand_tenths_of_a_cent_are_a_unit() -> None:
    assert sum(micros(0.001) for _ in range(1000)) == micros(1)


@pytest.mark.parametrize(
    ("price", "millionths"),
    [(0.002, 2_000), ("0.00299", 2_990), (0.1 + 0.2, 300_001), (0.000_000_1, 1), (1e300, 10**306)],
)
def test_parts_of_a_millionth_count_as_one(price: float, millionths: int) -> None:
    assert micros(price) == millionths


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00"),
        (190_000, "0.19"),
        (2_000, "0.002"),
        (1, "0.000001"),
        (12_345_600_000, "12345.60"),
    ],
)
def test_money_is_shown_with_as_many_decimals_as_it_has(value: int, text: str) -> None:
    assert shown(value) == text


def test_an_amount_is_in_the_accounts_currency() -> None:
    assert amount(1_500_000) == 1.5
