"""A service that is away, broke, or busy: few calls, no page lost that need not be, free pages unharmed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from twisted.internet.defer import Deferred, gatherResults

from scrapy_captcha.clock import CLOCK
from scrapy_captcha.errors import ERRORS, ErrorCode
from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from crawling import Crawled

    from scrapy_captcha.sandbox import Sandbox

CALLS = ("createTask", "getTaskResult")
CONCURRENT_SOLVES = 16  # the default
FREE = [f"/page/{n}" for n in range(31, 61)]
GUARDED = [f"/page/{n}" for n in range(1, 31)]
HEALTHY = 2 * len(GUARDED)  # calls: each task is made and collected
QUICK = {
    "CAPTCHA_POLL_INTERVAL": 0.5,
    "CAPTCHA_HTTP_TIMEOUT": 2,
    "CAPTCHA_SCOPE": "page",
    "CLOSESPIDER_TIMEOUT": 60,
}
OUTAGES: dict[str, dict[str, Any]] = {
    "close": {"fault": "close"},
    "error page": {"status": 502, "body": b"<html><h1>Bad Gateway</h1></html>"},
}


def out(running: Sandbox, answer: dict[str, Any]) -> None:
    running.solver.script(*(Answer(method, times=None, **answer) for method in CALLS))


async def stormy(
    answer: dict[str, Any], begins: float, ends: float | None, **settings: Any
) -> tuple[Crawled, Sandbox]:
    """A crawl, and its sandbox, of which the solver is out between two times in seconds."""
    from twisted.internet import reactor

    clock: Any = reactor
    guards = dict.fromkeys(FREE)
    async with sandbox(
        {"solve_time": 0.5}, Guard(mode=Mode.TOKEN), guards=guards, pages=60
    ) as running:
        clock.callLater(begins, out, running, answer)
        if ends is not None:
            clock.callLater(ends, running.solver.clear_script)
        crawled = await crawl(running, GUARDED + FREE, QUICK | settings)
    return crawled, running


async def at_once(*storms: Any) -> list[tuple[Crawled, Sandbox]]:
    """What comes of several crawls that run beside each other: most of their time they wait."""
    found: Any = await gatherResults([Deferred.fromCoroutine(storm) for storm in storms])
    return list(found)


@pytest_twisted.ensureDeferred
async def test_a_service_that_is_away_costs_few_calls_and_no_free_page() -> None:
    whenever = (0.0, 0.7)  # from the start, or while sixteen are being solved
    stormed = await at_once(
        *(
            stormy(answer, begins, None, CAPTCHA_SOLVE_TIMEOUT=2, CAPTCHA_OUTAGE_PATIENCE=4)
            for answer in OUTAGES.values()
            for begins in whenever
        )
    )

    for crawled, running in stormed:
        assert crawled.reason == "finished"
        assert set(FREE) <= set(crawled.paths)
        assert len(crawled.responses) + len(crawled.failures) == 60
        assert len(running.solver.calls) <= 1.1 * HEALTHY + 10


@pytest_twisted.ensureDeferred
async def test_an_outage_of_some_seconds_buys_nothing_twice_and_loses_hardly_a_page() -> None:
    """Those alone for which two purchases in a row were lost, which may have been paid."""
    stormed = await at_once(*(stormy(answer, 0.7, 3.7) for answer in OUTAGES.values()))

    for crawled, running in stormed:
        assert set(FREE) <= set(crawled.paths)
        assert len(crawled.responses) + len(crawled.failures) == 60
        assert len(crawled.failures) <= 3
        assert running.solver.created == len(GUARDED) - len(crawled.failures)
        assert len(running.solver.calls) <= 2 * HEALTHY


@pytest.mark.parametrize("fault", ["close", "hang"])
@pytest_twisted.ensureDeferred
async def test_what_is_paid_for_is_collected_once_its_service_can_be_heard_again(
    fault: str,
) -> None:
    settings = {"CAPTCHA_SOLVE_TIMEOUT": 1, "CAPTCHA_RETRY_TIMES": 6, "CAPTCHA_MAX_DELAY": 0.2}
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=5) as running:
        running.solver.script(Answer("getTaskResult", fault=fault, times=None))
        CLOCK.callLater(3.5, running.solver.clear_script)  # after several times a task's time
        crawled = await crawl(running, GUARDED[:5], QUICK | settings)

    assert crawled.paths == GUARDED[:5]
    assert running.solver.created == 5
    assert crawled.stat("solved_count") == 5


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("code", ["AUTH_INVALID", "AUTH_FORBIDDEN", "BALANCE_EMPTY"])
@pytest_twisted.ensureDeferred
async def test_an_account_error_closes_the_tap_for_forty_pages(code: str, method: str) -> None:
    """Only what was under way is still answered: one call of each concurrent solve."""
    settings = {"CAPTCHA_SCOPE": "page", "CAPTCHA_POLL_INTERVAL": 0.3}
    pages = [f"/page/{n}" for n in range(1, 41)]
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=40) as running:
        running.solver.script(Answer(method, error=code, times=None))
        crawled = await crawl(running, pages, settings)

    assert crawled.reasons == [code] * 40
    answers = [call.status for call in running.solver.calls]
    refused = answers.index(ERRORS[ErrorCode(code)].status)
    assert len(answers) - refused <= CONCURRENT_SOLVES
    # A createTask that is under way when the account closes is not waited for.
    assert 0 <= running.solver.created - crawled.stat("task_count") < CONCURRENT_SOLVES


@pytest_twisted.ensureDeferred
async def test_what_the_last_money_has_bought_is_collected() -> None:
    account = {"balance": 0.006, "price": 0.002, "solve_time": 0.3}
    async with sandbox(account, Guard(mode=Mode.TOKEN), pages=30) as running:
        crawled = await crawl(running, GUARDED, {"CAPTCHA_SCOPE": "page"})

    assert len(crawled.responses) == running.solver.delivered == 3
    assert crawled.reasons == ["BALANCE_EMPTY"] * 27


@pytest_twisted.ensureDeferred
async def test_a_service_that_takes_three_at_a_time_is_asked_twice_for_a_task_at_most() -> None:
    pages = [f"/page/{n}" for n in range(1, 41)]
    busy = {"capacity": 3, "solve_time": 0.25, "retry_after": 0.25}
    settings = {"CAPTCHA_SCOPE": "page", "CAPTCHA_POLL_INTERVAL": 0.25}
    async with sandbox(busy, Guard(mode=Mode.TOKEN), pages=40) as running:
        crawled = await crawl(running, pages, settings)

    assert crawled.paths == sorted(pages)
    calls = Counter(call.method for call in running.solver.calls)
    assert running.solver.created == len(pages)
    assert calls["createTask"] <= 2 * len(pages)
    assert calls.total() <= 4 * len(pages)
