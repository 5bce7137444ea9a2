"""A service that gives several purchases one task id is paid for each, and limits count each."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from crawling import crawl, sandbox

from scrapy_captcha.sandbox import Answer, Guard, Mode

PRICE = 0.002


@pytest.mark.parametrize("solve_time", [0.3, 60.0], ids=["collected", "never ready"])
@pytest_twisted.ensureDeferred
async def test_limits_hold_where_all_tasks_have_one_id(solve_time: float) -> None:
    """Those that are not ready in time are looked at once more, by the id that they share."""
    limit: dict[str, Any] = {
        "CAPTCHA_SCOPE": "page",
        "CAPTCHA_MAX_SOLVES": 4,
        "CAPTCHA_SOLVE_TIMEOUT": 2.0,
        "CAPTCHA_RETRY_TIMES": 1,
        "CAPTCHA_PRICES": {"recaptcha_v2": PRICE},
    }
    solver = {"solve_time": solve_time}
    async with sandbox(solver, Guard(mode=Mode.TOKEN), pages=12, session_bound=False) as running:
        body = b'{"taskId": 74000000001}'
        rule = Answer("createTask", status=200, body=body, carried_out=True, times=None)
        running.solver.script(rule)
        crawled = await crawl(running, [f"/page/{n}" for n in range(1, 9)], limit)

    assert crawled.reason == "finished"
    assert len(crawled.responses) + len(crawled.failures) == 8
    assert running.solver.created == 4
    assert crawled.stat("spent") == pytest.approx(4 * PRICE)
