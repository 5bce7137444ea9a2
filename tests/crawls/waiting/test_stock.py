"""Tokens are sent while they are good, or not at all, and no more are bought than can be sent."""

from __future__ import annotations

import pytest_twisted
from crawling import crawl, sandbox
from scrapy import Request

from scrapy_captcha import Kind
from scrapy_captcha.sandbox import Guard, Mode

ONE_EACH = Guard(Kind.RECAPTCHA_V2, Mode.TOKEN)


@pytest_twisted.ensureDeferred
async def test_with_a_download_delay_no_token_expires_and_none_is_bought_twice() -> None:
    pages = [f"/page/{n}" for n in range(1, 9)]
    free = [f"/page/{n}" for n in range(9, 25)]
    settings = {"DOWNLOAD_DELAY": 0.1, "CAPTCHA_TOKEN_LIFE": 0.8}
    guards = dict.fromkeys(free)
    async with sandbox(guard=ONE_EACH, guards=guards, pages=40) as running:
        running.book.life = 1.0
        crawled = await crawl(running, pages + free, settings)

    assert crawled.paths == sorted(pages + free)
    assert running.solver.created == len(pages)
    assert running.site.gate.rejected == {}
    assert crawled.stat("expired_count") == 0


@pytest_twisted.ensureDeferred
async def test_a_solution_overtakes_what_waits_in_its_download_slot() -> None:
    free = [f"/page/{n}" for n in range(3, 61)]
    settings = {"DOWNLOAD_DELAY": 0.1}
    async with sandbox(guard=ONE_EACH, guards=dict.fromkeys(free), pages=60) as running:
        crawled = await crawl(running, ["/page/1", *free[:30], "/page/2", *free[30:]], settings)
        submitted = next(
            v.at for v in running.site.requests if v.method == "POST" and "2" in v.path
        )
        solved = running.solver.calls[-1].at
        meanwhile = [v for v in running.site.requests if solved < v.at < submitted]

    assert crawled.paths == sorted(["/page/1", "/page/2", *free])
    # Sixteen wait in the slot all the time: what does not overtake them comes after those.
    assert len(meanwhile) < 16


@pytest_twisted.ensureDeferred
async def test_an_expired_token_is_not_sent() -> None:
    """The request with the solution waits behind a slot that is not free for longer than a life."""
    settings = {
        "CAPTCHA_TOKEN_LIFE": 0.3,
        "CONCURRENT_REQUESTS": 1,
        "CAPTCHA_RETRY_TIMES": 1,
    }
    slow = {"/page/2": 1.0}
    async with sandbox(
        guard=ONE_EACH,
        guards={"/page/2": None},
        pages=2,
        latency=lambda path: slow.get(path, 0.0),
    ) as running:
        crawled = await crawl(running, ["/page/1", "/page/2"], settings)

    assert crawled.paths == ["/page/2"]
    assert crawled.reasons == ["rejected"]
    assert crawled.stat("expired_count") == 1
    assert running.book.minted == running.book.unused == 1
    assert running.site.gate.rejected == {}


@pytest_twisted.ensureDeferred
async def test_requests_of_the_user_keep_their_order_otherwise() -> None:
    pages = [f"/page/{n}" for n in range(1, 9)]
    async with sandbox(guards=dict.fromkeys(pages), pages=8) as running:
        requests = [
            Request(running.site_url + path, priority=-number) for number, path in enumerate(pages)
        ]
        crawled = await crawl(running, requests, {"CONCURRENT_REQUESTS": 1})
        visited = [visit.path for visit in running.site.requests]

    assert visited == pages
    assert crawled.paths == sorted(pages)
