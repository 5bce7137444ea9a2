"""Which errors are what a site's pages are."""

from __future__ import annotations

import pytest

from scrapy_captcha.crawl.statuses import Statuses


def noted(*statuses: int) -> Statuses:
    kept = Statuses()
    for status in statuses:
        if kept.are_noted(status):
            kept.free("a.example", status)
    return kept


def test_eight_in_a_row_are_usual_and_fewer_are_not() -> None:
    assert noted(*[404] * 8).are_usual("a.example", 404)
    assert not noted(*[404] * 7).are_usual("a.example", 404)
    assert not noted(*[404] * 8).are_usual("a.example", 410)
    assert not noted(*[404] * 8).are_usual("b.example", 404)


def test_a_page_that_is_well_ends_that_until_eight_more_have_come() -> None:
    assert not noted(*[404] * 8, 200).are_usual("a.example", 404)
    assert noted(*[404] * 8, 200, *[404] * 8).are_usual("a.example", 404)


@pytest.mark.parametrize("status", [200, 302, 401, 403, 407, 429, 500, 503])
def test_neither_pages_nor_refusals_nor_broken_servers_are_noted(status: int) -> None:
    assert not Statuses().are_noted(status)
    assert not noted(*[status] * 8).are_usual("a.example", status)
