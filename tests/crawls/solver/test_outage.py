"""A service that cannot be reached is waited for by time, whatever the number of tries."""

from __future__ import annotations

import logging
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import API_KEY, Visitor, crawl, sandbox
from outages import road_to
from scrapy import Request
from twisted.internet.defer import Deferred

from scrapy_captcha import Captcha, CaptchaError, Kind, SolverClient, SolverError, captcha_request
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.policy import Policy
from scrapy_captcha.providers import Unified
from scrapy_captcha.sandbox import Answer, Guard, Mode, Sandbox, SolverOptions
from scrapy_captcha.solver.outages import Outages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from outages import Road

PAGES = [f"/page/{n}" for n in range(1, 11)]
QUICK: dict[str, Any] = {
    "CAPTCHA_SCOPE": "page",
    "CAPTCHA_RETRY_TIMES": 1,
    "CAPTCHA_HTTP_TIMEOUT": 2,
    "CLOSESPIDER_TIMEOUT": 90,
}
CAPTCHA = Captcha(Kind.TURNSTILE, "http://127.0.0.1/page", "1x00000000000000000000AA")
SERVICES = ["unified", "capsolver"]


@asynccontextmanager
async def roads(
    count: int, solve_time: float = 0.0
) -> AsyncIterator[tuple[Sandbox, list[Road], dict[str, Any]]]:
    """A sandbox, a road to each of *count* of its services, and the settings that lead there."""
    names = SERVICES[:count]
    services: dict[str, dict[str, Any]] = {name: {} for name in names if count > 1}
    async with (
        sandbox(
            {"solve_time": solve_time}, Guard(mode=Mode.TOKEN), services=services, pages=30
        ) as running,
        AsyncExitStack() as stack,
    ):
        urls = [running.url_of(name) for name in names] if services else [running.api_url]
        made = [await stack.enter_async_context(road_to(url)) for url in urls]
        settings = {
            "CAPTCHA_API_URL": None,
            "CAPTCHA_API_KEY": None,
            "CAPTCHA_PROVIDERS": names,
            "CAPTCHA_KEYS": dict.fromkeys(names, API_KEY),
            "CAPTCHA_API_URLS": {n: r.api_url for n, r in zip(names, made, strict=True)},
        }
        yield running, made, {**QUICK, **settings}


async def shut(made: list[Road], seconds: float) -> None:
    """Shuts all roads at once, and opens them after *seconds*."""
    for road in made:
        await road.shut()
        CLOCK.callLater(seconds, road.open)


def lines(caplog: pytest.LogCaptureFixture, level: int, part: str) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == level and part in r.getMessage()]


@pytest.mark.parametrize("count", [1, 2])
@pytest_twisted.ensureDeferred
async def test_pages_wait_for_a_service_that_comes_back_however_often_it_is_tried(
    count: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with roads(count) as (running, made, settings):
        await shut(made, 6.0)
        crawled = await crawl(running, PAGES, settings)

    assert crawled.paths == sorted(PAGES)
    solvers = [running.services[name] for name in SERVICES] if count > 1 else [running.solver]
    assert sum(solver.created for solver in solvers) == len(PAGES)
    begun = lines(caplog, logging.ERROR, "cannot be reached")
    assert len(begun) == count
    assert all("connection refused" in line for line in begun)
    back = [r.getMessage() for r in caplog.records if "answers again" in r.getMessage()]
    assert 1 <= len(back) <= count
    assert crawled.stat("possibly_paid_count") == 0


@pytest_twisted.ensureDeferred
async def test_the_first_answer_to_each_purchase_may_be_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    pages = [f"/page/{n}" for n in range(11, 23)]
    for _ in range(3):
        async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=30) as running:
            for page in pages:
                running.solver.script(Answer(url_contains=page, fault="close", carried_out=True))
            crawled = await crawl(running, pages, {"CAPTCHA_SCOPE": "page"})
        assert len(crawled.responses) == len(pages)
        assert running.solver.created <= 2 * len(pages)
    assert lines(caplog, logging.INFO, "NETWORK: the service could not be reached")
    assert lines(caplog, logging.INFO, "connection closed")


@pytest.mark.parametrize("count", [1, 2])
@pytest_twisted.ensureDeferred
async def test_pages_are_given_up_once_the_patience_is_over(
    count: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with roads(count) as (running, made, settings):
        for road in made:
            await road.shut()
        settings["CAPTCHA_OUTAGE_PATIENCE"] = 4
        crawled = await crawl(running, PAGES, settings)

    assert crawled.reasons == ["NETWORK"] * len(PAGES)
    assert 4 <= crawled.stats["elapsed_time_seconds"] < 60
    assert crawled.stat("error_count/NETWORK") <= count * (1.1 * len(PAGES) + 10)
    dropped = lines(caplog, logging.WARNING, "Giving up on")
    assert len(dropped) == len(PAGES)
    assert all("connection refused" in line for line in dropped)


@pytest_twisted.ensureDeferred
async def test_a_service_that_closes_every_call_is_probed_and_no_purchase_is_risked_twice() -> None:
    async with roads(1) as (running, [road], settings):
        road.closes = True
        CLOCK.callLater(6.0, setattr, road, "closes", False)
        crawled = await crawl(running, PAGES, settings)

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created == len(PAGES)
    assert road.closed <= 1.1 * len(PAGES) + 10


@pytest_twisted.ensureDeferred
async def test_what_was_bought_before_an_outage_is_collected_after_it() -> None:
    async with roads(1, solve_time=0.6) as (running, [road], settings):
        settings |= {"CAPTCHA_SOLVE_TIMEOUT": 1.5, "CAPTCHA_POLL_INTERVAL": 0.2}
        CLOCK.callLater(0.5, lambda: Deferred.fromCoroutine(shut([road], 5.0)))
        crawled = await crawl(running, PAGES, settings)

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created == len(PAGES)


@pytest_twisted.ensureDeferred
async def test_a_crawl_that_is_stopped_in_an_outage_does_not_wait_for_its_end() -> None:
    async with roads(1) as (running, [road], settings):
        await road.shut()
        settings["CLOSESPIDER_TIMEOUT"] = 2
        begun = time.monotonic()
        crawled = await crawl(running, PAGES, settings)

    assert crawled.reason == "closespider_timeout"
    assert time.monotonic() - begun < 60  # of 600


class Asker(Visitor):
    """Asks for a solution in its callback."""

    async def parse(self, response: Any, **kwargs: Any) -> Any:
        try:
            yield await captcha_request(self, response)
        except CaptchaError as error:
            self.crawled.times[error.reason] = time.monotonic()


@pytest_twisted.ensureDeferred
async def test_a_callback_that_asks_waits_for_the_service_too() -> None:
    async with roads(1) as (running, [road], settings):
        await shut([road], 5.0)
        request = Request(f"{running.site_url}/page/1", meta={"captcha": False})
        crawled = await crawl(running, [request], settings, spider=Asker)

    assert "NETWORK" not in crawled.times
    assert crawled.stat("solved_count") == 1


@pytest_twisted.ensureDeferred
async def test_a_client_outside_a_crawl_waits_as_well_and_not_for_ever() -> None:
    async with Sandbox(SolverOptions(solve_time=0.0)) as running, road_to(running.api_url) as road:
        for away, patience in ((4.0, 30.0), (30.0, 3.0)):
            client = SolverClient(
                Unified(poll_interval=0.02),
                api_url=road.api_url,
                api_key=running.api_key,
                policy=Policy(retry_times=1),
                outages=Outages(patience=patience),
            )
            await road.shut()
            opening = CLOCK.callLater(away, road.open)
            solving = client.solve(CAPTCHA)
            if patience > away:
                assert (await solving).answers
            else:
                with pytest.raises(SolverError, match="connection refused"):
                    await solving
                opening.cancel()
            await client.close()
