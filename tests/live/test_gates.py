"""Real captcha software before real crawls: all pages come, and no more is bought than is needed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from gates import PASSES, SECONDS, Launcher, crawl, running
from software import django_site, express_site, flask_site, php_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gates import Crawled, Running

pytestmark = pytest.mark.live

SITES = {"django": django_site, "flask": flask_site, "express": express_site, "php": php_site}
# Where the captcha is shown: at the page's own URL, or where a 302 leads, with the page's path in
# the query ("next") or in the session ("fixed").
TOKENS = {
    ("django", "recaptcha"): ("inline", "fixed"),
    ("django", "invisible"): ("inline",),
    ("django", "v3"): ("inline", "next"),
    ("django", "turnstile"): ("inline", "fixed"),
    ("flask", "wtf"): ("inline", "next"),
}
PICTURES = {("django", "simple"): ("inline", "next", "fixed")}
IN_SESSION = {  # one answer each
    ("flask", "session"): ("inline", "next", "fixed"),
    ("php", "jpeg"): ("inline", "next", "fixed"),
    ("php", "inline-jpeg"): ("inline", "fixed"),
}
GATES = TOKENS | PICTURES | IN_SESSION
# Each software once or twice, where clearances expire.
EXPIRING = {
    ("django", "recaptcha"): ("fixed",),
    ("django", "turnstile"): ("inline",),
    ("django", "simple"): ("inline", "fixed"),
    ("flask", "wtf"): ("next",),
    ("flask", "session"): ("inline", "next"),
    ("php", "jpeg"): ("fixed",),
}
DRAWN = {("express", "svg"): ("inline", "fixed"), ("express", "inline-svg"): ("inline", "next")}


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """That of its name in SITES."""
    with running(SITES[request.param], tmp_path_factory.mktemp("site")) as started:
        yield started


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    started = Launcher()
    yield started
    started.close()


def gated(gates: Mapping[tuple[str, str], tuple[str, ...]]) -> Any:
    """Parameters: the *gates*, and how many requests are under way at once."""
    each = [(*captcha, place) for captcha, places in gates.items() for place in places]
    return lambda test: pytest.mark.parametrize("concurrency", [1, 16])(
        pytest.mark.parametrize(("site", "captcha", "shown"), each, indirect=["site"])(test)
    )


def check(crawled: Crawled, pages: int, least: int, most: int) -> None:
    """All *pages* have come, each with its own content; *least* to *most* solutions were bought."""
    wrong = {n: heading for n, heading in crawled.pages.items() if heading != f"Item {n}"}
    lost = set(range(1, pages + 1)) - set(crawled.pages) - set(crawled.failed)
    assert (wrong, crawled.failed, lost) == ({}, {}, set()), crawled.said
    assert crawled.stats["finish_reason"] == "finished"
    bought = crawled.solver.created
    assert least <= bought <= most, crawled.said
    assert crawled.stats.get("captcha/rejected_count", 0) <= most - least
    assert [report for report in crawled.solver.reports if not report.correct] == []


@gated(GATES)
@pytest_twisted.ensureDeferred
async def test_a_clearance_is_bought_once(
    launcher: Launcher, site: Running, captcha: str, shown: str, concurrency: int, tmp_path: Path
) -> None:
    crawled = await crawl(
        launcher,
        site,
        f"/{captcha}/clearance/{shown}",
        tmp_path,
        20,
        CONCURRENT_REQUESTS=concurrency,
    )
    check(crawled, 20, 1, 1)


@gated(GATES)
@pytest_twisted.ensureDeferred
async def test_a_captcha_for_each_page_is_bought_for_each_page(
    launcher: Launcher, site: Running, captcha: str, shown: str, concurrency: int, tmp_path: Path
) -> None:
    crawled = await crawl(
        launcher, site, f"/{captcha}/page/{shown}", tmp_path, 12, CONCURRENT_REQUESTS=concurrency
    )
    check(crawled, 12, 12, 13)


@gated(EXPIRING)
@pytest_twisted.ensureDeferred
async def test_a_clearance_for_some_pages_is_bought_anew_when_it_is_used_up(
    launcher: Launcher, site: Running, captcha: str, shown: str, concurrency: int, tmp_path: Path
) -> None:
    crawled = await crawl(
        launcher,
        site,
        f"/{captcha}/pages/{shown}",
        tmp_path,
        20,
        follow="" if concurrency == 1 else "yes",
        CONCURRENT_REQUESTS=concurrency,
    )
    least = 20 // PASSES
    check(crawled, 20, least, least + 1)


@gated(EXPIRING)
@pytest_twisted.ensureDeferred
async def test_a_clearance_for_some_seconds_is_bought_anew_when_they_are_over(
    launcher: Launcher, site: Running, captcha: str, shown: str, concurrency: int, tmp_path: Path
) -> None:
    crawled = await crawl(
        launcher,
        site,
        f"/{captcha}/seconds/{shown}",
        tmp_path,
        20,
        CONCURRENT_REQUESTS=concurrency,
        DOWNLOAD_DELAY=0.1,
    )
    seconds = crawled.times[-1] - crawled.times[0]
    check(crawled, 20, 2, math.ceil(seconds / SECONDS) + 1)


@gated(DRAWN)
@pytest_twisted.ensureDeferred
async def test_a_captcha_that_is_drawn_as_svg_is_given_up_by_that_name(
    launcher: Launcher, site: Running, captcha: str, shown: str, concurrency: int, tmp_path: Path
) -> None:
    crawled = await crawl(
        launcher, site, f"/{captcha}/page/{shown}", tmp_path, 12, CONCURRENT_REQUESTS=concurrency
    )
    assert crawled.pages == {}
    assert crawled.failed == dict.fromkeys(range(1, 13), "svg")
    assert crawled.stats["captcha/dropped_count/svg"] == 12
    assert crawled.solver.created == 0
