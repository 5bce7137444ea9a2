"""What is posted, and redirected to a captcha, is carried out once."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from gating import gate
from scrapy import Request

BOUNDED = {"CLOSESPIDER_TIMEOUT": 90}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"status": 303},
        {"status": 307},
        {"home": True},
        {"where": "/check", "at": "/check"},
        {"where": "/check", "at": "/check", "home": True},
        {"where": "/check", "at": "/check", "leaves": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [1, 10])
@pytest_twisted.ensureDeferred
async def test_what_is_posted_to_a_gate_is_carried_out_once(
    options: dict[str, Any], count: int
) -> None:
    async with sandbox() as running, gate(**options) as own:
        requests = [
            Request(own.url + "/form", method="POST", body=f"n={n}", cb_kwargs={"n": n}, priority=3)
            for n in range(count)
        ]
        crawled = await crawl(running, requests, BOUNDED)

    posted = [("POST", "/form", f"n={n}".encode()) for n in range(count)]
    assert {what: own.carried_out[what] for what in posted} == dict.fromkeys(posted, 1)
    assert crawled.failures == []
    assert crawled.paths == ["/form"] * count
    assert {r.request.method for r in crawled.responses if r.request} == {"POST"}
    assert {r.request.priority for r in crawled.responses if r.request} == {3}
    assert running.solver.created == 1


@pytest_twisted.ensureDeferred
async def test_the_result_of_what_was_posted_is_fetched_and_nothing_is_posted_again() -> None:
    async with sandbox() as running, gate(results=True) as own:
        crawled = await crawl(
            running, [Request(own.url + "/form", method="POST", body=b"a")], BOUNDED
        )

    assert crawled.paths == ["/result"]
    assert own.asked["POST", "/form"] == 1
    assert running.solver.created == 1
