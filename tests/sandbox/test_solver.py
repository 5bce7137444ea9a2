"""The solver sells each need once, within its capacity and balance, in the shape of each kind."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from scrapy_captcha.sandbox import Answer, SolverOptions
from scrapy_captcha.sandbox.solver import Solver
from scrapy_captcha.sandbox.tokens import TokenBook

URL = "http://127.0.0.1/page/1"
TURNSTILE = {"type": "TurnstileTaskProxyless", "websiteURL": URL, "websiteKey": "1x00AA"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Client:
    """Calls a solver without a network between them."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.solver = Solver(SolverOptions(**options), TokenBook(60, self.clock))

    def call(self, method: str, key: object = "sandbox-key", **payload: object) -> tuple[int, Any]:
        return self.send(method, {"clientKey": key, **payload})

    def send(self, method: str, payload: object, **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self.solver.answer(self.solver.receive(method, payload, named))
        return reply.status, json.loads(reply.body)

    def buy(self, **task: object) -> int:
        status, answer = self.call("createTask", task={**TURNSTILE, **task})
        assert status == 200, answer
        return int(answer["taskId"])

    def solution(self, **task: object) -> dict[str, Any]:
        status, answer = self.call("getTaskResult", taskId=self.buy(**task))
        assert (status, answer["status"]) == (200, "ready")
        return dict(answer["solution"])


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("RecaptchaV2TaskProxyless", {"gRecaptchaResponse"}),
        ("RecaptchaV2EnterpriseTask", {"gRecaptchaResponse"}),
        ("RecaptchaV3TaskProxyless", {"gRecaptchaResponse"}),
        ("HCaptchaTask", {"gRecaptchaResponse"}),
        ("TurnstileTask", {"token"}),
        ("MtCaptchaTaskProxyless", {"token"}),
        ("FriendlyCaptchaTaskProxyless", {"token"}),
        ("YandexSmartCaptchaTaskProxyless", {"token"}),
    ],
)
def test_token_kinds_are_answered_with_one_word(kind: str, names: set[str]) -> None:
    assert set(Client().solution(type=kind)) == names


def test_kinds_with_more_words_are_answered_with_all_of_them() -> None:
    client = Client()
    v3 = client.solution(type="GeeTestTaskProxyless", gt="12ab", challenge="34cd")
    assert (v3["challenge"], v3["seccode"]) == ("34cd", v3["validate"] + "|jordan")
    v4 = client.solution(type="GeeTestTask", gt="12ab", version=4)
    assert set(v4) == {"captcha_id", "lot_number", "pass_token", "gen_time", "captcha_output"}
    assert set(client.solution(type="FunCaptchaTask", websitePublicKey="12AB")) == {"token"}
    assert set(client.solution(type="AmazonTaskProxyless")["cookies"]) == {"aws-waf-token"}


def test_a_picture_that_the_site_showed_is_read() -> None:
    client = Client()
    client.solver.book.show_picture(b"a picture", "AC34")
    body = base64.b64encode(b"a picture").decode()
    assert client.solution(type="ImageToTextTask", body=body) == {"text": "AC34"}


def test_another_picture_is_unsolvable() -> None:
    client = Client()
    task_id = client.buy(type="ImageToTextTask", body="AAAA")
    status, answer = client.call("getTaskResult", taskId=task_id)
    assert (status, answer["error"], answer["retryable"]) == (422, "UNSOLVABLE", True)


def test_a_solution_says_what_it_is_bound_to_and_what_it_cost() -> None:
    client = Client(user_agent="Mozilla/5.0", price=0.0031)
    assert client.solution()["userAgent"] == "Mozilla/5.0"
    _, answer = client.call("getTaskResult", taskId=client.buy())
    assert answer["cost"] == "0.00310"


def test_a_task_is_processed_for_the_solve_time() -> None:
    client = Client(solve_time=lambda task: 5.0 if task["websiteKey"] == "slow" else 1.0)
    task_id = client.buy(websiteKey="slow")
    client.clock.now += 4.9
    assert client.call("getTaskResult", taskId=task_id)[1] == {"errorId": 0, "status": "processing"}
    client.clock.now += 0.1
    assert client.call("getTaskResult", taskId=task_id)[1]["status"] == "ready"
    assert client.solver.polls == {task_id: 2}


def test_the_same_solution_is_handed_out_again() -> None:
    client = Client()
    task_id = client.buy()
    first, again = (client.call("getTaskResult", taskId=task_id) for _ in range(2))
    assert first == again
    assert (client.solver.delivered, client.solver.book.minted) == (1, 1)


def test_a_purchase_that_is_resent_is_charged_once() -> None:
    client = Client(price=1, balance=10)
    payload = {"clientKey": "sandbox-key", "task": TURNSTILE}
    first, again = (client.send("createTask", payload, idempotency_key="k1") for _ in range(2))
    assert first == again
    _, other = client.send("createTask", payload, idempotency_key="k2")
    assert other != first[1]
    assert (client.solver.created, client.solver.resent, client.solver.spent) == (2, 1, 2)


def test_more_tasks_than_the_capacity_are_refused_until_one_is_solved() -> None:
    client = Client(capacity=2, solve_time=3, retry_after=7)
    client.buy()
    client.buy()
    status, answer = client.call("createTask", task=TURNSTILE)
    assert (status, answer["error"], answer["retryAfter"]) == (429, "CAPACITY", 7)
    client.clock.now += 3
    client.buy()


def test_the_balance_goes_down_until_it_is_used_up() -> None:
    client = Client(price=0.4, balance=1)
    client.buy()
    client.buy()
    assert client.call("getBalance") == (200, {"errorId": 0, "balance": 0.2})
    status, answer = client.call("createTask", task=TURNSTILE)
    assert (status, answer["error"]) == (402, "BALANCE_EMPTY")


@pytest.mark.parametrize(
    ("method", "payload", "status", "error"),
    [
        ("createTask", {"clientKey": "wrong", "task": TURNSTILE}, 401, "AUTH_INVALID"),
        ("createTask", {"task": TURNSTILE}, 400, "INPUT_MISSING"),
        ("createTask", [], 400, "INPUT_BAD_TYPE"),
        ("createTask", {"clientKey": "sandbox-key"}, 400, "INPUT_MISSING"),
        ("getTaskResult", {"clientKey": "sandbox-key"}, 400, "INPUT_MISSING"),
        ("getTaskResult", {"clientKey": "sandbox-key", "taskId": 1}, 404, "NOT_FOUND"),
        ("reportBad", {"clientKey": "sandbox-key"}, 400, "METHOD_INVALID"),
    ],
)
def test_a_call_that_is_wrong_is_refused(
    method: str, payload: object, status: int, error: str
) -> None:
    answered, answer = Client().send(method, payload)
    assert (answered, answer["error"]) == (status, error)


@pytest.mark.parametrize(
    ("task", "error"),
    [
        ({"type": "NewCaptchaTask"}, "METHOD_INVALID"),
        ({"websiteKey": None}, "INPUT_MISSING"),
        ({"websiteURL": 12}, "INPUT_BAD_TYPE"),
        ({"type": "GeeTestTask", "gt": "12ab"}, "INPUT_MISSING"),
        ({"type": "ImageToTextTask", "body": "?"}, "INPUT_BAD_TYPE"),
    ],
)
def test_a_task_that_is_wrong_is_refused_and_costs_nothing(
    task: dict[str, object], error: str
) -> None:
    client = Client()
    _, answer = client.call("createTask", task={**TURNSTILE, **task})
    assert (answer["error"], client.solver.spent) == (error, 0)


def test_a_script_holds_until_it_is_cleared() -> None:
    client = Client()
    client.solver.script(Answer(error="CAPACITY", times=None))
    call = client.solver.receive("createTask", {}, {})
    assert client.solver.rule_for(call) is not None
    client.solver.clear_script()
    assert client.solver.rule_for(call) is None


def test_calls_are_recorded_without_the_key() -> None:
    client = Client()
    task_id = client.buy()
    client.call("getTaskResult", key="wrong", taskId=task_id)
    bought, polled = client.solver.calls
    assert (bought.task_id, bought.url, bought.authorized) == (task_id, URL, True)
    assert (polled.task_id, polled.url, polled.authorized) == (task_id, URL, False)
    assert "key" not in repr(client.solver.calls).replace("websiteKey", "")
