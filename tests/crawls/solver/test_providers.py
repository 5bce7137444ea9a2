"""Services in their own dialects, and several of them in one crawl."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from proxying import proxies
from scrapy import Request
from shopping import calls, shopping, tasks_at_once
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.task import deferLater

from scrapy_captcha import Kind
from scrapy_captcha.policy import Policy
from scrapy_captcha.providers import (
    PROVIDERS,
    AntiCaptcha,
    CapMonster,
    CapSolver,
    PollingRules,
    TwoCaptcha,
    Unified,
)
from scrapy_captcha.sandbox import Answer, Guard, Mode
from scrapy_captcha.state import KEY

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from scrapy_captcha.providers import CreateTask
    from scrapy_captcha.sandbox import Sandbox
    from scrapy_captcha.sandbox.solver import Solver

IN_A_HURRY: dict[str, Any] = {"poll_interval": 0}
EACH_PAGE: dict[str, Any] = {"guard": Guard(mode=Mode.TOKEN), "pages": 80}


def pages(count: int) -> list[str]:
    return [f"/page/{number}" for number in range(1, count + 1)]


# Each service in its own words


@pytest.mark.parametrize("kind", [Kind.RECAPTCHA_V2, Kind.TURNSTILE, Kind.IMAGE])
@pytest.mark.parametrize("name", PROVIDERS)
@pytest_twisted.ensureDeferred
async def test_a_service_by_its_name_solves_with_a_proxy_and_without(
    name: str, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = PROVIDERS[name]
    monkeypatch.setattr(provider, "rules", PollingRules())
    async with sandbox(IN_A_HURRY, Guard(kind)) as running, proxies("ann:one") as (proxy,):
        settings = shopping(running, provider) | {"CAPTCHA_PROVIDERS": [name]}
        freely = await crawl(running, ["/page/1"], settings)
        proxied = await crawl(running, ["/page/1"], settings | {"CAPTCHA_PROXIES": [proxy.url]})
        solver = running.services[name]

    for crawled in (freely, proxied):
        assert crawled.paths == ["/page/1"]
        assert crawled.stat("accepted_count") == 1
    tasks = [c.payload["task"] for c in solver.calls if c.method == "createTask" and c.payload]
    assert len(tasks) == solver.created == 2
    captcha = provider.tasks[kind]
    assert [task["type"] for task in tasks] == [captcha.name, captcha.proxied or captcha.name]
    assert [proxy.port in task.values() for task in tasks] == [False, captcha.proxied is not None]
    assert calls(running) == len(solver.calls)


# One fails, the other takes over


class WhileAway:
    """Has *solver* fail as *rules* say, for some seconds from the first purchase on."""

    def __init__(self, solver: Solver, seconds: float, *rules: Answer) -> None:
        solver.script(*rules)
        self.back = Deferred.fromCoroutine(self._come_back(solver, seconds))

    async def _come_back(self, solver: Solver, seconds: float) -> None:
        while not any(call.method == "createTask" for call in solver.calls):
            await pause(0.02)
        await pause(seconds)
        solver.clear_script()


def at_once(*stories: Coroutine[Any, Any, Any]) -> Deferred[list[Any]]:
    return gatherResults([Deferred.fromCoroutine(story) for story in stories], consumeErrors=True)


def failing(**how: Any) -> list[Answer]:
    return [Answer(method, times=None, **how) for method in ("createTask", "getTaskResult")]


@pytest.mark.parametrize(
    "account", [{"balance": 0.0}, {"api_key": "another"}], ids=["empty", "wrong key"]
)
@pytest_twisted.ensureDeferred
async def test_an_account_that_buys_nothing_leaves_all_to_the_next(account: dict[str, Any]) -> None:
    services = {"capsolver": account | IN_A_HURRY}
    async with sandbox(IN_A_HURRY, services=services, **EACH_PAGE) as running:
        crawled = await crawl(running, pages(30), shopping(running, CapSolver, AntiCaptcha))

    assert len(crawled.paths) == 30
    assert crawled.failures == []
    assert running.services["anticaptcha"].created == 30
    bought = [c for c in running.services["capsolver"].calls if c.method == "createTask"]
    assert len(bought) <= 16  # what was under way before the first answer
    assert tasks_at_once(running) == 1


@pytest_twisted.ensureDeferred
async def test_an_account_error_about_a_task_that_is_paid_for_moves_the_page_too() -> None:
    async with sandbox(IN_A_HURRY, **EACH_PAGE) as running:
        running.services["2captcha"].script(Answer("getTaskResult", error="AUTH_FORBIDDEN"))
        crawled = await crawl(running, ["/page/1"], shopping(running, TwoCaptcha, CapMonster))

    assert crawled.paths == ["/page/1"]
    assert crawled.stat("task_count") == 2
    assert crawled.stat("spent") == pytest.approx(0.001 + 0.0006, abs=0.002)
    assert running.services["capmonster"].created == 1


@pytest_twisted.ensureDeferred
async def test_pages_wait_for_the_next_where_that_is_only_busy() -> None:
    services = {"capsolver": {"balance": 0.0}}
    async with sandbox(IN_A_HURRY, services=services, **EACH_PAGE) as running:
        busy = running.services["unified"]
        busy.script(Answer(error="CAPACITY", retry_after=0.5, times=3))
        crawled = await crawl(running, pages(5), shopping(running, CapSolver, Unified))

    assert len(crawled.paths) == 5
    assert busy.created == 5


@pytest.mark.thorough
@pytest_twisted.ensureDeferred
async def test_one_that_is_away_for_a_while_loses_no_page_and_is_asked_again() -> None:
    async def away_for(seconds: float, **how: Any) -> None:
        options = IN_A_HURRY | {"solve_time": 0.3}
        async with sandbox(options, **EACH_PAGE) as running:
            first, second = running.services["unified"], running.services["anticaptcha"]
            away = WhileAway(first, seconds, *failing(**how))
            settings = shopping(running, Unified, AntiCaptcha, CAPTCHA_CONCURRENT_SOLVES=2)
            crawled = await crawl(running, pages(80), settings)
            await away.back

        assert len(crawled.paths) == 80
        assert crawled.failures == []
        assert first.created > 3
        assert second.created > 3
        assert crawled.stat("task_count") == first.created + second.created == 80
        assert tasks_at_once(running) == 1

    await at_once(away_for(3.0, error="CAPACITY"), away_for(5.0, fault="close"))


@pytest_twisted.ensureDeferred
async def test_those_who_wait_at_the_second_go_to_the_first_as_soon_as_it_is_back() -> None:
    async with sandbox(IN_A_HURRY | {"solve_time": 0.3}, **EACH_PAGE) as running:
        first = running.services["unified"]
        away = WhileAway(first, 1.0, *failing(error="CAPACITY", retry_after=0.5))
        settings = shopping(running, Unified, AntiCaptcha, CAPTCHA_CONCURRENT_SOLVES=2)
        crawled = await crawl(running, pages(20), settings)
        await away.back

    assert len(crawled.paths) == 20
    assert first.created > 3


@pytest.mark.thorough
@pytest_twisted.ensureDeferred
async def test_while_all_are_away_there_are_hardly_more_calls_and_no_page_is_lost() -> None:
    async def calls_for_each(seconds: float) -> float:
        async with sandbox(IN_A_HURRY | {"solve_time": 0.1}, **(EACH_PAGE | {"pages": 100})) as it:
            settings = shopping(it, Unified, AntiCaptcha, CAPTCHA_POLL_INTERVAL=0.2)
            back = Deferred.fromCoroutine(out_of_reach(it, seconds)) if seconds else succeed(None)
            crawled = await crawl(it, pages(100), settings)
            await back
        assert len(crawled.paths) == 100
        assert crawled.stat("task_count") == 100
        assert tasks_at_once(it) == 1
        return float(calls(it) + crawled.stat("error_count/NETWORK")) / 100

    healthy, down = await at_once(calls_for_each(0.0), calls_for_each(5.0))
    assert down <= 1.1 * healthy


async def out_of_reach(running: Sandbox, seconds: float) -> None:
    """Nobody listens at the services' port for a while, beginning soon."""
    port = urlsplit(running.api_url).port
    await pause(0.05)
    await running._api.stop_listening()
    await pause(seconds)
    await running._api.listen(port or 0)


def pause(seconds: float) -> Deferred[None]:
    from twisted.internet import reactor

    return deferLater(reactor, seconds, lambda: None)


# Who can do what, and for how much


@pytest_twisted.ensureDeferred
async def test_a_kind_that_one_does_not_take_is_bought_at_the_next_that_does() -> None:
    async with sandbox(IN_A_HURRY, Guard(Kind.HCAPTCHA)) as running:
        crawled = await crawl(running, ["/page/1"], shopping(running, CapSolver, Unified))

    assert crawled.paths == ["/page/1"]
    assert running.services["unified"].created == 1
    assert [call.method for call in running.services["capsolver"].calls] == ["getBalance"]


@pytest_twisted.ensureDeferred
async def test_a_kind_that_nobody_takes_is_dropped_before_a_call() -> None:
    async with sandbox(IN_A_HURRY, Guard(Kind.HCAPTCHA)) as running:
        crawled = await crawl(running, ["/page/1"], shopping(running, CapSolver, AntiCaptcha))

    assert crawled.reasons == ["METHOD_INVALID"]
    assert calls(running) == calls(running, "getBalance") == 2


@pytest_twisted.ensureDeferred
async def test_a_kind_that_a_service_has_given_up_is_asked_for_once() -> None:
    async with sandbox(IN_A_HURRY, **EACH_PAGE) as running:
        first = running.services["capsolver"]
        first.script(Answer(error="METHOD_INVALID", times=None))
        settings = shopping(running, CapSolver, AntiCaptcha, CAPTCHA_CONCURRENT_SOLVES=1)
        crawled = await crawl(running, pages(5), settings)

    assert len(crawled.paths) == 5
    assert sum(call.method == "createTask" for call in first.calls) == 1


@pytest_twisted.ensureDeferred
async def test_the_cheapest_is_asked_once_it_has_told_its_price() -> None:
    services = {"anticaptcha": IN_A_HURRY | {"price": 0.009}, "2captcha": {"price": 0.0001}}
    async with sandbox(IN_A_HURRY, services=services, **EACH_PAGE) as running:
        settings = shopping(running, TwoCaptcha, AntiCaptcha, CapSolver)
        settings |= {"CAPTCHA_PROVIDER_ORDER": "cheapest", "CAPTCHA_CONCURRENT_SOLVES": 1}
        crawled = await crawl(running, pages(8), settings)
        bought = {name: solver.created for name, solver in running.services.items()}

    assert len(crawled.paths) == 8
    assert bought["capsolver"] == 8  # by its list price: the others' are higher
    assert bought["anticaptcha"] == bought["2captcha"] == 0


# Nothing is paid twice


@pytest_twisted.ensureDeferred
async def test_a_purchase_whose_answer_is_lost_is_sent_once_more_to_the_same() -> None:
    async with sandbox(IN_A_HURRY, **EACH_PAGE) as running:
        first, second = running.services["capsolver"], running.services["anticaptcha"]
        first.script(Answer(fault="close", carried_out=True))
        crawled = await crawl(running, ["/page/1"], shopping(running, CapSolver, AntiCaptcha))

    assert crawled.paths == ["/page/1"]
    assert (first.created, second.created) == (2, 0)
    assert crawled.stat("possibly_paid_count") == 1


@pytest_twisted.ensureDeferred
async def test_a_purchase_whose_answer_is_lost_waits_for_its_own_service_to_be_back() -> None:
    async with sandbox(IN_A_HURRY, **EACH_PAGE) as running:
        first, second = running.services["unified"], running.services["anticaptcha"]
        first.script(Answer(fault="close", carried_out=True))
        settings = shopping(running, Unified, AntiCaptcha)
        crawled = await crawl(running, ["/page/1"], settings)

    assert crawled.paths == ["/page/1"]
    assert (first.created, first.resent, second.created) == (1, 1, 0)  # under the same name


@pytest_twisted.ensureDeferred
async def test_it_keeps_its_name_while_nobody_listens() -> None:
    async with sandbox(IN_A_HURRY, **EACH_PAGE) as running:
        first, second = running.services["unified"], running.services["anticaptcha"]
        first.script(Answer(fault="close", carried_out=True))
        crawling = Deferred.fromCoroutine(
            crawl(running, ["/page/1"], shopping(running, Unified, AntiCaptcha))
        )
        while not first.created:
            await pause(0.02)
        await out_of_reach(running, 1.5)
        crawled = await crawling

    assert crawled.paths == ["/page/1"]
    assert crawled.stat("error_count/NETWORK") > 1
    assert (first.created, first.resent, second.created) == (1, 1, 0)


@pytest_twisted.ensureDeferred
async def test_one_whose_answer_is_lost_twice_is_made_at_the_next_and_all_counts_as_paid() -> None:
    async with sandbox(IN_A_HURRY, **EACH_PAGE) as running:
        first, second = running.services["anticaptcha"], running.services["unified"]
        first.script(Answer(fault="close", carried_out=True, times=None))
        settings = shopping(running, AntiCaptcha, Unified)
        crawled = await crawl(running, ["/page/1"], settings)

    assert crawled.paths == ["/page/1"]
    assert (first.created, second.created) == (2, 1)
    assert crawled.stat("possibly_paid_count") == 2
    assert crawled.stat("spent") == pytest.approx(0.002 + AntiCaptcha.prices[Kind.RECAPTCHA_V2])


@pytest_twisted.ensureDeferred
async def test_a_task_whose_time_is_up_is_looked_at_once_more_and_then_bought_anew() -> None:
    async with sandbox(IN_A_HURRY | {"solve_time": 60.0}, **EACH_PAGE) as running:
        first, second = running.services["capsolver"], running.services["anticaptcha"]
        settings = shopping(running, CapSolver, AntiCaptcha, CAPTCHA_SOLVE_TIMEOUT=2.0)
        crawled = await crawl(running, ["/page/1"], settings)

    made = [call for call in first.calls if call.method == "createTask"]
    assert crawled.reasons == ["TIMEOUT"]
    # Two, and on a busy machine more: a call that is cut off by the deadline counts as a failure of
    # the first, and each purchase as a retry.
    assert 2 <= len(made) + second.created <= 1 + Policy().retry_times
    again = [call for call in first.calls if call.task_id == made[0].task_id]
    assert again[-1].at > made[0].at + 2.0 + 0.5
    anew = [call for call in (*made[1:], *second.calls) if call.method == "createTask"]
    assert again[-1].at < anew[0].at


@pytest_twisted.ensureDeferred
async def test_a_task_that_was_late_is_collected_where_it_was_bought() -> None:
    async with sandbox(IN_A_HURRY | {"solve_time": 0.6}, **EACH_PAGE) as running:
        settings = shopping(running, AntiCaptcha, CapSolver, CAPTCHA_SOLVE_TIMEOUT=0.4)
        crawled = await crawl(running, ["/page/1"], settings)

    assert crawled.paths == ["/page/1"]
    assert calls(running, "createTask") == crawled.stat("task_count") == 1
    assert crawled.stat("error_count/TIMEOUT") == 1


@pytest_twisted.ensureDeferred
async def test_a_task_of_one_service_is_never_looked_for_at_another() -> None:
    async with sandbox(IN_A_HURRY | {"solve_time": 0.6}, **EACH_PAGE) as running:
        first, second = running.services["capsolver"], running.services["anticaptcha"]
        settings = shopping(running, CapSolver, AntiCaptcha, CAPTCHA_SOLVE_TIMEOUT=0.4)
        gone = Answer(error="AUTH_FORBIDDEN", times=None)
        first.script(Answer(), gone)  # stopped by another session while the first one waits
        two = [Request(running.site_url + p, meta={"cookiejar": p}) for p in pages(2)]
        crawled = await crawl(running, two, settings)

    assert len(crawled.paths) == 2
    assert {call.task_id for call in second.calls} <= {None, *second.polls}
    assert (first.created, second.created) == (1, 2)


@pytest_twisted.ensureDeferred
async def test_a_task_of_a_service_that_is_not_asked_any_more_is_bought_anew() -> None:
    earlier = {KEY: {"task_id": 74, "provider": "anticaptcha", "purchase_id": "earlier"}}
    async with sandbox(IN_A_HURRY, **EACH_PAGE) as running:
        request = Request(f"{running.site_url}/page/1", meta=earlier)
        crawled = await crawl(running, [request], shopping(running, CapSolver))

    assert crawled.paths == ["/page/1"]
    assert running.services["capsolver"].created == 1
    assert 74 not in {(c.payload or {}).get("taskId") for c in running.services["capsolver"].calls}


# What the site says is reported


@pytest.mark.parametrize(
    ("provider", "good", "bad"),
    [
        (TwoCaptcha, {"reportCorrect"}, {"reportIncorrect"}),
        (CapSolver, {"feedbackTask"}, {"feedbackTask"}),
        (CapMonster, set(), {"reportIncorrectTokenCaptcha"}),
        (AntiCaptcha, set(), {"reportIncorrectRecaptcha"}),
        (Unified, set(), set()),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_the_site_said_is_reported_where_the_service_takes_it_once(
    provider: type[CreateTask], good: set[str], bad: set[str]
) -> None:
    guard = Guard(Kind.RECAPTCHA_V2, Mode.TOKEN, reject_first=2)
    async with sandbox(IN_A_HURRY, guard) as running:
        solver = running.services[provider.name]
        crawled = await crawl(running, ["/page/1"], shopping(running, provider))

    assert crawled.paths == ["/page/1"]
    said = {report.correct for report in solver.reports}
    assert said == ({True} if good else set()) | ({False} if bad else set())
    assert {
        c.method for c in solver.calls if "eport" in c.method or "feed" in c.method
    } == good | bad
    assert len(solver.reports) == crawled.stat("report_count") == bool(good) + 2 * bool(bad)


@pytest.mark.parametrize(("delay", "noted"), [(0.3, 1), (60.0, 0)])
@pytest_twisted.ensureDeferred
async def test_the_end_of_a_crawl_waits_for_the_last_report_but_not_for_long(
    delay: float, noted: int
) -> None:
    async with sandbox(IN_A_HURRY, Guard(Kind.RECAPTCHA_V2, Mode.TOKEN)) as running:
        solver = running.services["2captcha"]
        solver.script(Answer(method="reportCorrect", delay=delay))
        crawled = await crawl(running, ["/page/1"], shopping(running, TwoCaptcha))

    assert crawled.paths == ["/page/1"]
    assert crawled.stat("report_count") == noted
    assert crawled.stat("error_count/TIMEOUT") == 0
