"""Services that answer anything: every conversation ends in what was asked for or a SolverError."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Captcha, Kind, Solution
from scrapy_captcha.providers import PROVIDERS, Order, Reply
from scrapy_captcha.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from scrapy_captcha.providers import Call, Provider

WORDS = [
    "ready",
    "processing",
    "idle",
    "failed",
    "",
    "ERROR_CAPTCHA_UNSOLVABLE",
    "CAPCHA_NOT_READY",
]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)
SOLUTIONS = [
    "token",
    "gRecaptchaResponse",
    "text",
    "cookies",
    "cookie",
    "userAgent",
    "data",
    "domains",
    "validate",
    "challenge",
]
FIELDS = [
    "errorCode",
    "errorDescription",
    "error",
    "message",
    "retryable",
    "retryAfter",
    "cost",
    "createTime",
    "endTime",
    "balance",
]
bodies = st.fixed_dictionaries(
    {},
    optional={
        "errorId": st.sampled_from([0, 0, 0, 1, "0", None]) | values,
        "taskId": st.integers() | st.text(min_size=1, max_size=9) | values,
        "status": st.sampled_from(WORDS) | values,
        "solution": st.fixed_dictionaries({}, optional=dict.fromkeys(SOLUTIONS, values)) | values,
    }
    | dict.fromkeys(FIELDS, values),
)
replies = st.builds(
    Reply,
    st.sampled_from([200, 200, 200, 200, 201, 302, 400, 401, 403, 404, 429, 500, 503]),
    st.sampled_from(
        [{}, {"retry-after": "7"}, {"retry-after": "soon"}, {"date": "x", "retry-after": "-1"}]
    ),
    (bodies | values).map(lambda body: json.dumps(body).encode()) | st.binary(max_size=20),
    st.just(0.0),
)


LOST = None  # a call that gets no answer


def answered(service: Provider, flow: Generator[Call, Any, Any], reply: Reply | None) -> Call:
    """The next call of *flow* after *reply*."""
    if reply is LOST:
        return flow.throw(SolverError(ErrorCode.NETWORK, possibly_paid=True))
    try:
        body = service.read(reply)
    except SolverError as error:
        return flow.throw(error)
    return flow.send(body)


def outcome(service: Provider, order: Order, replies: Sequence[Reply | None]) -> object:
    """What the purchase of *order* ends in; *replies* come round and round."""
    flow = service.solve(order)
    try:
        call = next(flow)
        for number in range(3000):
            assert call.path in ("createTask", "getTaskResult")
            assert call.after >= 0
            call = answered(service, flow, replies[number % len(replies)])
    except StopIteration as stop:
        return stop.value
    except SolverError as error:
        return error
    return "endless"


@pytest.mark.thorough
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=250)
@given(
    name=st.sampled_from(sorted(PROVIDERS)),
    kind=st.sampled_from(Kind),
    said=st.lists(replies | st.just(LOST), min_size=1, max_size=6),
    task_id=st.sampled_from([None, 7, "old"]),
)
def test_a_purchase_ends_in_a_solution_or_a_solver_error(
    name: str, kind: Kind, said: list[Reply | None], task_id: str | int | None
) -> None:
    captcha = Captcha(kind, "https://shop.example/", "k", {"captcha_url": "https://geo.example/"})
    proxy = Proxy("http", "proxy.example", 8080, "user", "secret")
    wanted = Order(captcha, "p", b"GIF89a", proxy, task_id=task_id)
    assert isinstance(
        outcome(PROVIDERS[name](poll_interval=3.0), wanted, said), Solution | SolverError
    )


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("said", [LOST, Reply(200, {}, b'{"status": "processing"}', 0.0)])
def test_a_task_that_never_ends_is_given_up(name: str, said: Reply | None) -> None:
    order = Order(Captcha(Kind.TURNSTILE, "https://shop.example/", "k"), "p", task_id=7)
    error = outcome(PROVIDERS[name](poll_interval=3.0), order, [said])
    assert isinstance(error, SolverError)
    assert (error.code, error.task_id) == (ErrorCode.PROVIDER_TIMEOUT, 7)


@pytest.mark.thorough
@settings(deadline=None, max_examples=100)
@given(name=st.sampled_from(sorted(PROVIDERS)), reply=replies, accepted=st.booleans())
def test_whatever_is_answered_to_a_question_or_a_report_is_read(
    name: str, reply: Reply, accepted: bool
) -> None:
    service = PROVIDERS[name](poll_interval=3.0)
    for flow in (service.balance(), service.report(7, Kind.RECAPTCHA_V2, accepted=accepted)):
        if flow is not None:
            next(flow)
            with suppress(StopIteration, SolverError):
                pytest.fail(f"one more call: {answered(service, flow, reply)}")
