"""What services put up with, and what they charge and pay back, by a clock that is set by hand."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox import Answer, SolverOptions
from scrapy_captcha.sandbox.dialects import DIALECTS
from scrapy_captcha.sandbox.purchases import Report
from scrapy_captcha.sandbox.solver import Solver
from scrapy_captcha.sandbox.tokens import TokenBook

BOX = {"websiteURL": "http://127.0.0.1/page/1", "websiteKey": "6Le"}
TYPES = {"capsolver": "ReCaptchaV2TaskProxyLess"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Client:
    """Calls a solver without a network between them."""

    def __init__(self, service: str, **options: Any) -> None:
        self.clock = Clock()
        book = TokenBook(60, self.clock)
        self.solver = Solver(SolverOptions(**options), book, DIALECTS[service])
        self.type = TYPES.get(service, "RecaptchaV2TaskProxyless")

    def call(self, method: str, **payload: object) -> Any:
        whole = {"clientKey": "sandbox-key", **payload}
        call = self.solver.receive(method, whole, {})
        rule = self.solver.rule_for(call)
        reply = self.solver.scripted(call, rule) if rule else self.solver.answer(call)
        return json.loads(reply.body)

    def buy(self, **task: object) -> Any:
        return self.call("createTask", task={"type": self.type, **BOX, **task})["taskId"]

    def poll(self, task_id: object) -> str:
        answer = self.call("getTaskResult", taskId=task_id)
        return str(answer.get("errorCode") or answer["status"])

    def report(self, method: str, task_id: object, **payload: object) -> str:
        answer = self.call(method, taskId=task_id, **payload)
        return str(answer.get("errorCode") or answer.get("status") or answer["message"])


def test_capmonster_is_not_polled_more_often_than_every_two_seconds() -> None:
    client = Client("capmonster", solve_time=60)
    task_id, other = client.buy(), client.buy()
    said = [client.poll(task_id)]
    for seconds in (1.9, 2.0):
        client.clock.now += seconds
        said.append(client.poll(task_id))
    assert said == ["processing", "ERROR_TOO_MUCH_REQUESTS", "processing"]
    assert client.poll(other) == "processing"


def test_the_interval_between_polls_can_be_set() -> None:
    client = Client("capmonster", solve_time=60, poll_interval=0)
    task_id = client.buy()
    assert [client.poll(task_id) for _ in range(3)] == ["processing"] * 3
    client = Client("2captcha", poll_interval=5)
    task_id = client.buy()
    assert [client.poll(task_id) for _ in range(2)] == ["ready", "ERROR_NO_SLOT_AVAILABLE"]


@pytest.mark.parametrize(
    ("service", "word"),
    [("capsolver", "ERROR_TASKID_INVALID"), ("capmonster", "ERROR_TOO_MUCH_REQUESTS")],
)
def test_a_task_is_polled_120_times_at_most(service: str, word: str) -> None:
    client = Client(service, solve_time=100, poll_interval=0)
    task_id = client.buy()
    assert {client.poll(task_id) for _ in range(120)} <= {"idle", "processing"}
    assert client.poll(task_id) == word


@pytest.mark.parametrize(
    ("service", "seconds", "word"),
    [
        ("anticaptcha", 60, "ERROR_NO_SUCH_CAPCHA_ID"),
        ("capsolver", 300, "ERROR_TASKID_INVALID"),
        ("capmonster", 300, "ERROR_NO_SUCH_CAPCHA_ID"),
    ],
)
def test_a_solution_is_kept_for_a_while(service: str, seconds: float, word: str) -> None:
    client = Client(service, solve_time=10)
    task_id = client.buy()
    client.clock.now += 10 + seconds - 1
    assert client.poll(task_id) == "ready"
    client.clock.now += 1
    assert client.poll(task_id) == word


def test_capsolver_gives_up_after_two_minutes_and_takes_nothing() -> None:
    client = Client("capsolver", solve_time=130)
    task_id = client.buy()
    client.clock.now += 119
    assert client.poll(task_id) == "idle"
    client.clock.now += 1
    assert client.poll(task_id) == "ERROR_TASK_TIMEOUT"
    assert (client.solver.spent, client.solver.refunded) == (0, 0.002)


@pytest.mark.parametrize(
    ("service", "spent"),
    [("anticaptcha", 0.002), ("2captcha", 0), ("capmonster", 0.002), ("unified", 0.002)],
)
def test_some_services_charge_for_what_they_did_not_solve(service: str, spent: float) -> None:
    client = Client(service)
    picture = base64.b64encode(bytes(200)).decode()
    task_id = client.buy(type="ImageToTextTask", body=picture)
    for _ in range(2):
        client.call("getTaskResult", taskId=task_id)
    assert client.solver.spent == spent


def test_a_scripted_failure_is_paid_back_as_a_real_one_is() -> None:
    client = Client("2captcha")
    client.solver.script(Answer(method="getTaskResult", error="UNSOLVABLE"))
    task_id = client.buy()
    assert client.poll(task_id) == "ERROR_CAPTCHA_UNSOLVABLE"
    assert (client.solver.created, client.solver.spent, client.solver.balance) == (1, 0, 10)


def test_kinds_have_their_prices() -> None:
    prices = {Kind.TURNSTILE: 0.0012, Kind.RECAPTCHA_V2: 0.00095}
    client = Client("2captcha", price=1.0, prices=prices)
    client.buy()
    client.buy(type="TurnstileTaskProxyless")
    assert client.solver.spent == 0.00215


def test_2captcha_pays_back_what_is_reported_as_incorrect_once() -> None:
    client = Client("2captcha")
    good, bad = client.buy(), client.buy()
    assert client.report("reportCorrect", good) == "success"
    assert [client.report("reportIncorrect", bad) for _ in range(2)] == ["success"] * 2
    assert client.solver.reports == [
        Report(good, correct=True, refunded=False),
        Report(bad, correct=False, refunded=True),
        Report(bad, correct=False, refunded=False),
    ]
    assert (client.solver.spent, client.solver.refunded) == (0.002, 0.002)


def test_anticaptcha_takes_one_report_within_a_minute_and_of_the_right_kind() -> None:
    client, unknown = Client("anticaptcha", solve_time=10), "ERROR_NO_SUCH_CAPCHA_ID"
    first, second = client.buy(), client.buy()
    assert client.report("reportIncorrectRecaptcha", first) == unknown
    client.clock.now += 69
    assert client.report("reportIncorrectImageCaptcha", first) == unknown
    said = [client.report("reportCorrectRecaptcha", first) for _ in range(2)]
    assert said == ["success", unknown]
    client.clock.now += 1
    assert client.report("reportIncorrectRecaptcha", second) == unknown
    assert client.solver.reports == [Report(first, correct=True, refunded=False)]


def test_capsolver_is_told_in_a_field_what_a_solution_was_worth() -> None:
    client = Client("capsolver")
    task_id = client.buy()
    for invalid in (True, False):
        assert client.report("feedbackTask", task_id, result={"invalid": invalid}) == "Success"
    assert client.report("feedbackTask", task_id, result={}) == "ERROR_INVALID_TASK_DATA"
    assert [report.correct for report in client.solver.reports] == [False, True]


def test_capmonster_takes_bad_reports_only() -> None:
    client = Client("capmonster")
    task_id = client.buy()
    assert client.report("reportIncorrectTokenCaptcha", task_id) == "success"
    assert client.report("reportCorrectRecaptcha", task_id) == "ERROR_NO_SUCH_METHOD"
    assert client.solver.reports == [Report(task_id, correct=False, refunded=False)]


def test_a_key_that_names_a_purchase_is_heeded_by_the_unified_api_only() -> None:
    client = Client("2captcha")
    payload = {"clientKey": "sandbox-key", "task": {"type": client.type, **BOX}}
    for _ in range(2):
        client.solver.answer(
            client.solver.receive("createTask", payload, {"idempotency-key": "k1"})
        )
    assert (client.solver.created, client.solver.resent) == (2, 0)
