"""A session that expects one answer, that to the last captcha that it was shown."""

from __future__ import annotations

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from homecrawl import crawled_at, items
from homemade import Rules, homemade
from scrapy import Request
from shopping import shopping

from scrapy_captcha.providers import TwoCaptcha


@pytest.mark.parametrize("redirects", [False, True])
@pytest.mark.parametrize("gate", ["", "/captcha"])
@pytest.mark.parametrize("concurrency", [1, 8, 16])
@pytest_twisted.ensureDeferred
async def test_a_solution_a_page_is_bought_once_for_each(
    concurrency: int, gate: str, redirects: bool
) -> None:
    rules = Rules(gate=gate, redirects=redirects)
    result = await crawled_at(rules, items(21), concurrency)

    assert result.crawled.reasons == []
    assert result.crawled.paths == sorted(items(21))
    assert result.site.wrong == 0
    assert result.solves == 21


@pytest.mark.parametrize("cookie", [False, True])
@pytest.mark.parametrize("concurrency", [1, 8, 16])
@pytest_twisted.ensureDeferred
async def test_a_clearance_for_some_pages_is_renewed_each_time_once(
    concurrency: int, cookie: bool
) -> None:
    rules = Rules(good_for=(5,), cookie=cookie, latency=0.01)
    result = await crawled_at(rules, items(61), concurrency)

    assert result.crawled.reasons == []
    assert result.crawled.paths == sorted(items(61))
    assert result.site.wrong == 0
    assert result.solves == 13
    assert result.most_downloads <= 6


@pytest.mark.parametrize("concurrency", [1, 8, 16])
@pytest_twisted.ensureDeferred
async def test_a_clearance_that_runs_out_by_the_clock_loses_no_page(concurrency: int) -> None:
    rules = Rules(good_for=(float("inf"),), life=0.5, latency=0.05)
    result = await crawled_at(rules, items(61), concurrency)

    assert result.crawled.reasons == []
    assert result.crawled.paths == sorted(items(61))
    assert result.site.wrong == 0
    assert result.solves <= 12


@pytest.mark.parametrize("concurrency", [1, 8, 16])
@pytest_twisted.ensureDeferred
async def test_a_word_in_the_form_that_each_showing_replaces_is_found_out(
    concurrency: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Its captchas are no pictures: nothing says beforehand that they are good for one visit."""
    rules = Rules(widget=True, nonce=True)
    result = await crawled_at(rules, items(21), concurrency)

    assert result.crawled.reasons == []
    assert result.crawled.paths == sorted(items(21))
    assert result.solves == 21 + result.site.wrong
    assert result.crawled.stat("rejected_count") == result.site.wrong
    assert "rejects every solution" not in caplog.text


@pytest_twisted.ensureDeferred
async def test_wrong_answers_of_our_own_doing_are_not_reported_to_the_service() -> None:
    rules = Rules(widget=True, nonce=True)
    async with sandbox() as running, homemade(running, rules) as site:
        settings = shopping(running, TwoCaptcha)
        crawled = await crawl(running, [Request(site.url + path) for path in items(21)], settings)
        service = running.services["2captcha"]

    assert crawled.paths == sorted(items(21))
    assert site.wrong > 0
    assert [report.correct for report in service.reports] == [True] * 21
