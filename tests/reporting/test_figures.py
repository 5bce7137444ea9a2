"""Figures by site, of a bounded number of sites."""

from __future__ import annotations

from scrapy_captcha.models import Kind
from scrapy_captcha.purchases import Fate, Need, Purchase
from scrapy_captcha.reporting.figures import OTHERS, Figures, Row


def purchase(site: str, price: int = 2_000, fate: Fate | None = None) -> Purchase:
    need = Need(site, Kind.TURNSTILE, "unified")
    return Purchase(need, f"https://{site}/", 1, price, 0.0, charged=3.0, fate=fate)


def test_a_purchase_is_counted_at_its_site_and_in_the_total() -> None:
    figures = Figures()
    one = purchase("shop.example")
    figures.count_captcha(one.need)
    figures.charged(one)
    figures.count_solution(one)
    figures.ended(purchase("shop.example", fate=Fate.ACCEPTED))
    figures.ended(purchase("shop.example"))

    expected = Row(met=1, bought=1, solved=1, accepted=1, money=2_000, seconds=one.seconds)
    assert figures.by("site") == {"shop.example": expected}
    assert figures.total() == expected


def test_the_total_is_the_sum_of_the_rows_and_not_theirs_to_change() -> None:
    figures = Figures()
    for site in ("a.example", "b.example", "a.example"):
        figures.charged(purchase(site))
    figures.total().money = 0

    assert figures.total() == Row(bought=3, money=6_000)
    assert [row.bought for row in figures.by("site").values()] == [2, 1]


def test_sites_after_the_first_ones_are_counted_together() -> None:
    figures = Figures(most_sites=2)
    for number in (1, 2, 3, 4, 2):
        site = f"{number}.example"
        figures.charged(purchase(site))
        figures.count_page(site, "")
        figures.count_dropped(site, "wall")

    names = {"1.example": 1, "2.example": 2, OTHERS: 2}
    assert {site: row.bought for site, row in figures.by("site").items()} == names
    assert {site: pages for (site, _), pages in figures.pages.items()} == names
    assert {site: reasons["wall"] for site, reasons in figures.dropped.items()} == names
    assert figures.total().bought == 5
