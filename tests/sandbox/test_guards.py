"""The gatekeeper's judgement, where a clock or a part of an answer decides."""

from __future__ import annotations

import pytest

from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox import Guard, Mode
from scrapy_captcha.sandbox.guards import Gatekeeper
from scrapy_captcha.sandbox.tokens import TokenBook, TokenFault

PATH, URL = "/page/1", "http://127.0.0.1/page/1"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("age", "reason"), [(59, None), (60, TokenFault.EXPIRED)])
def test_a_picture_expires(age: float, reason: TokenFault | None) -> None:
    clock = Clock()
    gate = Gatekeeper(TokenBook(60, clock))
    challenge = gate.challenge(Guard(Kind.IMAGE), "visitor", PATH, URL, "GET")
    clock.now += age
    fields = {"csrf_token": challenge.id, "state": challenge.state, "captcha": challenge.secret}
    assert gate.judge("visitor", fields).reason is reason


def test_geetest_must_be_solved_for_the_challenge_that_was_shown() -> None:
    gate = Gatekeeper(book := TokenBook())
    guard = Guard(Kind.GEETEST_V3)
    shown = gate.challenge(guard, "visitor", PATH, URL, "GET")
    solved = book.mint(guard.kind, guard.key, URL, challenge="of an earlier visit")
    answers = {f"geetest_{name}": value for name, value in solved.items()}
    fields = {"csrf_token": shown.id, "state": shown.state, **answers}
    assert gate.judge("visitor", fields).reason is TokenFault.WRONG_FIELDS


def test_a_clearance_does_not_open_what_takes_tokens() -> None:
    gate = Gatekeeper(book := TokenBook())
    guard = Guard()
    shown = gate.challenge(guard, "visitor", PATH, URL, "GET")
    token = book.mint(guard.kind, guard.key, URL)["token"]
    fields = {"csrf_token": shown.id, "state": shown.state, "g-recaptcha-response": token}
    cookies = {"clearance": gate.judge("visitor", fields).clearance or ""}
    assert gate.may_pass(guard, "visitor", PATH, cookies, URL)
    assert not gate.may_pass(Guard(mode=Mode.TOKEN), "visitor", PATH, cookies, URL)


def test_a_rejected_cookie_is_counted_once() -> None:
    gate = Gatekeeper(book := TokenBook())
    guard = Guard(Kind.AMAZON_WAF, Mode.WALL)
    cookies = {"aws-waf-token": book.mint(guard.kind, guard.key, URL)["token"]}
    assert not any(gate.may_pass(guard, "visitor", PATH, cookies, URL) for _ in range(3))
    assert gate.rejected == {TokenFault.REFUSED: 1}
