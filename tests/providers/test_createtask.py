"""The conversations with each service, by its own answers, from the first call to the solution."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Captcha, Kind
from scrapy_captcha.providers import PROVIDERS, Call, Order, Reply
from scrapy_captcha.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from scrapy_captcha.models import Solution
    from scrapy_captcha.providers import CreateTask

URL = "https://shop.example/login"
KEY = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
PROXY = Proxy("http", "proxy.example", 8080, "user", "secret")
UUID = "61138bb6-19fb-11ec-a9c8-0242ac110006"

Answer = tuple[int, Any]  # HTTP status, and the body: JSON, or bytes as they are


def provider(name: str) -> CreateTask:
    return cast("CreateTask", PROVIDERS[name](poll_interval=3.0))


def order(kind: Kind = Kind.TURNSTILE, **more: Any) -> Order:
    image = b"GIF89a" if kind is Kind.IMAGE else b""
    parameters = {"captcha_url": "https://geo.example/?cid=c"} if kind is Kind.DATADOME else {}
    return Order(Captcha(kind, URL, KEY, parameters), "p", image=image, **more)


def converse(
    service: CreateTask, flow: Generator[Call, Any, Any], answers: Iterable[Answer]
) -> tuple[Any, list[Call]]:
    """What *flow* returns, and its calls, when the service gives *answers* one after another."""
    calls = [next(flow)]
    for status, body in answers:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            try:
                read = service.read(Reply(status, {}, raw, at=0.0))
            except SolverError as error:
                calls.append(flow.throw(error))
            else:
                calls.append(flow.send(read))
        except StopIteration as stop:
            return stop.value, calls
    raise AssertionError("the conversation is not over")


def solve(
    name: str, answers: Iterable[Answer], wanted: Order | None = None
) -> tuple[Solution, list[Call]]:
    service = provider(name)
    return converse(service, service.solve(wanted or order()), answers)


def fails(name: str, answers: Iterable[Answer], wanted: Order | None = None) -> SolverError:
    with pytest.raises(SolverError) as caught:
        solve(name, answers, wanted)
    return caught.value


CREATED = (200, {"errorId": 0, "taskId": 7})
PROCESSING = (200, {"errorId": 0, "status": "processing"})

# The answers that the services' documentation shows for a widget, in their own form.
DIALECTS: dict[str, tuple[list[Answer], str | int, float | None]] = {
    "unified": (
        [(200, {"taskId": 7}), (200, {"status": "ready", "solution": {"token": "t0k3n"}})],
        7,
        None,
    ),
    "anticaptcha": (
        [
            CREATED,
            PROCESSING,
            (
                200,
                {
                    "errorId": 0,
                    "status": "ready",
                    "solution": {"token": "t0k3n", "userAgent": "Mozilla/5.0"},
                    "cost": "0.002000",
                    "ip": "192.0.2.1",
                    "createTime": 1472205564,
                    "endTime": 1472205570,
                    "solveCount": "0",
                },
            ),
        ],
        7,
        0.002,
    ),
    "2captcha": (
        [
            (200, {"errorId": 0, "taskId": 74372499131}),
            (200, {"errorId": 1, "errorCode": "CAPCHA_NOT_READY"}),
            (
                200,
                {
                    "errorId": 0,
                    "status": "ready",
                    "solution": {"gRecaptchaResponse": "t0k3n", "token": "t0k3n"},
                    "cost": "0.00145",
                    "createTime": 1692863536,
                    "endTime": 1692863556,
                    "solveCount": 1,
                },
            ),
        ],
        74372499131,
        0.00145,
    ),
    "capsolver": (
        [
            (200, {"errorId": 0, "errorCode": "", "status": "idle", "taskId": UUID}),
            (200, {"errorId": 0, "errorCode": "", "status": "idle", "taskId": UUID}),
            (200, {"errorId": 0, "errorCode": "", "status": "processing", "taskId": UUID}),
            (
                200,
                {
                    "errorId": 0,
                    "errorCode": "",
                    "errorDescription": "",
                    "taskId": UUID,
                    "status": "ready",
                    "solution": {"token": "t0k3n", "type": "turnstile", "userAgent": "Mozilla/5.0"},
                },
            ),
        ],
        UUID,
        None,
    ),
    "capmonster": (
        [
            CREATED,
            (500, b""),
            (200, {"errorId": 1, "errorCode": "CAPTCHA_NOT_READY", "errorDescription": None}),
            (200, b""),
            (
                200,
                {
                    "errorId": 0,
                    "errorCode": None,
                    "errorDescription": None,
                    "status": "ready",
                    "solution": {"token": "t0k3n", "userAgent": "Mozilla/5.0"},
                },
            ),
        ],
        7,
        None,
    ),
}
DIALECTS["rucaptcha"] = DIALECTS["generic"] = DIALECTS["2captcha"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_widget_is_solved_in_each_services_own_words(name: str) -> None:
    answers, task_id, cost = DIALECTS[name]
    solution, calls = solve(name, answers)
    assert (solution.answers, solution.task_id) == ({"token": "t0k3n"}, task_id)
    assert solution.cost == cost
    assert [call.path for call in calls] == ["createTask"] + ["getTaskResult"] * (len(answers) - 1)
    assert all(call.payload == {"taskId": task_id} for call in calls[1:])
    assert [call.buys for call in calls] == [True] + [False] * (len(answers) - 1)


@pytest.mark.parametrize("name", PROVIDERS)
def test_no_word_goes_out_that_earns_anybody_a_commission(name: str) -> None:
    service = provider(name)
    for kind in service.tasks:
        for proxy in (None, PROXY):
            if service.takes(order(kind).captcha, proxy):
                call = next(service.solve(order(kind, proxy=proxy)))
                assert set(service.authenticated(call.payload, "key")) == {"clientKey", "task"}
                assert not {"softId", "soft_id", "appId"} & set(
                    cast("dict[str, Any]", call.payload["task"])
                )


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_picture_that_is_read_at_once_needs_no_second_call(name: str) -> None:
    ready = {"errorId": 0, "status": "ready", "taskId": UUID, "solution": {"text": "W9H5K"}}
    solution, calls = solve(name, [(200, ready)], order(Kind.IMAGE))
    assert (solution.answers, solution.task_id, len(calls)) == ({"text": "W9H5K"}, UUID, 1)


def test_a_solution_at_once_needs_no_task() -> None:
    ready = {"errorId": 0, "status": "ready", "solution": {"text": "W9H5K"}}
    solution, _ = solve("capsolver", [(200, ready)], order(Kind.IMAGE))
    assert (solution.answers, solution.task_id) == ({"text": "W9H5K"}, None)


@pytest.mark.parametrize("status", [200, 400, 401])
def test_errors_are_read_with_whatever_status_they_come(status: int) -> None:
    body = {"errorId": 1, "errorCode": "ERROR_KEY_DENIED_ACCESS", "errorDescription": "wrong"}
    error = fails("capsolver", [(status, body)])
    assert (error.code, error.possibly_paid, error.task_id) == (ErrorCode.AUTH_INVALID, False, None)


@pytest.mark.parametrize("name", [n for n in PROVIDERS if n != "unified"])
def test_a_purchase_whose_answer_says_nothing_may_be_paid(name: str) -> None:
    for answer in [(200, b""), (502, b"<html>"), (200, {"errorId": 0})]:
        error = fails(name, [answer])
        assert (error.code, error.possibly_paid) == (ErrorCode.BAD_REPLY, True)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_task_that_failed_without_an_error_was_not_solvable(name: str) -> None:
    error = fails(name, [CREATED, (200, {"errorId": 0, "status": "failed"})])
    assert (error.code, error.retryable, error.task_id) == (ErrorCode.UNSOLVABLE, True, 7)


def test_a_poll_that_fails_with_an_unknown_word_and_500_is_repeated() -> None:
    odd = (500, {"errorId": 1, "errorCode": "ERROR_INTERNAL"})
    ready = (200, {"errorId": 0, "status": "ready", "solution": {"token": "t0k3n"}})
    solution, calls = solve("capmonster", [CREATED, odd, odd, ready])
    assert (solution.task_id, len(calls)) == (7, 4)
    assert fails("capmonster", [CREATED, (400, odd[1])]).code is ErrorCode.UNKNOWN


def test_a_service_that_is_polled_too_fast_is_polled_later() -> None:
    busy = (200, {"errorId": 1, "errorCode": "ERROR_TOO_MUCH_REQUESTS"})
    ready = (200, {"errorId": 0, "status": "ready", "solution": {"token": "t0k3n"}})
    _, calls = solve("capmonster", [CREATED, busy, ready])
    assert calls[2].after == 5.0


@pytest.mark.parametrize("name", [n for n in PROVIDERS if n != "unified"])
def test_a_task_of_an_earlier_run_is_looked_at_at_once_and_bought_anew_when_gone(name: str) -> None:
    gone = (200, {"errorId": 16, "errorCode": "ERROR_NO_SUCH_CAPCHA_ID"})
    ready = (200, {"errorId": 0, "status": "ready", "solution": {"token": "t0k3n"}})
    solution, calls = solve(name, [ready], order(task_id="old"))
    assert (solution.task_id, calls[0].after, len(calls)) == ("old", 0.0, 1)
    solution, calls = solve(name, [gone, CREATED, ready], order(task_id="old"))
    assert [call.path for call in calls] == ["getTaskResult", "createTask", "getTaskResult"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_balance_is_read(name: str) -> None:
    service = provider(name)
    balance, calls = converse(service, service.balance(), [(200, {"errorId": 0, "balance": 12.5})])
    assert (balance, calls) == (12.5, [Call("getBalance", {})])


V2, V3, IMAGE = Kind.RECAPTCHA_V2, Kind.RECAPTCHA_V3, Kind.IMAGE
REPORTS: list[tuple[str, Kind, bool, str | None]] = [
    ("unified", V2, False, None),
    ("generic", V2, False, None),
    ("anticaptcha", V2, False, "reportIncorrectRecaptcha"),
    ("anticaptcha", V2, True, None),
    ("anticaptcha", V3, True, "reportCorrectRecaptcha"),
    ("anticaptcha", IMAGE, False, "reportIncorrectImageCaptcha"),
    ("anticaptcha", IMAGE, True, None),
    ("anticaptcha", Kind.TURNSTILE, False, None),
    ("2captcha", V2, False, "reportIncorrect"),
    ("2captcha", IMAGE, True, "reportCorrect"),
    ("rucaptcha", Kind.TURNSTILE, True, "reportCorrect"),
    ("capsolver", Kind.TURNSTILE, False, "feedbackTask"),
    ("capsolver", V2, True, "feedbackTask"),
    ("capmonster", IMAGE, False, "reportIncorrectImageCaptcha"),
    ("capmonster", Kind.TURNSTILE, False, "reportIncorrectTokenCaptcha"),
    ("capmonster", Kind.TURNSTILE, True, None),
]


@pytest.mark.parametrize(("name", "kind", "accepted", "path"), REPORTS)
def test_a_site_s_word_is_reported_where_the_service_wants_it(
    name: str, kind: Kind, accepted: bool, path: str | None
) -> None:
    service = provider(name)
    flow = service.report(7, kind, accepted=accepted)
    if path is None:
        assert flow is None
        return
    assert flow is not None
    noted, calls = converse(service, flow, [(200, {"errorId": 0, "status": "success"})])
    result = {"result": {"invalid": not accepted}} if name == "capsolver" else {}
    assert (noted, calls) == (True, [Call(path, {"taskId": 7, **result}, task_id=7)])


@pytest.mark.parametrize("name", ["anticaptcha", "2captcha", "capsolver", "capmonster"])
def test_a_report_that_is_refused_is_no_error(name: str) -> None:
    service = provider(name)
    flow = service.report(7, V2, accepted=False)
    assert flow is not None
    refused = (200, {"errorId": 16, "errorCode": "ERROR_NO_SUCH_CAPCHA_ID"})
    assert converse(service, flow, [refused])[0] is False


def test_reports_count_within_the_services_windows_only() -> None:
    windows = {name: PROVIDERS[name].report_window for name in PROVIDERS}
    assert windows == {
        "unified": None,
        "anticaptcha": 60.0,
        "2captcha": None,
        "rucaptcha": None,
        "capsolver": 300.0,
        "capmonster": 300.0,
        "generic": None,
    }


def test_each_service_has_its_address_but_those_that_only_the_user_knows() -> None:
    without = {name for name, service in PROVIDERS.items() if not service.base_url}
    assert without == {"unified", "generic"}
    assert all(p.base_url.startswith("https://") for n, p in PROVIDERS.items() if n not in without)
    assert {name: service.name for name, service in PROVIDERS.items()} == {n: n for n in PROVIDERS}


@pytest.mark.parametrize("name", ["anticaptcha", "2captcha", "capsolver", "capmonster"])
def test_prices_are_those_of_one_solution(name: str) -> None:
    service = provider(name)
    assert set(service.prices) <= set(service.tasks)
    assert all(0 < price < 0.1 for price in service.prices.values())
    assert service.price(V2) == service.prices[V2]
    assert service.price(Kind.PERIMETERX) is None
