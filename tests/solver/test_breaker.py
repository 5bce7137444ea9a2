"""A service that does not answer is asked by one look at a time, and by all once it answers."""

from __future__ import annotations

import pytest

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.solver.breaker import Breaker, is_no_answer


def broken(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(5):
        breaker.lost(at)
    return breaker


def test_four_lost_calls_hold_nobody_up() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.lost(0.0)
    assert breaker.hold(0.0) == 0
    assert breaker.hold(0.0) == 0


def test_after_the_fifth_all_wait_and_then_one_finds_out() -> None:
    breaker = broken(at=100.0)
    assert breaker.hold(100.0) == 1.0
    assert breaker.hold(101.0) == 0
    assert breaker.hold(101.0) > 0
    assert breaker.hold(161.0) > 0


def test_each_lost_probe_doubles_the_rest_up_to_fifteen_seconds() -> None:
    breaker, now, rests = broken(), 0.0, []
    for _ in range(6):
        rests.append(breaker.hold(now))
        now += rests[-1]
        assert breaker.hold(now) == 0
        breaker.lost(now)
    assert rests == [1, 2, 4, 8, 15, 15]


def test_calls_that_were_made_before_a_rest_do_not_lengthen_it() -> None:
    breaker = broken()
    for _ in range(20):
        breaker.lost(0.5)
    assert breaker.hold(0.5) == 0.5


def test_the_first_answer_lets_all_go_on() -> None:
    breaker = broken()
    assert breaker.hold(1.0) == 0
    breaker.service_answered(0.0)
    assert breaker.hold(1.0) == 0
    assert breaker.hold(1.0) == 0


def test_a_probe_that_is_given_up_makes_room_for_another() -> None:
    breaker = broken()
    assert breaker.hold(1.0) == 0
    breaker.given_up()
    assert breaker.hold(1.0) == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (SolverError(ErrorCode.NETWORK), True),
        (SolverError(ErrorCode.TIMEOUT), True),
        (SolverError(ErrorCode.BAD_REPLY, http_status=200), True),
        (SolverError(ErrorCode.UNKNOWN, http_status=500), True),
        (SolverError(ErrorCode.UNKNOWN, http_status=400), False),
        (SolverError(ErrorCode.CAPACITY, http_status=429), False),
    ],
    ids=str,
)
def test_no_answer_is_what_nobody_can_act_upon(error: SolverError, expected: bool) -> None:
    assert is_no_answer(error) is expected


def test_an_outage_begins_with_the_fifth_lost_call_and_ends_with_an_answer() -> None:
    breaker = Breaker()
    assert [breaker.lost(0.1 * n) for n in range(6)] == [False] * 4 + [True, False]
    assert breaker.service_answered(2.0) == 2.0
    assert breaker.service_answered(3.0) is None


def test_an_outage_begins_with_the_second_lost_call_where_that_is_long_after_the_first() -> None:
    breaker = Breaker()
    assert not breaker.lost(0.0)
    assert not breaker.is_in_doubt
    assert breaker.lost(5.0)
    assert breaker.is_in_doubt
