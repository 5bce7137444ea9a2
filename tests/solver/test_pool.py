"""Which provider is asked, and who waits for what."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from scrapy.http import Request
from scrapy.settings import Settings
from scrapy.utils.defer import deferred_from_coro
from scrapy.utils.test import get_crawler
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from scrapy_captcha import Captcha, ErrorCode, Kind, SolverError
from scrapy_captcha.buying.feedback import Feedback
from scrapy_captcha.models import Solution
from scrapy_captcha.policy import Policy
from scrapy_captcha.providers import AntiCaptcha, CapSolver, Order, TwoCaptcha, Unified
from scrapy_captcha.publishing import Events
from scrapy_captcha.reporting.log import Log
from scrapy_captcha.reporting.stats import Stats
from scrapy_captcha.sandbox import Answer, Sandbox, SolverOptions
from scrapy_captcha.settings.config import Config
from scrapy_captcha.solver.pool import ProviderPool
from scrapy_captcha.solver.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy_captcha.providers import Provider
    from scrapy_captcha.solver.pool import Turn

BOX = Captcha(Kind.RECAPTCHA_V2, "http://127.0.0.1/page", "key")
PAGE = Request(BOX.url)
H = replace(BOX, kind=Kind.HCAPTCHA)


class Shop:
    """A market over the services of a sandbox, and the stats that it leads to."""

    def __init__(self, running: Sandbox, *providers: type[Provider], **settings: Any) -> None:
        names = [provider.name for provider in providers]
        given = {
            "PROVIDERS": list(providers),
            "API_URLS": {name: running.url_of(name) for name in names},
            "KEYS": dict.fromkeys(names, "sandbox-key"),
            "POLL_INTERVAL": 0.05,
            **settings,
        }
        config = Config.read(Settings({f"CAPTCHA_{name}": value for name, value in given.items()}))
        crawler = get_crawler()
        crawler.spider = crawler._create_spider("any")
        self.stats = crawler.stats
        events, ranking = Events(Stats(crawler), Log(crawler)), Ranking(config.provider_order)
        self.feedback = Feedback(ranking, events, lambda _: b"visitor=1")
        self.market = ProviderPool.of(config, Policy(), ranking, events)

    async def asked(self, captcha: Captcha = BOX, *more: str) -> str:
        """The name of the provider whose turn it is."""
        with await self.market.turn(captcha, None, *more) as turn:
            return turn.client.provider.name


@asynccontextmanager
async def shop(
    *providers: type[Provider], services: dict[str, SolverOptions] | None = None, **settings: Any
) -> AsyncIterator[tuple[Shop, Sandbox]]:
    async with Sandbox(services=services) as running:
        made = Shop(running, *providers, **settings)
        try:
            yield made, running
        finally:
            await deferred_from_coro(made.market.close_clients())


async def bought(made: Shop) -> Turn:
    with await made.market.turn(BOX, None) as turn:
        await turn.client.purchase(Order(BOX, "purchase-1"))
    return turn


async def failure_of(awaitable: Any) -> SolverError:
    with pytest.raises(SolverError) as caught:
        await awaitable
    return caught.value


@pytest_twisted.ensureDeferred
async def test_the_first_listed_that_takes_the_kind_is_asked() -> None:
    async with shop(CapSolver, Unified, AntiCaptcha) as (made, _):
        assert await made.asked() == "capsolver"
        assert await made.asked(H) == "unified"
        assert await made.asked(BOX, "anticaptcha") == "anticaptcha"  # where it has begun
        assert await made.asked(BOX, "", "capsolver") == "unified"  # avoided
        assert await made.asked(H, "", "unified") == "unified"  # there is no other


@pytest_twisted.ensureDeferred
async def test_a_kind_that_nobody_takes_is_refused_without_a_call() -> None:
    async with shop(CapSolver, AntiCaptcha) as (made, running):
        assert not made.market.takes(H, None)
        error = await failure_of(made.market.turn(H, None))

        assert error.code is ErrorCode.METHOD_INVALID
        assert not any(solver.calls for solver in running.services.values())


@pytest_twisted.ensureDeferred
async def test_a_kind_that_one_has_declined_goes_to_the_next_from_then_on() -> None:
    async with shop(CapSolver, AntiCaptcha) as (made, _):
        assert made.market.declined(BOX, None, "capsolver")
        assert await made.asked() == "anticaptcha"
        assert not made.market.declined(BOX, None, "anticaptcha")
        error = await failure_of(made.market.turn(BOX, None))
        assert error.code is ErrorCode.METHOD_INVALID


@pytest_twisted.ensureDeferred
async def test_the_cheapest_is_asked_by_list_price_then_by_what_it_took_and_what_was_accepted() -> (
    None
):
    providers = AntiCaptcha, CapSolver, Unified
    async with shop(*providers, PROVIDER_ORDER="cheapest") as (made, _):
        assert await made.asked() == "capsolver"  # of the unified API no price is known
        with await made.market.turn(BOX, None) as turn:
            capsolver = turn.client
        made.feedback.solved("one", BOX, Solution({"token": "t"}, cost=0.02), capsolver, PAGE)
        assert await made.asked() == "anticaptcha"

        with await made.market.turn(BOX, None, "unified") as turn:
            unified = turn.client
        made.feedback.solved("two", BOX, Solution({"token": "t"}, cost=0.0001), unified, PAGE)
        assert await made.asked() == "unified"
        for name in [str(number) for number in range(60)]:
            made.feedback.solved(name, BOX, Solution({"token": "t"}, cost=0.0001), unified, PAGE)
            made.feedback.rejected(name, PAGE, 200)
        assert await made.asked() == "anticaptcha"


@pytest.mark.parametrize(
    "how",
    [{"error": "CAPACITY", "retry_after": 0.6}, {"fault": "close"}, {"status": 500}],
    ids=["busy", "unreachable", "broken"],
)
@pytest_twisted.ensureDeferred
async def test_one_failure_sends_the_others_to_the_next_until_the_first_is_well(
    how: dict[str, Any],
) -> None:
    async with shop(Unified, AntiCaptcha) as (made, running):
        running.solver.script(Answer(**how))
        await failure_of(bought(made))

        assert await made.asked() == "anticaptcha"
        assert made.market.is_open(BOX, None)
        await seconds(1.1)
        assert (await bought(made)).client.provider.name == "unified"


@pytest_twisted.ensureDeferred
async def test_whoever_waits_goes_where_there_is_room_again() -> None:
    async with shop(Unified, AntiCaptcha, CONCURRENT_SOLVES=1) as (made, running):
        running.solver.script(Answer(error="CAPACITY", retry_after=0.2))
        await failure_of(bought(made))
        second = await made.market.turn(BOX, None)
        waiting = Deferred.fromCoroutine(made.asked(BOX))
        await seconds(0.3)  # the first is open again, and nobody has noticed

        assert second.client.provider.name == "anticaptcha"
        second.client.leave()
        assert await waiting == "unified"


@pytest_twisted.ensureDeferred
async def test_one_that_has_stopped_is_not_asked_and_the_last_one_tells_why() -> None:
    async with shop(CapSolver, AntiCaptcha) as (made, _):
        for name, left in (("capsolver", True), ("anticaptcha", False)):
            made.market.stop_buying(SolverError(ErrorCode.BALANCE_EMPTY, provider=name))
            assert (made.market.is_left, made.market.is_asked(BOX, None)) == (left, left)
            if left:
                assert await made.asked() == "anticaptcha"
                assert not made.market.is_asked(BOX, None, beside="anticaptcha")
        error = await failure_of(made.market.turn(BOX, None))

        assert (error.code, error.provider) == (ErrorCode.BALANCE_EMPTY, "capsolver")


# The balances


@pytest_twisted.ensureDeferred
async def test_a_wrong_key_is_said_and_nothing_bought_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    services = {"capsolver": SolverOptions(api_key="another"), "2captcha": SolverOptions(balance=0)}
    async with shop(CapSolver, TwoCaptcha, AntiCaptcha, services=services) as (made, running):
        asking = Deferred.fromCoroutine(made.market.ask_balances())
        first = await made.asked()  # at once, and waits for the balances
        await asking

        assert first == "2captcha"
        assert [call.method for call in running.services["capsolver"].calls] == ["getBalance"]
    said = {record.getMessage(): record.levelname for record in caplog.records}
    assert said["Balance at 2captcha: 0.0: top the account up"] == "WARNING"
    assert said["Balance at anticaptcha: 10.0"] == "INFO"
    assert any("capsolver" in line and level == "ERROR" for line, level in said.items())
    assert "sandbox-key" not in caplog.text


@pytest_twisted.ensureDeferred
async def test_the_unified_api_is_not_asked_for_a_balance_and_nobody_waits() -> None:
    async with shop(Unified) as (made, running):
        await made.market.ask_balances()

        assert await made.asked() == "unified"
        assert running.solver.calls == []


@pytest_twisted.ensureDeferred
async def test_a_balance_that_does_not_come_keeps_purchases_for_a_short_while_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scrapy_captcha.solver.pool._PATIENCE", 0.1)
    async with shop(CapSolver) as (made, running):
        running.services["capsolver"].script(Answer("getBalance", fault="hang"))
        asking = Deferred.fromCoroutine(made.market.ask_balances())

        assert await made.asked() == "capsolver"
        assert not asking.called


def seconds(count: float) -> Deferred[None]:
    from twisted.internet import reactor

    return deferLater(reactor, count, lambda: None)
