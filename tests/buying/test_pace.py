"""A slot gets no more solutions than it can send while they are good."""

from __future__ import annotations

import pytest

from scrapy_captcha.buying.pace import Pace


def let_in(pace: Pace, most: int = 1_000) -> int:
    number = 0
    while number < most and pace.has_room():
        pace.enter(now=0.0)
        number += 1
    return number


def paced(life: float, interval: float) -> Pace:
    pace = Pace(life)
    pace.interval = interval
    return pace


def test_a_slot_without_a_limit_takes_any_number_at_once() -> None:
    pace = Pace(life=110.0)

    assert let_in(pace) == 1_000
    assert pace.wait(0.0) == 0.0


@pytest.mark.parametrize(("life", "interval"), [(20.0, 2.0), (120.0, 2.0), (60.0, 0.5)])
def test_all_that_is_outstanding_can_be_sent_within_half_a_life(
    life: float, interval: float
) -> None:
    number = let_in(paced(life, interval))

    assert 0 < number * 2 * interval <= life / 2


def test_a_slot_slower_than_a_life_gets_one_at_a_time() -> None:
    pace = paced(life=20.0, interval=60.0)
    assert let_in(pace) == 1

    pace.leave()
    assert let_in(pace) == 1


def test_the_next_is_bought_when_the_slot_could_send_it() -> None:
    pace = paced(life=120.0, interval=2.0)
    pace.enter(now=10.0)

    assert [pace.wait(now) for now in (10.0, 11.0, 12.0, 13.0)] == [2.0, 1.0, 0.0, 0.0]


def test_a_doubtful_site_gets_one_at_a_time() -> None:
    doubts = [True]
    pace = Pace(120.0, lambda: doubts[0])
    assert let_in(pace) == 1

    doubts[0] = False
    assert pace.has_room()


def test_the_turn_of_a_purchase_that_has_not_come_to_be_is_free() -> None:
    pace = paced(life=120.0, interval=2.0)
    pace.enter(now=10.0)
    pace.unused()

    assert pace.wait(10.0) == 0.0
