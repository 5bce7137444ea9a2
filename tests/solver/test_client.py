"""The client against a real solver over real sockets: deadlines, limits, faults, cancelling."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, DeferredList
from twisted.internet.task import deferLater

from scrapy_captcha import Captcha, ErrorCode, Kind, SolverClient, SolverError
from scrapy_captcha.policy import Policy
from scrapy_captcha.providers import Order, Unified
from scrapy_captcha.sandbox import Answer, Sandbox, SolverOptions
from scrapy_captcha.solver import purchaser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.interfaces import IReactorTime

    from scrapy_captcha.providers import TaskId

CAPTCHA = Captcha(Kind.TURNSTILE, "http://127.0.0.1/page", "1x00000000000000000000AA")
ORDER = Order(CAPTCHA, "purchase-1")
NO_WAIT = Policy(retry_times=3, max_delay=0.1)


@asynccontextmanager
async def served(
    options: dict[str, Any] | None = None, **client: Any
) -> AsyncIterator[tuple[Sandbox, SolverClient, list[SolverError]]]:
    errors: list[SolverError] = []
    defaults: dict[str, Any] = {"policy": NO_WAIT, "on_error": errors.append}
    async with Sandbox(SolverOptions(**(options or {}))) as sandbox:
        made = SolverClient(
            Unified(poll_interval=0.02),
            api_url=sandbox.api_url,
            api_key=sandbox.api_key,
            **defaults | client,
        )
        try:
            yield sandbox, made, errors
        finally:
            await made.close()
        assert pending_calls() == []


def pending_calls() -> list[Any]:
    from twisted.internet import reactor

    return [call for call in reactor.getDelayedCalls() if "scrapy_captcha.solver" in repr(call)]


async def failure_of(deferred: Any) -> SolverError:
    with pytest.raises(SolverError) as caught:
        await deferred
    return caught.value


@pytest_twisted.ensureDeferred
async def test_a_solution_is_bought() -> None:
    async with served({"solve_time": 0.05}) as (sandbox, client, errors):
        solution = await client.buy(ORDER)

        assert set(solution.answers) == {"token"}
        assert solution.cost == 0.002
        assert sandbox.solver.created == 1
        assert errors == []


@pytest_twisted.ensureDeferred
async def test_the_balance_is_asked_for() -> None:
    async with served({"balance": 3.5}) as (_, client, _errors):
        assert await client.balance() == 3.5


@pytest_twisted.ensureDeferred
async def test_solve_repeats_by_itself_what_may_be_repeated() -> None:
    async with served() as (sandbox, client, errors):
        sandbox.solver.script(Answer(error="CAPACITY"), Answer(error="UNSOLVABLE"))
        solution = await client.solve(CAPTCHA)

        assert solution.task_id is not None
        assert [error.code for error in errors] == [ErrorCode.CAPACITY, ErrorCode.UNSOLVABLE]


@pytest_twisted.ensureDeferred
async def test_solve_fails_with_the_last_error_once_the_tries_are_used_up() -> None:
    async with served() as (sandbox, client, _):
        sandbox.solver.script(Answer(error="UNSOLVABLE", times=None))
        error = await failure_of(client.solve(CAPTCHA))

        assert error.code is ErrorCode.UNSOLVABLE
        assert error.provider == "unified"
        assert len(sandbox.solver.calls) == 4


@pytest.mark.parametrize("fault", ["hang", "drip"])
@pytest.mark.parametrize("method", ["createTask", "getTaskResult"])
@pytest_twisted.ensureDeferred
async def test_one_deadline_holds_over_headers_and_body(fault: str, method: str) -> None:
    async with served(http_timeout=0.2, solve_timeout=0.5) as (sandbox, client, _):
        sandbox.solver.script(Answer(method, fault=fault, times=None))
        begun = time.monotonic()
        error = await failure_of(client.buy(ORDER))

        assert time.monotonic() - begun < 5
        assert error.code is ErrorCode.TIMEOUT
        assert error.possibly_paid == (method == "createTask")
        assert (error.task_id is None) == (method == "createTask")


@pytest_twisted.ensureDeferred
async def test_a_lost_poll_is_repeated_and_nothing_is_bought_again() -> None:
    paid: list[bool] = []

    def noted(error: SolverError) -> None:
        paid.append(error.possibly_paid)

    async with served(http_timeout=0.2, on_error=noted) as (sandbox, client, _):
        faults = ["close", "cut", "hang", "drip", "endless"]
        sandbox.solver.script(*(Answer("getTaskResult", fault=fault) for fault in faults))
        sandbox.solver.script(Answer("getTaskResult", status=502, body=b"<html>Bad Gateway</html>"))
        await client.buy(ORDER)

        assert sandbox.solver.created == 1
        assert paid == [False] * 6


@pytest_twisted.ensureDeferred
async def test_a_task_that_is_solved_at_once_is_told_like_any_other() -> None:
    body = b'{"taskId": 9, "status": "ready", "solution": {"token": "t0k3n"}}'
    told: list[TaskId] = []
    async with served() as (sandbox, client, _):
        sandbox.solver.script(Answer("createTask", status=200, body=body))
        solution = await client.buy(ORDER, told.append)

        assert (solution.task_id, told) == (9, [9])
        await client.buy(ORDER, told.append)
        assert len(told) == 2


@pytest.mark.parametrize("fault", ["close", "cut", "hang"])
@pytest_twisted.ensureDeferred
async def test_a_purchase_whose_answer_is_lost_is_sent_again_under_its_name_once(
    fault: str,
) -> None:
    async with served(http_timeout=0.2) as (sandbox, client, errors):
        sandbox.solver.script(Answer(fault=fault, carried_out=True))
        await client.solve(CAPTCHA)

        assert (sandbox.solver.created, sandbox.solver.resent) == (1, 1)
        assert [error.possibly_paid for error in errors] == [True]

        sandbox.solver.script(Answer(fault=fault, carried_out=True, times=2))
        error = await failure_of(client.solve(CAPTCHA))

        assert error.possibly_paid
        assert (sandbox.solver.created, sandbox.solver.resent) == (2, 2)


@pytest_twisted.ensureDeferred
async def test_a_refused_connection_has_cost_nothing() -> None:
    async with served() as (sandbox, client, _):
        await sandbox.stop()
        error = await failure_of(client.buy(ORDER))

        assert error.code is ErrorCode.NETWORK
        assert not error.possibly_paid


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": b"<html>maintenance</html>"},
        {"status": 200, "body": b""},
        {"status": 200, "body": b"[" * 100_000},
        {"status": 200, "body": b"[1, 2]"},
        {"status": 200, "body": b'{"taskId": true}'},
        {"status": 200, "body": b'{"taskId": ' + b"9" * 5000 + b"}"},
        {"status": 200, "body": b'{"taskId": 1, "pad": "' + b"x" * 1_100_000 + b'"}'},
        {"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}, "body": b""},
        {"status": 303, "headers": {"Location": "/getBalance"}, "body": b""},
        {"status": 500, "body": b"\xff\xfe"},
        {"status": 200, "headers": {"Content-Encoding": "gzip"}, "body": b'{"taskId": 1}'},
    ],
    ids=range(11),
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_understood_is_a_bad_reply(answer: dict[str, Any]) -> None:
    async with served() as (sandbox, client, _):
        sandbox.solver.script(Answer(**answer))
        error = await failure_of(client.buy(ORDER))

        assert error.code is ErrorCode.BAD_REPLY
        assert len(sandbox.solver.calls) == 1


@pytest_twisted.ensureDeferred
async def test_an_endless_body_is_cut_off() -> None:
    async with served(http_timeout=5.0) as (sandbox, client, _):
        sandbox.solver.script(Answer(fault="endless"))
        begun = time.monotonic()
        error = await failure_of(client.buy(ORDER))

        assert error.code is ErrorCode.BAD_REPLY
        assert time.monotonic() - begun < 5


@pytest_twisted.ensureDeferred
async def test_no_more_purchases_run_at_once_than_allowed() -> None:
    async with served({"solve_time": 0.1, "capacity": 3}, concurrent_solves=3) as (
        sandbox,
        client,
        errors,
    ):
        await DeferredList([client.buy(Order(CAPTCHA, str(n))) for n in range(10)])

        assert sandbox.solver.created == 10
        assert errors == []


@pytest_twisted.ensureDeferred
async def test_after_capacity_the_client_keeps_to_what_the_service_takes() -> None:
    async with served({"solve_time": 0.1, "capacity": 3, "retry_after": 0.1}) as (
        sandbox,
        client,
        _errors,
    ):
        solved = await DeferredList([client.solve(CAPTCHA) for _ in range(40)])

        assert all(success for success, _ in solved)
        creates = [call for call in sandbox.solver.calls if call.method == "createTask"]
        assert len(creates) <= 2 * 40


@pytest_twisted.ensureDeferred
async def test_after_an_account_error_nobody_asks_again() -> None:
    async with served(concurrent_solves=2) as (sandbox, client, _):
        sandbox.solver.script(Answer(error="BALANCE_EMPTY", times=None))
        bought = [client.buy(ORDER) for _ in range(40)]
        results: list[Any] = await DeferredList(bought, consumeErrors=True)

        assert {failure.value.code for _, failure in results} == {ErrorCode.BALANCE_EMPTY}
        assert len(sandbox.solver.calls) <= 2


@pytest_twisted.ensureDeferred
async def test_who_waits_for_the_service_is_told_when_it_is_not_asked_any_more() -> None:
    from twisted.internet import reactor

    policy = Policy(max_delay=60)
    async with served(policy=policy) as (sandbox, client, _):
        sandbox.solver.script(Answer(error="CAPACITY", retry_after=60, times=None))
        await failure_of(client.buy(ORDER))
        waiting = client.buy(Order(CAPTCHA, "purchase-2"))
        client.stop(SolverError(ErrorCode.BALANCE_EMPTY))
        waiting.addTimeout(5, cast("IReactorTime", reactor))

        assert (await failure_of(waiting)).code is ErrorCode.BALANCE_EMPTY


@pytest_twisted.ensureDeferred
async def test_cancelling_ends_the_conversation_and_frees_its_place() -> None:
    from twisted.internet import reactor

    async with served({"solve_time": 30}, concurrent_solves=1) as (sandbox, client, errors):
        first, second = client.buy(ORDER), client.buy(Order(CAPTCHA, "purchase-2"))
        await deferLater(reactor, 0.1)
        first.cancel()
        with pytest.raises(CancelledError):
            await first
        await deferLater(reactor, 0.1)

        assert sandbox.solver.created == 2
        assert errors == []
        second.cancel()
        with pytest.raises(CancelledError):
            await second


@pytest_twisted.ensureDeferred
async def test_closing_cancels_what_is_under_way_or_queued() -> None:
    async with served({"solve_time": 30}, concurrent_solves=1) as (_, client, _errors):
        bought = [client.buy(ORDER) for _ in range(5)]
        closing = client.close()
        results: list[Any] = await DeferredList(bought, consumeErrors=True)
        await closing

        assert [failure.check(CancelledError) for _, failure in results] == [CancelledError] * 5


@pytest_twisted.ensureDeferred
async def test_polls_share_connections() -> None:
    async with served({"solve_time": 0.3}) as (sandbox, client, _):
        await client.buy(ORDER)

        assert len(sandbox.solver.calls) > 5
        assert len(sandbox._api.protocols) == 1  # kept alive, and no other opened beside it


def test_the_key_is_not_in_its_repr() -> None:
    client = SolverClient(Unified(poll_interval=1), api_url="http://127.0.0.1:9/", api_key="secret")

    assert repr(client) == "<SolverClient unified at http://127.0.0.1:9>"


@pytest_twisted.ensureDeferred
async def test_a_task_id_that_repeats_the_key_is_not_shown() -> None:
    async with served() as (sandbox, client, _errors):
        assert client.plain(74_000, ORDER) == "74000"
        assert client.plain(f"task of {sandbox.api_key}", ORDER) == ""


@pytest_twisted.ensureDeferred
async def test_what_is_kept_of_an_error_has_no_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame holds on to the page, its form and the conversation."""
    monkeypatch.setattr(purchaser, "_MOST_KEYS", 3)
    async with served() as (sandbox, client, _):
        sandbox.solver.script(
            Answer(error="PROVIDER_SITEKEY", times=5), Answer(error="AUTH_INVALID", times=None)
        )
        for number in range(5):
            page = Captcha(Kind.TURNSTILE, "http://127.0.0.1/page", f"key-{number}")
            assert (await failure_of(client.buy(Order(page, f"purchase-{number}")))).code is (
                ErrorCode.PROVIDER_SITEKEY
            )
        assert (await failure_of(client.buy(ORDER))).code is ErrorCode.AUTH_INVALID

        kept = [*client._purchaser._hopeless, client.refusal]
        assert len(kept) == 3 + 1
        assert all(isinstance(error, SolverError) for error in kept)
        assert [error.__traceback__ for error in kept if error] == [None] * 4
        assert [error.__context__ for error in kept if error] == [None] * 4
        calls = len(sandbox.solver.calls)
        assert (await failure_of(client.buy(Order(page, "again")))).code is (ErrorCode.AUTH_INVALID)
        assert len(sandbox.solver.calls) == calls


@pytest_twisted.ensureDeferred
async def test_what_is_kept_of_a_service_that_does_not_answer_has_no_frames() -> None:
    async with served() as (sandbox, client, _):
        sandbox.solver.script(Answer(fault="close", times=None))
        await failure_of(client.buy(ORDER))

        kept = client._throttle._failure
        assert kept is not None
        assert (kept.__traceback__, kept.__cause__, kept.__context__) == (None, None, None)
