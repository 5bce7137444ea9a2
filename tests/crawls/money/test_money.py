"""Money: no limit is passed, as the solver's own counters say, and nothing is bought for nothing."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from scrapy import Request
from serving import Page, site

from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [f"/page/{n}" for n in range(1, 41)]
PER_PAGE = Guard(mode=Mode.TOKEN)
CAPACITY = Answer(error="CAPACITY", retry_after=0.1)
PARALLEL = {
    "CAPTCHA_SCOPE": "page",
    "CONCURRENT_REQUESTS": 32,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 32,
}


async def buys_exactly(limit: int, pages: int) -> None:
    solver = {"solve_time": 0.01}
    async with sandbox(solver, PER_PAGE, pages=pages, session_bound=False) as running:
        # Some purchases are refused, some are lost on their way and sent again.
        running.solver.script(*[CAPACITY] * 2, Answer(fault="close", carried_out=True))
        paths = [f"/page/{n}" for n in range(1, pages + 1)]
        crawled = await crawl(running, paths, {**PARALLEL, "CAPTCHA_MAX_SOLVES": limit})

    assert running.solver.created == limit
    assert len(crawled.responses) == crawled.stat("accepted_count") == limit
    assert crawled.stat("dropped_count/budget") == pages - limit


@pytest_twisted.ensureDeferred
async def test_a_limit_of_solves_is_reached_and_not_passed_with_sixteen_at_once() -> None:
    await buys_exactly(30, 40)


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_a_limit_of_a_hundred_is_reached_and_not_passed_in_fifty_runs() -> None:
    for _ in range(50):
        await buys_exactly(100, 120)


@pytest.mark.parametrize("known", [{}, {"recaptcha_v2": 0.01}], ids=["found out", "told"])
@pytest_twisted.ensureDeferred
async def test_a_budget_is_used_up_and_not_passed(known: dict[str, float]) -> None:
    """Though the price is far above what is usual."""
    async with sandbox({"price": 0.01}, PER_PAGE, pages=40, session_bound=False) as running:
        settings = {**PARALLEL, "CAPTCHA_BUDGET": "0.105", "CAPTCHA_PRICES": known}
        crawled = await crawl(running, PAGES, settings)

    assert running.solver.created == 10
    assert crawled.stat("spent") == running.solver.spent == 0.1
    assert crawled.stat("cost_per_accepted") == 0.01
    assert crawled.stat("dropped_count/budget") == 30


@pytest_twisted.ensureDeferred
async def test_a_picture_that_waits_for_its_turn_is_shown_anew() -> None:
    """The price is found out first, with one; the site draws each picture once."""
    guard = Guard(Kind.IMAGE, Mode.TOKEN)
    async with sandbox({"solve_time": 0.05}, guard, pages=6, session_bound=False) as running:
        crawled = await crawl(running, PAGES[:6], {**PARALLEL, "CAPTCHA_BUDGET": 0.0125})

    assert crawled.paths == PAGES[:6]
    assert running.solver.created == 6


@pytest_twisted.ensureDeferred
async def test_a_budget_is_not_passed_with_mixed_prices() -> None:
    prices = {Kind.RECAPTCHA_V2: 0.03, Kind.HCAPTCHA: 0.011, Kind.TURNSTILE: 0.0007}
    options: dict[str, Any] = {"pages": 120, "session_bound": False}
    paths = [f"/page/{n}" for n in range(1, 121)]
    guards = {path: Guard([*prices][n % 3], Mode.TOKEN) for n, path in enumerate(paths)}
    async with sandbox({"prices": prices, "solve_time": 0.01}, guards=guards, **options) as running:
        crawled = await crawl(running, paths, {**PARALLEL, "CAPTCHA_BUDGET": 1.00})

    assert 0.95 < running.solver.spent <= 1.00
    assert crawled.stat("spent") == running.solver.spent


@pytest_twisted.ensureDeferred
async def test_at_a_limit_ordinary_pages_go_on() -> None:
    free = PAGES[20:]
    async with sandbox(None, PER_PAGE, guards=dict.fromkeys(free), pages=40) as running:
        crawled = await crawl(running, PAGES, {"CAPTCHA_MAX_SOLVES": 0})

    assert crawled.paths == sorted(free)
    assert crawled.reasons == ["budget"] * 20
    assert running.solver.created == 0


@pytest_twisted.ensureDeferred
async def test_at_a_limit_the_spider_closes_where_that_is_set_and_what_was_paid_is_used() -> None:
    async with sandbox({"solve_time": 0.1}, PER_PAGE, pages=40, session_bound=False) as running:
        settings = {**PARALLEL, "CAPTCHA_MAX_SOLVES": 5, "CAPTCHA_CLOSE_ON_STOP": True}
        crawled = await crawl(running, PAGES, settings)

    assert crawled.reason == "captcha_budget"
    assert running.solver.created == crawled.stat("accepted_count") == 5


@pytest_twisted.ensureDeferred
async def test_limits_hold_for_the_job_and_not_for_each_run(tmp_path: Path) -> None:
    settings = {**PARALLEL, "CAPTCHA_MAX_SOLVES": 5, "JOBDIR": str(tmp_path)}
    async with sandbox(None, PER_PAGE, pages=40, session_bound=False) as running:
        for first in (0, 4, 8):
            await crawl(running, PAGES[first : first + 4], settings)

    assert running.solver.created == 5


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"at": 0}', b'{"at": {}}', b"\xff" * 99])
@pytest_twisted.ensureDeferred
async def test_a_damaged_account_of_earlier_runs_costs_a_warning(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "captcha-spent.json").write_bytes(content)
    async with sandbox(None, PER_PAGE) as running:
        crawled = await crawl(running, PAGES[:1], {"JOBDIR": str(tmp_path)})

    assert crawled.paths == ["/page/1"]
    assert caplog.text.count("captcha-spent.json is damaged") == 1


# Loss


def fake(key: int) -> str:
    return (
        "<html><head><title>One moment</title>"
        '<script src="https://www.google.com/recaptcha/api.js" async defer></script></head>'
        '<body><form method="post" action="/verify">'
        f'<div class="g-recaptcha" data-sitekey="6LfKey{key:034}"></div>'
        '<button type="submit">Continue</button></form></body></html>'
    )


async def loses_at_most(pages: int) -> None:
    free = {f"/free/{n}": Page("<h1>Free</h1>") for n in range(pages // 10)}
    hostile = {f"/{n}": Page(fake(n)) for n in range(pages)}
    async with (
        sandbox({"solve_time": 0.01}) as running,
        site({**hostile, **free}, on_post=Page("<h1>Thank you</h1>")) as own,
    ):
        settings = {**PARALLEL, "CAPTCHA_SCOPE": "auto", "CAPTCHA_MAX_LOSS_PER_SITE": 0.009}
        crawled = await crawl(running, [Request(own.url + path) for path in own.pages], settings)

    assert running.solver.spent <= 0.009
    assert crawled.paths == sorted(free)
    assert set(crawled.reasons) <= {"loss", "rejected"}
    assert len(crawled.reasons) == pages


@pytest_twisted.ensureDeferred
async def test_a_site_with_ever_new_fake_captchas_costs_no_more_than_its_limit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await loses_at_most(100)
    assert len(re.findall("spent there without a page for it", caplog.text)) == 1


@pytest.mark.thorough
@pytest_twisted.ensureDeferred
async def test_a_thousand_fake_captchas_cost_no_more_than_their_limit() -> None:
    await loses_at_most(1000)


# What becomes of each purchase


@pytest_twisted.ensureDeferred
async def test_each_purchase_comes_to_one_end() -> None:
    guards = {"/page/1": Guard(mode=Mode.WALL), "/page/2": PER_PAGE, "/page/3": PER_PAGE}
    async with sandbox(guards=guards, session_bound=False) as running:
        failing = Answer("getTaskResult", "/page/3", error="UNSOLVABLE", times=None)
        running.solver.script(failing)
        prices = {"recaptcha_v2": 0.002}  # what is charged for a task that fails is not told
        settings = {**PARALLEL, "CAPTCHA_RETRY_TIMES": 2, "CAPTCHA_PRICES": prices}
        crawled = await crawl(running, PAGES[:3], settings)

    fates = {name: crawled.stat(f"{name}_count") for name in ("accepted", "rejected", "failed")}
    assert fates["accepted"] == 1
    assert fates["rejected"] == 2
    assert sum(fates.values()) == crawled.stat("task_count") == running.solver.created
    assert crawled.stat("spent") == running.solver.spent


# Dry run


@pytest.mark.parametrize(
    ("guard", "free", "scope"),
    [
        (Guard(), 0, "auto"),
        (Guard(Kind.TURNSTILE, status=403), 0, "auto"),
        (PER_PAGE, 20, "auto"),
        (Guard(Kind.IMAGE, Mode.TOKEN), 30, "auto"),
        (PER_PAGE, 0, "page"),
        (Guard(), 20, "site"),
    ],
    ids=["site", "site, 403", "half of the pages", "a quarter", "each page", "half of a site"],
)
@pytest_twisted.ensureDeferred
async def test_a_dry_run_foretells_what_the_real_run_pays(
    guard: Guard, free: int, scope: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    # Free pages stand among the others.
    guards: dict[str, Any] = {path: None for n, path in enumerate(PAGES) if n * free % 40 < free}
    options: dict[str, Any] = {"guards": guards, "pages": 40, "session_bound": False}
    settings = {"CAPTCHA_SCOPE": scope, "CAPTCHA_PRICES": {guard.kind.value: 0.002}}
    async with sandbox(None, guard, **options) as running:
        dry = await crawl(running, PAGES, {**settings, "CAPTCHA_DRY_RUN": True})
        assert running.solver.created == 0
        foretold = re.search(r"dry run: (\d+) solves .* about ([\d.]+)", caplog.text)
        await crawl(running, PAGES, settings)

    assert dry.stat("dropped_count/dry_run") == 40 - len(guards)
    assert foretold
    assert int(foretold[1]) == pytest.approx(running.solver.created, rel=0.1)
    assert float(foretold[2]) == pytest.approx(running.solver.spent, rel=0.1)


@pytest_twisted.ensureDeferred
async def test_a_dry_run_tells_pages_that_merely_contain_a_captcha(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with sandbox() as running:
        await crawl(running, ["/widget"], {"CAPTCHA_DRY_RUN": True})
        example = f"1 {running.site_url}/widget"

    assert example in caplog.text


# What people see


@pytest_twisted.ensureDeferred
async def test_the_log_has_a_line_now_and_then_and_a_table_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with sandbox({"solve_time": 0.3}, PER_PAGE, session_bound=False) as running:
        await crawl(running, PAGES[:2], {"LOGSTATS_INTERVAL": 0.1, "CAPTCHA_SCOPE": "page"})

    assert "captcha: 2 met, 0 accepted, 0 rejected, 2 waiting, 0.00 spent" in caplog.text
    assert "captcha: 2 met, 2 accepted, 0 rejected, 0 waiting, 0.004 spent" in caplog.text
    assert re.search(r"127\.0\.0\.1 +2 +2 +2 +0 +0\.004 +0\.002", caplog.text)


@pytest_twisted.ensureDeferred
async def test_nothing_is_said_of_a_crawl_without_captchas(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with sandbox(guards=dict.fromkeys(PAGES)) as running:
        report = tmp_path / "captcha.html"
        settings = {"LOGSTATS_INTERVAL": 0.01, "CAPTCHA_REPORT": report}
        await crawl(running, PAGES[:5], settings)

    assert "captcha: " not in caplog.text
    assert not report.exists()


@pytest_twisted.ensureDeferred
async def test_the_stats_have_figures_of_each_site() -> None:
    async with sandbox(None, PER_PAGE) as running:
        crawled = await crawl(running, PAGES[:2])

    site = {name: crawled.stat(f"site/127.0.0.1/{name}") for name in ("met_count", "spent")}
    assert site == {"met_count": 2, "spent": 0.004}


@pytest_twisted.ensureDeferred
async def test_dropped_pages_are_what_a_next_crawl_begins_with(tmp_path: Path) -> None:
    feed = tmp_path / "dropped.jsonl"
    async with sandbox(None, PER_PAGE) as running:
        await crawl(running, PAGES[:4], {"CAPTCHA_MAX_SOLVES": 1, "CAPTCHA_DROPPED_FEED": feed})
        lines = [json.loads(line) for line in feed.read_text().splitlines()]
        crawled = await crawl(running, [Request(line["url"]) for line in lines])

    assert {line["reason"] for line in lines} == {"budget"}
    assert {line["method"] for line in lines} == {"GET"}
    assert {line["callback"] for line in lines} == {Visitor.parse.__name__}
    assert len(crawled.responses) == 3


@pytest_twisted.ensureDeferred
async def test_the_list_of_dropped_pages_goes_on_with_its_job_only(tmp_path: Path) -> None:
    feed = tmp_path / "dropped.jsonl"
    settings = {"CAPTCHA_MAX_SOLVES": 0, "CAPTCHA_DROPPED_FEED": feed}
    async with sandbox(None, PER_PAGE) as running:
        for path in PAGES[:2]:
            await crawl(running, [path], {**settings, "JOBDIR": str(tmp_path)})
        assert len(feed.read_text().splitlines()) == 2
        await crawl(running, PAGES[:1], settings)

    assert len(feed.read_text().splitlines()) == 1


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_written_costs_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = tmp_path / "no" / "such"
    async with sandbox(None, PER_PAGE) as running:
        settings = {"CAPTCHA_REPORT": nowhere, "CAPTCHA_DROPPED_FEED": nowhere}
        crawled = await crawl(running, PAGES[:2], {**settings, "CAPTCHA_MAX_SOLVES": 1})

    assert len(crawled.responses) == 1
    for name in settings:
        assert caplog.text.count(f"{name} = {nowhere} cannot be written") == 1
