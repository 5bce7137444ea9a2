"""The report shows the books, and nothing that a page wrote does anything there."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from scrapy_captcha.models import Kind
from scrapy_captcha.purchases import Fate, Need, Purchase
from scrapy_captcha.reporting.figures import Curve, Figures
from scrapy_captcha.reporting.html_report import report

EVIL = '"><script src=//evil.example></script><img src=x onerror=alert(1)>'
VOID = {"meta", "link"}


class Reader(HTMLParser):
    """Notes tags, and attributes that load or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str | None] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [v for k, v in attrs if k in {"src", "href"} or k.startswith("on")]
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def books() -> Figures:
    books = Figures()
    need = Need(EVIL, Kind.HCAPTCHA, EVIL, EVIL)
    books.pages[EVIL, EVIL] = 4
    for number, fate in enumerate([Fate.ACCEPTED, Fate.REJECTED]):
        purchase = Purchase(need, EVIL, 1, 2_000, number, number + 7.5, fate)
        books.count_captcha(need)
        books.charged(purchase)
        books.count_solution(purchase)
        books.ended(purchase)
    books.dropped[EVIL][EVIL] = 3
    for curve in (books.spent, books.waiting):
        curve.plot(0.0, 0)
        curve.plot(10.0, 4_000)
    return books


def test_what_pages_wrote_is_text(books: Figures) -> None:
    page = report(books, title=EVIL, written=EVIL)
    reader = Reader()
    reader.feed(page)

    assert not reader.tags & {"script", "img"}
    assert reader.loads == ["data:,"]
    assert reader.open == ["html"]
    assert "default-src 'none'" in page


def test_it_has_the_figures(books: Figures) -> None:
    page = report(books, title="items", written="today")

    assert "<dt>spent</dt><dd>0.004</dd>" in page
    assert "<dt>per accepted</dt><dd>0.004</dd>" in page
    assert "<td>7.5</td><td>0.002</td><td>1</td><td>rejected</td>" in page
    assert "<td>4</td><td>2</td><td>50%</td>" in page
    assert "spent over time: at most 0.004" in page


def test_books_without_an_entry_make_a_page() -> None:
    assert "<dt>met</dt><dd>0</dd>" in report(Figures(), title="items", written="today")


def test_a_curve_stays_short_and_keeps_its_end() -> None:
    curve = Curve()
    for number in range(100_000):
        curve.plot(number / 10, number)

    assert len(curve.points) <= 400
    assert curve.points[-1] == (9999.9, 99_999)
    assert curve.points == sorted(curve.points)
