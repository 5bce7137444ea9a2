"""A crawl that ends while pages wait says what is lost and counts what was bought."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from scrapy import Request

from scrapy_captcha.sandbox import Guard, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PAGES = [f"/page/{n}" for n in range(1, 13)]
SETTINGS: dict[str, Any] = {
    "CAPTCHA_SCOPE": "page",
    "CAPTCHA_PRICES": {"recaptcha_v2": 0.002},
    "CLOSESPIDER_PAGECOUNT": 2,
}


def solve_time(task: Mapping[str, object]) -> float:
    """The tasks of two pages are solved once all others have been made."""
    return 1.5 if str(task["websiteURL"]).endswith(("/page/1", "/page/2")) else 600.0


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [r for r in caplog.records if r.name.startswith("scrapy_captcha")]
    return [r.getMessage() for r in records if r.levelno >= logging.WARNING]


@pytest_twisted.ensureDeferred
async def test_without_jobdir_what_was_bought_is_charged_and_lost_pages_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    solver = {"solve_time": solve_time, "price": 0.002}
    async with sandbox(solver, Guard(mode=Mode.TOKEN), pages=12, session_bound=False) as running:
        with caplog.at_level(logging.INFO):
            crawled = await crawl(running, PAGES, SETTINGS)

    assert crawled.reason == "closespider_pagecount"
    assert running.solver.created == 12
    assert crawled.stat("spent") == running.solver.spent == pytest.approx(0.024)
    ended = len(crawled.responses) + len(crawled.failures)
    assert ended + crawled.stat("lost_count") == 12
    assert crawled.stat("abandoned_count") == crawled.stat("failed_count") == 10
    told = warnings_of(caplog)
    assert f"Lost {12 - ended} pages that waited for a captcha" in " ".join(told)
    assert "Abandoned 10 tasks that were paid for" in " ".join(told)
    assert "back to the scheduler" not in caplog.text


@pytest.mark.filterwarnings("ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning")
@pytest_twisted.ensureDeferred
async def test_with_jobdir_they_are_kept(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    solver = {"solve_time": solve_time, "price": 0.002}
    settings = SETTINGS | {"JOBDIR": str(tmp_path)}
    async with sandbox(solver, Guard(mode=Mode.TOKEN), pages=12, session_bound=False) as running:
        with caplog.at_level(logging.INFO):
            crawled = await crawl(running, PAGES, settings)

    kept = 12 - len(crawled.responses) - len(crawled.failures)
    assert f"Gave {kept} requests that waited for a captcha back to the scheduler" in caplog.text
    assert warnings_of(caplog) == []
    assert crawled.stat("lost_count") == crawled.stat("abandoned_count") == 0


@pytest.mark.filterwarnings("ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning")
@pytest_twisted.ensureDeferred
async def test_with_jobdir_what_cannot_be_written_is_lost_and_told(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    solver = {"solve_time": solve_time, "price": 0.002}
    settings = SETTINGS | {"JOBDIR": str(tmp_path)}
    async with sandbox(solver, Guard(mode=Mode.TOKEN), pages=12, session_bound=False) as running:
        requests = [Request(running.site_url + path) for path in PAGES]
        requests[6].meta["function"] = lambda: None  # cannot be written
        with caplog.at_level(logging.INFO):
            crawled = await crawl(running, requests, settings)

    assert crawled.stat("lost_count") == 1
    assert "Lost 1 pages that waited for a captcha" in " ".join(warnings_of(caplog))
