"""The gate lets in as many purchases as the service has been seen to take, and none while it backs off."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.solver.throttle import Throttle


def let_in(gate: Throttle) -> int:
    """Lets in all that the gate has room for, and tells how many those are."""
    number = 0
    while gate.has_room():
        gate.enter(now=0.0)
        number += 1
    return number


def room(gate: Throttle) -> int:
    number = let_in(gate)
    for _ in range(number):
        gate.leave()
    return number


def refuse(gate: Throttle, until: float) -> None:
    gate.back_off(until)
    gate.leave()


@pytest.mark.parametrize("limit", [1, 2, 16])
def test_a_fresh_gate_has_room_for_the_limit_at_once(limit: int) -> None:
    gate = Throttle(limit)
    assert let_in(gate) == limit
    assert gate.wait(0.0) == 0.0
    assert gate.stopped is None


def test_who_leaves_makes_room_for_one() -> None:
    gate = Throttle(3)
    let_in(gate)
    gate.leave()
    assert let_in(gate) == 1


def test_a_shut_gate_opens_at_the_time_that_the_service_named() -> None:
    gate = Throttle(2)
    gate.enter(now=0.0)
    gate.back_off(until=105.0)
    assert [gate.wait(now) for now in (100.0, 104.0, 105.0, 106.0)] == [5.0, 1.0, 0.0, 0.0]


def test_the_latest_of_several_times_holds() -> None:
    gate = Throttle(4)
    let_in(gate)
    refuse(gate, until=110.0)
    refuse(gate, until=105.0)
    assert gate.wait(100.0) == 10.0


def test_a_refusal_leaves_room_for_as_many_as_ran_beside_it() -> None:
    gate = Throttle(16)
    for _ in range(5):
        gate.enter(now=0.0)
    refuse(gate, until=1.0)
    for _ in range(4):
        gate.leave()
    assert room(gate) == 4


def test_each_refusal_of_a_burst_takes_its_own_place_away() -> None:
    gate = Throttle(8)
    let_in(gate)
    for _ in range(5):
        refuse(gate, until=1.0)
    assert not gate.has_room()
    for _ in range(3):
        gate.leave()
    assert room(gate) == 3


def test_room_for_one_is_left_even_when_all_were_refused() -> None:
    gate = Throttle(4)
    let_in(gate)
    for _ in range(4):
        refuse(gate, until=1.0)
    assert room(gate) == 1


def test_one_more_is_tried_after_a_round_that_went_well() -> None:
    gate = Throttle(8)
    let_in(gate)
    for _ in range(8):
        refuse(gate, until=1.0)
    rooms = []
    for _ in range(12):
        inside = let_in(gate)
        rooms.append(inside)
        for _ in range(inside):
            gate.went_well(0.0)
            gate.leave()
    assert rooms == sorted(rooms)
    assert rooms[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(rooms))
    assert rooms[-1] == 8


def test_after_a_refusal_they_come_one_after_another_until_one_has_gone_well() -> None:
    gate = Throttle(8)
    let_in(gate)
    for _ in range(3):
        refuse(gate, until=10.0)
    gate.leave()
    gate.enter(now=10.0)
    assert 0 < gate.wait(10.0) < 1

    gate.leave()
    gate.went_well(0.0)
    gate.enter(now=20.0)
    assert gate.wait(20.0) == 0


def test_room_never_grows_above_the_limit() -> None:
    gate = Throttle(2)
    for _ in range(50):
        gate.went_well(0.0)
    assert room(gate) == 2


def test_a_stopped_gate_tells_why() -> None:
    gate = Throttle(2)
    error = SolverError(ErrorCode.BALANCE_EMPTY)
    gate.stop(error)
    assert gate.stopped is not None
    assert gate.stopped.code is error.code


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)
@pytest.mark.thorough
@given(
    limit=st.integers(1, 20), steps=st.lists(st.sampled_from(["in", "well", "refused", "failed"]))
)
def test_whatever_happens_an_empty_gate_has_room_for_one_at_least_and_the_limit_at_most(
    limit: int, steps: list[str]
) -> None:
    gate, inside = Throttle(limit), 0
    for step in steps:
        if step == "in" and gate.has_room():
            gate.enter(now=0.0)
            inside += 1
        elif step != "in" and inside:
            if step == "well":
                gate.went_well(0.0)
            elif step == "refused":
                gate.back_off(1.0)
            gate.leave()
            inside -= 1
        assert inside <= limit
    for _ in range(inside):
        gate.leave()
    assert 1 <= room(gate) <= limit


FAILURE = SolverError(ErrorCode.NETWORK)


def fail(gate: Throttle, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        gate.failed(FAILURE, now)


def test_the_fifth_failure_in_a_row_shuts_the_gate() -> None:
    gate = Throttle(16)
    fail(gate, 4)
    assert gate.wait(0.0) == 0

    assert gate.failed(FAILURE, 0.0)
    assert gate.wait(0.0) == 1


def test_an_answer_in_between_makes_the_count_begin_anew() -> None:
    gate = Throttle(16)
    fail(gate, 4)
    gate.service_answered(0.0)
    fail(gate, 4)

    assert gate.wait(0.0) == 0


def test_what_was_asked_before_the_gate_was_shut_says_nothing_more() -> None:
    gate = Throttle(16)
    fail(gate, 16)

    assert gate.wait(0.0) == 1


def test_after_a_rest_one_purchase_finds_out_and_each_failure_makes_the_rest_longer() -> None:
    gate, now, rests = Throttle(16), 0.0, []
    fail(gate, 5)
    for _ in range(10):
        rests.append(round(gate.wait(now), 1))
        now += gate.wait(now)
        gate.enter(now)
        assert not gate.has_room()
        gate.leave()
        gate.failed(FAILURE, now + 1.0)
        now += 1.0

    assert rests == [1.0, 1.5, 2.2, 3.4, 5.1, 7.6, 11.4, 17.1, 25.6, 30.0]


def test_the_rest_stays_short_while_the_service_answers_other_calls() -> None:
    gate, now = Throttle(16), 0.0
    fail(gate, 5)
    for _ in range(10):
        now += gate.wait(now)
        gate.was_reached()
        gate.failed(FAILURE, now)

    assert gate.wait(now) == 5.0


def test_a_loss_that_may_have_cost_money_is_probed_for_until_there_is_an_answer() -> None:
    gate = Throttle(16)
    fail(gate, 1)
    assert not gate.is_to_be_probed
    gate.failed(SolverError(ErrorCode.NETWORK, possibly_paid=True), 0.0)
    fail(gate, 1)
    assert gate.is_to_be_probed
    gate.service_answered(1.0)
    assert not gate.is_to_be_probed


def test_the_end_of_an_outage_is_known() -> None:
    gate = Throttle(16)
    fail(gate, 4)
    gate.service_answered(3.0)
    assert gate.outage_ended_at < 0

    fail(gate, 5)
    gate.service_answered(4.0)
    assert gate.outage_ended_at == 4.0


def test_purchases_wait_for_a_failing_service_and_are_refused_when_it_takes_too_long() -> None:
    gate = Throttle(16, patience=30.0)
    fail(gate, 5, now=0.0)
    assert gate.refusal(now=0.5) is None

    fail(gate, 1, now=29.5)
    assert gate.refusal(now=29.6) is None
    assert gate.wait(29.5) == 0.5  # the end of the patience is not slept through
    fail(gate, 1, now=30.0)
    assert repr(gate.refusal(now=30.1)) == repr(FAILURE)
    # The next may find out whether the service is back.
    assert gate.refusal(now=60.0) is None


def test_a_service_that_is_back_is_used_as_before() -> None:
    gate = Throttle(2)
    fail(gate, 5)
    gate.enter(now=10.0)
    gate.went_well(0.0)
    gate.leave()

    assert gate.refusal(now=100.0) is None
    assert gate.wait(10.3) == 0
    assert room(gate) == 2


def test_where_others_may_be_asked_one_failure_is_enough() -> None:
    gate = Throttle(4, has_rivals=True)
    assert gate.failed(FAILURE, 0.0)
    assert gate.wait(0.0) == 1.0

    assert gate.failed(FAILURE, 1.5)
    assert gate.wait(1.5) == 1.5


def test_it_is_crowded_when_the_service_has_all_that_it_takes_and_that_is_less_than_usual() -> None:
    gate = Throttle(2)
    gate.enter(0.0)
    gate.enter(0.0)
    assert not gate.is_crowded()

    gate.back_off(1.0)
    gate.leave()
    assert gate.is_crowded()
    gate.leave()
    assert not gate.is_crowded()


def test_a_purchase_that_fails_at_once_lengthens_the_rest_too() -> None:
    gate = Throttle(16)
    fail(gate, 5)
    gate.enter(now=1.0)
    gate.failed(FAILURE, now=1.0)

    assert gate.wait(1.0) == 1.5
