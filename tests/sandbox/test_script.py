"""Rules are matched in order and used up; answers have the shape of the error page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from scrapy_captcha.errors import ERRORS, Family
from scrapy_captcha.sandbox.script import Answer, Script

if TYPE_CHECKING:
    from scrapy_captcha.errors import ErrorCode

CONTRACT = [code for code, info in ERRORS.items() if info.family is not Family.CLIENT]


def content(answer: Answer) -> Any:
    return json.loads(answer.reply().body)


@pytest.mark.parametrize("code", CONTRACT)
def test_an_error_has_the_status_and_the_words_of_the_error_page(code: ErrorCode) -> None:
    reply = Answer(error=code).reply()
    said = {} if ERRORS[code].retryable is None else {"retryable": ERRORS[code].retryable}
    assert reply.status == ERRORS[code].status
    assert json.loads(reply.body) == {"error": code.value, "message": ERRORS[code].meaning, **said}


def test_what_a_rule_says_of_an_error_goes_into_the_answer() -> None:
    answer = Answer(
        error="CAPACITY", message="full", retryable=False, retry_after=5, retry_after_header="7"
    )
    fields = {"error": "CAPACITY", "message": "full", "retryable": False, "retryAfter": 5}
    assert content(answer) == fields
    assert answer.reply().headers["Retry-After"] == "7"


def test_fields_can_be_left_out() -> None:
    answer = Answer(error="CAPACITY", retry_after=5, omit=("message", "retryable"))
    assert content(answer) == {"error": "CAPACITY", "retryAfter": 5}


def test_an_error_can_have_another_status_or_an_unknown_name() -> None:
    assert Answer(error="CAPACITY", status=200).reply().status == 200
    assert content(Answer(error="NEW_ONE", status=418))["error"] == "NEW_ONE"


def test_an_answer_can_be_given_as_it_is() -> None:
    reply = Answer(status=502, headers={"Content-Type": "text/html"}, body=b"<html>").reply()
    assert (reply.status, reply.body) == (502, b"<html>")
    assert reply.headers == {"Content-Type": "text/html"}


@pytest.mark.parametrize("wrong", [{"method": "x"}, {"error": "TIMEOUT"}, {"fault": "x"}])
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Answer(**wrong)


def test_a_rule_can_be_given_as_json() -> None:
    rule = Answer.from_json({"error": "CAPACITY", "times": None, "omit": ["message"]})
    assert (rule.error, rule.times) == ("CAPACITY", None)
    assert Answer.from_json({"body": "{}"}).body == b"{}"


@pytest.mark.parametrize("wrong", [[], None, {"eror": "CAPACITY"}])
def test_json_that_is_no_rule_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="not a rule"):
        Answer.from_json(wrong)


def test_rules_are_used_up_in_order() -> None:
    script, first, second = Script(), Answer(error="CAPACITY", times=2), Answer(error="UNSOLVABLE")
    script.append(first, second)
    errors = [rule and rule.error for rule in (script.take("createTask", "") for _ in range(4))]
    assert errors == ["CAPACITY", "CAPACITY", "UNSOLVABLE", None]


def test_a_rule_holds_for_its_method_and_url_only() -> None:
    script = Script()
    script.append(Answer(method="getTaskResult", url_contains="/page/3", error="NOT_FOUND"))
    assert script.take("createTask", "http://h/page/3") is None
    assert script.take("getTaskResult", "http://h/page/4") is None
    assert script.take("getTaskResult", "http://h/page/3") is not None


def test_a_rule_without_times_holds_until_the_script_is_cleared() -> None:
    script = Script()
    script.append(Answer(error="CAPACITY", times=None))
    assert all(script.take("createTask", "") for _ in range(3))
    script.clear()
    assert script.take("createTask", "") is None
