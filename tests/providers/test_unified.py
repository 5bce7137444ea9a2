"""The unified API's conversations, driven by hand: what is asked, when, and what ends them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Captcha, Kind, Solution
from scrapy_captcha.providers import Call, Order, Reply, Unified
from scrapy_captcha.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.providers import Flow, TaskType

URL = "https://example.com/login"
KEY = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64)"
PROXY = Proxy("http", "proxy.example", 8080, "user", "secret")
PROXY_FIELDS = {
    "proxyType": "http",
    "proxyAddress": "proxy.example",
    "proxyPort": 8080,
    "proxyLogin": "user",
    "proxyPassword": "secret",
}
POLL = 3.0


def captcha(kind: Kind, **parameters: Any) -> Captcha:
    return Captcha(kind, URL, None if kind is Kind.IMAGE else KEY, parameters)


def order(wanted: Captcha, **more: Any) -> Order:
    return Order(wanted, "purchase-1", **more)


def task(wanted: Captcha, **more: Any) -> dict[str, object]:
    return Unified(poll_interval=POLL).task(order(wanted, **more))


PAGE = {"websiteURL": URL, "websiteKey": KEY}

# kind: the task without a proxy, and the type that takes one
PLAIN: dict[Kind, tuple[dict[str, object], str | None]] = {
    Kind.RECAPTCHA_V2: ({"type": "RecaptchaV2TaskProxyless", **PAGE}, "RecaptchaV2Task"),
    Kind.RECAPTCHA_V2_ENTERPRISE: (
        {"type": "RecaptchaV2EnterpriseTaskProxyless", **PAGE},
        "RecaptchaV2EnterpriseTask",
    ),
    Kind.RECAPTCHA_V3: ({"type": "RecaptchaV3TaskProxyless", **PAGE, "minScore": 0.3}, None),
    Kind.RECAPTCHA_V3_ENTERPRISE: (
        {"type": "RecaptchaV3TaskProxyless", **PAGE, "minScore": 0.3, "isEnterprise": True},
        None,
    ),
    Kind.HCAPTCHA: ({"type": "HCaptchaTaskProxyless", **PAGE}, "HCaptchaTask"),
    Kind.TURNSTILE: ({"type": "TurnstileTaskProxyless", **PAGE}, "TurnstileTask"),
    Kind.GEETEST_V3: (
        {"type": "GeeTestTaskProxyless", "websiteURL": URL, "gt": KEY},
        "GeeTestTask",
    ),
    Kind.GEETEST_V4: (
        {
            "type": "GeeTestTaskProxyless",
            "websiteURL": URL,
            "gt": KEY,
            "version": 4,
            "initParameters": {"captcha_id": KEY},
        },
        "GeeTestTask",
    ),
    Kind.FUNCAPTCHA: (
        {"type": "FunCaptchaTaskProxyless", "websiteURL": URL, "websitePublicKey": KEY},
        "FunCaptchaTask",
    ),
    Kind.AMAZON_WAF: ({"type": "AmazonTaskProxyless", **PAGE}, "AmazonTask"),
    Kind.MTCAPTCHA: ({"type": "MtCaptchaTaskProxyless", **PAGE}, "MtCaptchaTask"),
    Kind.FRIENDLY_CAPTCHA: (
        {"type": "FriendlyCaptchaTaskProxyless", **PAGE},
        "FriendlyCaptchaTask",
    ),
    Kind.YANDEX_SMARTCAPTCHA: (
        {"type": "YandexSmartCaptchaTaskProxyless", **PAGE},
        "YandexSmartCaptchaTask",
    ),
    Kind.IMAGE: ({"type": "ImageToTextTask", "body": "R0lGODlh"}, None),
}

# kind: the page's parameters, and the fields that they become
FULL: dict[Kind, tuple[dict[str, Any], dict[str, object]]] = {
    Kind.RECAPTCHA_V2: (
        {"invisible": True, "data_s": "once", "api_domain": "www.recaptcha.net"},
        {"isInvisible": True, "recaptchaDataSValue": "once", "apiDomain": "www.recaptcha.net"},
    ),
    Kind.RECAPTCHA_V2_ENTERPRISE: (
        {"invisible": False, "data_s": "once", "api_domain": "www.recaptcha.net"},
        {
            "isInvisible": False,
            "enterprisePayload": {"s": "once"},
            "apiDomain": "www.recaptcha.net",
        },
    ),
    Kind.RECAPTCHA_V3: (
        {"action": "login", "min_score": 0.7, "api_domain": "www.recaptcha.net"},
        {"pageAction": "login", "minScore": 0.7, "apiDomain": "www.recaptcha.net"},
    ),
    Kind.RECAPTCHA_V3_ENTERPRISE: (
        {"action": "login", "min_score": 0.9},
        {"pageAction": "login", "minScore": 0.9},
    ),
    Kind.HCAPTCHA: ({"invisible": True}, {"isInvisible": True}),
    Kind.TURNSTILE: (
        {"action": "managed", "cdata": "c", "page_data": "p"},
        {"action": "managed", "data": "c", "pagedata": "p"},
    ),
    Kind.GEETEST_V3: (
        {"challenge": "c", "api_server": "api.geetest.com"},
        {"challenge": "c", "geetestApiServerSubdomain": "api.geetest.com"},
    ),
    Kind.GEETEST_V4: (
        {"api_server": "gcaptcha4.geetest.com"},
        {"geetestApiServerSubdomain": "gcaptcha4.geetest.com"},
    ),
    Kind.FUNCAPTCHA: (
        {"api_server": "client-api.arkoselabs.com", "blob": '{"blob": "b"}'},
        {"funcaptchaApiJSSubdomain": "client-api.arkoselabs.com", "data": '{"blob": "b"}'},
    ),
    Kind.AMAZON_WAF: (
        {
            "iv": "i",
            "context": "c",
            "challenge_script": "https://e.example/challenge.js",
            "captcha_script": "https://e.example/captcha.js",
        },
        {
            "iv": "i",
            "context": "c",
            "challengeScript": "https://e.example/challenge.js",
            "captchaScript": "https://e.example/captcha.js",
        },
    ),
    Kind.MTCAPTCHA: ({}, {}),
    Kind.FRIENDLY_CAPTCHA: ({}, {}),
    Kind.YANDEX_SMARTCAPTCHA: ({}, {}),
    Kind.IMAGE: ({}, {}),
}

# The tasks that have a field for the user agent.
TAKES_USER_AGENT = {
    Kind.RECAPTCHA_V2,
    Kind.RECAPTCHA_V2_ENTERPRISE,
    Kind.TURNSTILE,
    Kind.GEETEST_V3,
    Kind.GEETEST_V4,
    Kind.FUNCAPTCHA,
    Kind.YANDEX_SMARTCAPTCHA,
}


def picture(kind: Kind) -> bytes:
    return b"GIF89a" if kind is Kind.IMAGE else b""


@pytest.mark.parametrize("kind", Unified.tasks)
def test_each_kind_is_described_as_the_service_wants_it(kind: Kind) -> None:
    assert task(captcha(kind), image=picture(kind)) == PLAIN[kind][0]


@pytest.mark.parametrize("kind", Unified.tasks)
def test_each_kind_is_described_for_a_solution_through_the_callers_proxy(kind: Kind) -> None:
    plain, proxied = PLAIN[kind]
    expected = plain | PROXY_FIELDS | {"type": proxied} if proxied else plain
    assert task(captcha(kind), image=picture(kind), proxy=PROXY) == expected


@pytest.mark.parametrize("kind", Unified.tasks)
def test_what_the_page_tells_goes_into_the_description(kind: Kind) -> None:
    parameters, fields = FULL[kind]
    wanted = captcha(kind, **parameters)
    assert task(wanted, image=picture(kind)) == PLAIN[kind][0] | fields


@pytest.mark.parametrize("kind", Unified.tasks)
def test_the_user_agent_goes_where_the_service_has_a_field_for_it(kind: Kind) -> None:
    agent = {"userAgent": USER_AGENT} if kind in TAKES_USER_AGENT else {}
    described = task(captcha(kind), image=picture(kind), user_agent=USER_AGENT)
    assert described == PLAIN[kind][0] | agent


def test_a_parameter_that_a_kind_does_not_know_is_left_out() -> None:
    assert task(captcha(Kind.MTCAPTCHA, action="login")) == PLAIN[Kind.MTCAPTCHA][0]


def test_a_proxy_without_credentials_sends_none() -> None:
    described = task(captcha(Kind.TURNSTILE), proxy=Proxy("socks5", "::1", 1080))
    assert described == {
        "type": "TurnstileTask",
        **PAGE,
        "proxyType": "socks5",
        "proxyAddress": "::1",
        "proxyPort": 1080,
    }


@pytest.mark.parametrize("kind", Unified.tasks)
def test_describing_changes_no_table(kind: Kind) -> None:
    full = captcha(kind, **FULL[kind][0])
    task(full, image=b"x", proxy=PROXY, user_agent=USER_AGENT)
    assert task(captcha(kind), image=picture(kind)) == PLAIN[kind][0]


def test_a_kind_without_a_row_is_refused() -> None:
    class Narrow(Unified):
        tasks: Mapping[Kind, TaskType] = {}  # type: ignore[misc]

    with pytest.raises(SolverError) as caught:
        Narrow(poll_interval=POLL).task(order(captcha(Kind.HCAPTCHA)))
    assert caught.value.code is ErrorCode.METHOD_INVALID


def test_the_key_goes_into_the_body_and_nowhere_else() -> None:
    payload = {"taskId": 1}
    body = Unified(poll_interval=POLL).authenticated(payload, "sesame")
    assert body == {"clientKey": "sesame", "taskId": 1}
    assert payload == {"taskId": 1}


WANTED = captcha(Kind.TURNSTILE)
TASK = PLAIN[Kind.TURNSTILE][0]
READY = {"status": "ready", "solution": {"token": "t0k3n"}, "cost": "0.001"}
PROCESSING = {"status": "processing"}
CREATE = Call("createTask", {"task": TASK}, {"Idempotency-Key": "purchase-1"}, buys=True)


def poll(after: float, task_id: str | int = 7) -> Call:
    return Call("getTaskResult", {"taskId": task_id}, after=after, task_id=task_id)


def solving(**more: Any) -> Flow:
    return Unified(poll_interval=POLL).solve(order(WANTED, **more))


def finish(flow: Flow, body: Mapping[str, object]) -> Solution:
    with pytest.raises(StopIteration) as stop:
        flow.send(body)
    solution: Solution = stop.value.value
    return solution


def test_a_purchase_is_created_polled_and_read() -> None:
    flow = solving()
    assert next(flow) == CREATE
    assert flow.send({"taskId": 7}) == poll(POLL)
    assert flow.send(PROCESSING) == poll(POLL)
    assert flow.send(PROCESSING) == poll(POLL)
    assert finish(flow, READY) == Solution({"token": "t0k3n"}, task_id=7, cost=0.001)


def test_the_same_order_is_the_same_purchase_and_another_is_not() -> None:
    again = next(solving())
    other = next(Unified(poll_interval=POLL).solve(Order(WANTED, "purchase-2")))
    assert again == CREATE
    assert other.headers == {"Idempotency-Key": "purchase-2"}


@pytest.mark.parametrize("task_id", [1, 2**40, "a-b-c", 0])
def test_a_task_is_named_by_a_number_or_a_word(task_id: str | int) -> None:
    flow = solving()
    next(flow)
    assert flow.send({"taskId": task_id}) == poll(POLL, task_id)
    assert finish(flow, READY).task_id == task_id


@pytest.mark.parametrize("task_id", [None, "", True, False, 1.5, [7], {"id": 7}])
def test_a_purchase_without_a_name_for_the_task_may_be_paid_and_is_of_no_use(
    task_id: object,
) -> None:
    flow = solving()
    next(flow)
    with pytest.raises(SolverError) as caught:
        flow.send({"taskId": task_id})
    error = caught.value
    assert (error.code, error.possibly_paid, error.task_id) == (ErrorCode.BAD_REPLY, True, None)


@pytest.mark.parametrize("code", ErrorCode)
def test_an_error_in_answer_to_a_purchase_ends_it_as_it_is(code: ErrorCode) -> None:
    flow = solving()
    next(flow)
    error = SolverError(code, possibly_paid=True)
    with pytest.raises(SolverError) as caught:
        flow.throw(error)
    assert caught.value is error
    assert (error.task_id, error.possibly_paid) == (None, True)


def polling() -> Flow:
    flow = solving()
    next(flow)
    flow.send({"taskId": 7})
    return flow


LOST = [ErrorCode.NETWORK, ErrorCode.TIMEOUT, ErrorCode.BAD_REPLY]
FINAL = [c for c in ErrorCode if c not in {*LOST, ErrorCode.CAPACITY}]


@pytest.mark.parametrize("code", LOST)
def test_a_lost_poll_is_repeated_on_the_same_task(code: ErrorCode) -> None:
    flow = polling()
    status = 502 if code is ErrorCode.BAD_REPLY else None
    for _ in range(20):
        lost = SolverError(code, possibly_paid=True, http_status=status)
        assert flow.throw(lost) == poll(POLL)
    assert finish(flow, READY).task_id == 7


@pytest.mark.parametrize("status", [None, 200])
def test_five_answers_in_a_row_that_nobody_understands_end_the_task(status: int | None) -> None:
    flow = polling()
    for _ in range(2):
        for _ in range(4):
            flow.throw(SolverError(ErrorCode.BAD_REPLY, http_status=status))
        flow.send(PROCESSING)
    for _ in range(4):
        flow.throw(SolverError(ErrorCode.BAD_REPLY, http_status=status))
    with pytest.raises(SolverError) as raised:
        flow.throw(SolverError(ErrorCode.BAD_REPLY, http_status=status))
    assert raised.value.task_id == 7


@pytest.mark.parametrize(("asked", "after"), [(None, POLL), (1.0, POLL), (9.0, 9.0)])
@pytest.mark.parametrize("code", [ErrorCode.BAD_REPLY, ErrorCode.CAPACITY])
def test_the_next_poll_waits_as_long_as_the_service_asked_but_no_less_than_usual(
    code: ErrorCode, asked: float | None, after: float
) -> None:
    flow = polling()
    assert flow.throw(SolverError(code, retry_after=asked)) == poll(after)
    assert flow.send(PROCESSING) == poll(POLL)


@pytest.mark.parametrize("code", FINAL)
def test_any_other_error_of_a_poll_ends_the_task_and_names_it(code: ErrorCode) -> None:
    flow = polling()
    error = SolverError(code, retryable=True, possibly_paid=True)
    with pytest.raises(SolverError) as caught:
        flow.throw(error)
    assert caught.value is error
    assert (error.task_id, error.possibly_paid) == (7, False)


def test_a_busy_service_is_polled_twice_more_and_then_the_task_is_over() -> None:
    flow = polling()
    assert flow.throw(SolverError(ErrorCode.CAPACITY, retry_after=5.0)) == poll(5.0)
    assert flow.throw(SolverError(ErrorCode.CAPACITY, retry_after=8.0)) == poll(8.0)
    with pytest.raises(SolverError) as caught:
        flow.throw(SolverError(ErrorCode.CAPACITY, retry_after=5.0))
    assert (caught.value.code, caught.value.task_id) == (ErrorCode.CAPACITY, 7)


@pytest.mark.parametrize("code", FINAL)
def test_an_error_that_follows_a_busy_poll_ends_the_task_all_the_same(code: ErrorCode) -> None:
    flow = polling()
    flow.throw(SolverError(ErrorCode.CAPACITY, retry_after=5.0))
    with pytest.raises(SolverError) as caught:
        flow.throw(SolverError(code))
    assert (caught.value.code, caught.value.task_id) == (code, 7)


def test_a_busy_poll_may_be_followed_by_the_solution() -> None:
    flow = polling()
    flow.throw(SolverError(ErrorCode.CAPACITY))
    assert finish(flow, READY).task_id == 7


def test_a_solution_that_cannot_be_read_ends_the_task_and_names_it() -> None:
    flow = polling()
    with pytest.raises(SolverError) as caught:
        flow.send({"status": "ready", "solution": {"token": "a b"}})
    error = caught.value
    assert (error.code, error.task_id, error.possibly_paid) == (ErrorCode.BAD_REPLY, 7, False)


def test_a_task_from_an_earlier_run_is_collected_at_once_without_buying() -> None:
    flow = solving(task_id="old")
    assert next(flow) == poll(0.0, "old")
    assert flow.send(PROCESSING) == poll(POLL, "old")
    assert finish(flow, READY).task_id == "old"


def test_a_task_from_an_earlier_run_that_is_gone_is_bought_anew_once() -> None:
    flow = solving(task_id="old")
    next(flow)
    assert flow.throw(SolverError(ErrorCode.NOT_FOUND)) == CREATE
    assert flow.send({"taskId": 8}) == poll(POLL, 8)
    with pytest.raises(SolverError) as caught:
        flow.throw(SolverError(ErrorCode.NOT_FOUND))
    assert (caught.value.code, caught.value.task_id) == (ErrorCode.NOT_FOUND, 8)


@pytest.mark.parametrize("code", [c for c in FINAL if c is not ErrorCode.NOT_FOUND])
def test_any_other_error_about_a_task_from_an_earlier_run_buys_nothing(code: ErrorCode) -> None:
    flow = solving(task_id="old")
    next(flow)
    with pytest.raises(SolverError) as caught:
        flow.throw(SolverError(code))
    assert (caught.value.code, caught.value.task_id) == (code, "old")


@pytest.mark.parametrize("value", [1.5, "1.5"])
def test_the_balance_is_one_call(value: object) -> None:
    flow = Unified(poll_interval=POLL).balance()
    assert next(flow) == Call("getBalance", {})
    with pytest.raises(StopIteration) as stop:
        flow.send({"balance": value})
    assert stop.value.value == 1.5


@pytest.mark.parametrize("body", [{}, {"balance": None}, {"balance": "much"}, {"balance": True}])
def test_a_balance_that_is_no_number_is_a_bad_reply(body: dict[str, object]) -> None:
    flow = Unified(poll_interval=POLL).balance()
    next(flow)
    with pytest.raises(SolverError) as caught:
        flow.send(body)
    assert (caught.value.code, caught.value.possibly_paid) == (ErrorCode.BAD_REPLY, False)


def answer(body: bytes, status: int = 200, **headers: str) -> Mapping[str, object]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Unified(poll_interval=POLL).read(Reply(status, names, body, at=0.0))


def test_a_success_is_read_as_its_object() -> None:
    assert answer(b'{"taskId": 7}') == {"taskId": 7}


def test_an_error_is_raised_with_all_that_the_answer_says() -> None:
    body = {"error": "CAPACITY", "message": "busy", "retryable": True, "retryAfter": 5}
    with pytest.raises(SolverError) as caught:
        answer(json.dumps(body).encode(), 429, retry_after="9")
    error = caught.value
    assert (error.code, error.message, error.retryable) == (ErrorCode.CAPACITY, "busy", True)
    assert (error.retry_after, error.http_status) == (9.0, 429)


def test_an_http_date_is_measured_from_the_arrival_of_the_answer() -> None:
    with pytest.raises(SolverError) as caught:
        answer(b"{}", 429, retry_after="Thu, 01 Jan 1970 00:00:30 GMT")
    assert caught.value.retry_after == 30.0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"9" * 5000,
        b"[]",
        b'"ok"',
        b"null",
        b'{"taskId": 7',
    ],
    ids=lambda body: repr(body[:9]),
)
def test_a_body_that_is_no_object_is_a_bad_reply(body: bytes) -> None:
    with pytest.raises(SolverError) as caught:
        answer(body)
    error = caught.value
    assert (error.code, error.http_status) == (ErrorCode.BAD_REPLY, 200)
    assert error.possibly_paid
