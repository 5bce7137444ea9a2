"""Limits hold whatever is under way, sums are exact, and each purchase comes to one end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrapy_captcha.buying.ledger import BudgetAnswer, Ledger
from scrapy_captcha.buying.prices import Prices
from scrapy_captcha.models import Kind
from scrapy_captcha.purchases import Fate, Need
from scrapy_captcha.settings.limits import HOUR, Limit, Limits

PRICE = 2_000
TOLD = dict.fromkeys(Kind, PRICE)
SHOP = Need("shop.example", Kind.HCAPTCHA, "unified")
NEWS = Need("news.example", Kind.HCAPTCHA, "unified")
PATIENCE = 100.0
OPEN = {"need": ["shop.example", "image", "unified", ""], "url": "", "attempts": 1, "price": 1}


def ledger(limits: Limits, told: dict[Kind, int] | None = None, **options: Any) -> Ledger:
    prices = Prices(TOLD if told is None else told, **options)
    return Ledger(limits, prices, patience=PATIENCE)


def bought(books: Ledger, name: str, fate: Fate = Fate.ACCEPTED, **more: Any) -> None:
    assert books.reserve(name, more.get("need", SHOP), more.get("now", 0.0)) is BudgetAnswer.YES
    books.charge(name, more.get("cost"), more.get("now", 0.0))
    books.end(name, fate)


def test_what_is_under_way_counts_towards_a_limit() -> None:
    books = ledger(Limits(crawl=Limit(solves=2)))

    answers = [books.reserve(name, SHOP, 0.0) for name in "abc"]

    assert answers == [BudgetAnswer.YES, BudgetAnswer.YES, BudgetAnswer.WAIT]


def test_what_was_not_bought_leaves_its_room_to_others() -> None:
    books = ledger(Limits(crawl=Limit(solves=1)))
    books.reserve("a", SHOP, 0.0)
    books.release("a")

    assert books.reserve("b", SHOP, 0.0) is BudgetAnswer.YES


def test_at_a_limit_nothing_is_bought_and_nothing_waited_for() -> None:
    books = ledger(Limits(crawl=Limit(solves=1)))
    bought(books, "a")

    assert books.reserve("b", SHOP, 0.0) is BudgetAnswer.BUDGET


def test_a_site_is_remembered_once_something_is_bought_for_it() -> None:
    books = ledger(Limits(crawl=Limit(solves=1)))
    bought(books, "a")

    assert books.reserve("b", NEWS, 0.0) is BudgetAnswer.BUDGET
    assert books.lost(NEWS.site) == 0
    assert list(books.state(0.0)["sites"]) == [SHOP.site]


def test_a_purchase_under_the_same_name_counts_once() -> None:
    books = ledger(Limits(crawl=Limit(solves=1)))

    assert [books.reserve("a", SHOP, 0.0) for _ in range(2)] == [BudgetAnswer.YES, BudgetAnswer.YES]
    assert (books.under_way.solves, books.under_way.money) == (1, PRICE)


def test_the_real_cost_takes_the_place_of_the_expected_one() -> None:
    books = ledger(Limits(crawl=Limit(money=5_000)))
    bought(books, "a", cost=500)

    assert books.done.money == 500
    assert books.reserve("b", SHOP, 0.0) is BudgetAnswer.YES
    assert books.under_way.money == 500


def test_the_highest_cost_that_was_told_is_expected_from_then_on() -> None:
    books = ledger(Limits())
    for name, cost in {"a": 500, "b": 900, "c": 700}.items():
        bought(books, name, cost=cost)
    books.reserve("d", SHOP, 0.0)

    assert books.under_way.money == 900


def test_a_purchase_whose_cost_is_not_told_has_its_expected_price() -> None:
    books = ledger(Limits(), {})
    bought(books, "a")

    assert books.done.money == 5_000


@pytest.mark.parametrize(
    ("limits", "elsewhere"),
    [
        (Limits(site=Limit(solves=1)), BudgetAnswer.YES),
        (Limits(site=Limit(money=PRICE)), BudgetAnswer.YES),
        (Limits(hour=Limit(solves=1)), BudgetAnswer.BUDGET_HERE),
        (Limits(hour=Limit(money=PRICE)), BudgetAnswer.BUDGET_HERE),
        (Limits(crawl=Limit(money=PRICE)), BudgetAnswer.BUDGET),
    ],
)
def test_limits_of_a_site_leave_others_free(limits: Limits, elsewhere: BudgetAnswer) -> None:
    books = ledger(limits)
    bought(books, "a")

    assert books.reserve("b", SHOP, 0.0) is not BudgetAnswer.YES
    assert books.reserve("c", NEWS, 0.0) is elsewhere


def test_an_hour_later_what_was_bought_counts_no_more_towards_the_hour() -> None:
    books = ledger(Limits(hour=Limit(solves=1)))
    bought(books, "a", now=10.0)

    assert books.reserve("b", SHOP, 9.0 + HOUR) is BudgetAnswer.BUDGET_HERE
    assert books.reserve("b", SHOP, 10.0 + HOUR) is BudgetAnswer.YES


def test_what_is_bought_within_ten_seconds_leaves_the_hour_with_the_last_of_it() -> None:
    books = ledger(Limits(hour=Limit(solves=2)))
    bought(books, "a", now=11.0)
    bought(books, "b", now=19.0)

    assert books.reserve("c", SHOP, 18.0 + HOUR) is BudgetAnswer.BUDGET_HERE
    assert books.reserve("c", SHOP, 19.0 + HOUR) is BudgetAnswer.YES


def test_what_is_kept_of_an_hour_does_not_grow_with_what_is_bought_in_it() -> None:
    books = ledger(Limits())
    for number in range(10_000):
        bought(books, str(number), now=number * 0.36)

    assert len(books.state(HOUR)["hour"]) <= 361
    assert sum(solves for _, solves, _ in books.state(HOUR)["hour"]) == 10_000


def test_an_unknown_price_is_found_out_before_more_is_bought_near_a_limit() -> None:
    books = ledger(Limits(crawl=Limit(money=20_000)), {}, listed=lambda _provider, _kind: 0.003)

    assert books.reserve("a", SHOP, 0.0) is BudgetAnswer.YES
    assert books.reserve("b", SHOP, 0.0) is BudgetAnswer.WAIT
    books.charge("a", 10_000, 0.0)
    assert books.reserve("b", SHOP, 0.0) is BudgetAnswer.YES
    assert books.reserve("c", SHOP, 0.0) is BudgetAnswer.WAIT


def test_far_from_a_limit_an_unknown_price_holds_nothing_up() -> None:
    books = ledger(Limits(crawl=Limit(money=10_000_000)), {})

    assert {books.reserve(str(n), SHOP, 0.0) for n in range(16)} == {BudgetAnswer.YES}


# Loss


def test_a_site_that_takes_money_and_gives_no_page_is_bought_for_no_more() -> None:
    books = ledger(Limits(loss=2 * PRICE))
    for name in "ab":
        bought(books, name, Fate.REJECTED)

    assert books.reserve("c", SHOP, 0.0) is BudgetAnswer.LOSS
    assert books.reserve("d", NEWS, 0.0) is BudgetAnswer.YES
    assert books.lost("shop.example") == 2 * PRICE


def test_a_page_for_a_solution_makes_up_for_what_was_lost_before() -> None:
    books = ledger(Limits(loss=2 * PRICE))
    for name, fate in {"a": Fate.REJECTED, "b": Fate.ACCEPTED, "c": Fate.UNUSED}.items():
        bought(books, name, fate)

    assert books.reserve("d", SHOP, 0.0) is BudgetAnswer.YES


def test_what_the_site_has_not_judged_yet_may_be_lost_as_well() -> None:
    books = ledger(Limits(loss=2 * PRICE))
    for name in "ab":
        books.reserve(name, SHOP, 0.0)
        books.charge(name, None, 0.0)

    assert books.reserve("c", SHOP, 0.0) is BudgetAnswer.WAIT
    books.end("a", Fate.REJECTED)
    assert books.reserve("c", SHOP, 0.0) is BudgetAnswer.WAIT
    books.end("b", Fate.ACCEPTED)
    assert books.reserve("c", SHOP, 0.0) is BudgetAnswer.YES


def test_a_purchase_that_nobody_speaks_of_any_more_is_found() -> None:
    books = ledger(Limits())
    books.reserve("a", SHOP, 0.0)
    books.charge("a", None, 10.0)

    assert books.forgotten(110.0) == []
    assert books.forgotten(111.0) == ["a"]


def test_a_purchase_charged_late_hides_none_that_is_forgotten_before_it() -> None:
    books = ledger(Limits())
    for name, begun in (("a", 0.0), ("b", 5.0), ("c", 108.0)):
        books.reserve(name, SHOP, begun)
    books.charge("a", None, 90.0)

    assert books.forgotten(111.0) == ["b"]
    assert books.forgotten(191.0) == ["a", "b"]


# Solves for a page


def test_a_site_whose_pages_take_too_many_is_bought_for_once_in_ten_minutes() -> None:
    books = ledger(Limits(per_page=5.0))
    for n in range(15):
        bought(books, f"a{n}", Fate.ACCEPTED if n == 7 else Fate.REJECTED)

    assert books.reserve("b", SHOP, 0.0) is BudgetAnswer.PER_PAGE
    assert books.reserve("n", NEWS, 0.0) is BudgetAnswer.YES
    assert books.reserve("b", SHOP, 599.0) is BudgetAnswer.PER_PAGE
    bought(books, "c", Fate.REJECTED, now=600.0)
    assert books.reserve("d", SHOP, 601.0) is BudgetAnswer.PER_PAGE
    bought(books, "e", Fate.ACCEPTED, now=1_200.0)
    bought(books, "f", Fate.REJECTED, now=1_201.0)


@pytest.mark.parametrize("fate", [Fate.FAILED, Fate.EXPIRED])
def test_what_a_site_was_never_shown_is_not_held_against_it(fate: Fate) -> None:
    books = ledger(Limits(per_page=5.0))
    for n in range(40):
        bought(books, f"a{n}", fate)


@pytest.mark.parametrize("is_killed", [False, True], ids=["stopped", "killed"])
def test_what_a_run_had_not_sent_when_it_ended_is_not_held_against_the_site(
    is_killed: bool,
) -> None:
    first, limits = ledger(Limits()), Limits(per_page=5.0)
    for n in range(40):
        first.reserve(f"a{n}", SHOP, 0.0)
        first.charge(f"a{n}", None, 0.0)
    if not is_killed:
        assert len(first.end_unused()) == 40

    assert restarted(first, limits).reserve("b", SHOP, 1_060.0) is BudgetAnswer.YES


def test_pages_that_share_a_solution_came_of_it() -> None:
    books = ledger(Limits(per_page=5.0))
    for n in range(40):
        bought(books, f"a{n}", Fate.UNUSED)
        books.shared("shop.example")


def test_good_times_of_long_ago_do_not_pay_for_bad_ones() -> None:
    books = ledger(Limits(per_page=5.0))
    for n in range(1_000):
        bought(books, f"a{n}")
    for n in range(100):
        if books.reserve(f"b{n}", SHOP, 0.0) is BudgetAnswer.PER_PAGE:
            break
        books.charge(f"b{n}", None, 0.0)
        books.end(f"b{n}", Fate.UNUSED)
    assert n < 80


def test_what_pages_take_outlives_a_run() -> None:
    first, limits = ledger(Limits()), Limits(per_page=5.0)
    for n in range(15):
        bought(first, f"a{n}", Fate.REJECTED)

    assert restarted(first, limits).reserve("b", SHOP, 1_060.0) is BudgetAnswer.PER_PAGE


# Whatever happens


OUTCOMES = st.sampled_from(["release", *Fate])
STEPS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5_000), OUTCOMES), max_size=60)


@given(STEPS, st.integers(0, 20_000), st.integers(0, 6), st.integers(0, 20_000))
@settings(max_examples=200, deadline=None)
def test_no_limit_is_passed_and_nobody_waits_for_nothing(
    steps: list[tuple[int, int, Any]], money: int, solves: int, loss: int
) -> None:
    """With prices that are what they were said to be at most."""
    books = Ledger(
        Limits(crawl=Limit(solves, money), loss=loss),
        Prices(dict.fromkeys(Kind, 5_000)),
        patience=1.0,
    )
    lost, under_way = 0, set()
    for number, cost, outcome in steps:
        name = str(number)
        if name not in under_way:
            answer = books.reserve(name, SHOP, 0.0)
            under_way |= {name} if answer is BudgetAnswer.YES else set()
            assert answer is not BudgetAnswer.WAIT or under_way
            continue
        under_way.remove(name)
        if outcome == "release":
            books.release(name)
            continue
        # Prices that grow are learned only with the first of them.
        purchase = books.charge(name, 5_000 if books.done.solves == 0 else cost, 0.0)
        assert purchase is not None
        books.end(name, outcome)
        lost = 0 if outcome is Fate.ACCEPTED else lost + purchase.price
        assert lost == books.lost("shop.example") <= loss
        assert books.done.money <= money
        assert books.done.solves <= solves


# State


def restarted(books: Ledger, limits: Limits) -> Ledger:
    """Another, a minute later, that goes on from the state of *books*."""
    second = ledger(limits)
    second.restore(json.loads(json.dumps(books.state(0.0))), 1000.0, 60.0)
    return second


def test_limits_hold_over_restarts() -> None:
    """What was under way still is, and counts once though it is asked for again."""
    limits = Limits(Limit(solves=4), hour=Limit(solves=3))
    first = ledger(limits)
    bought(first, "a", Fate.REJECTED)
    for name in "bc":
        first.reserve(name, SHOP, 0.0)
    first.charge("c", None, 0.0)

    second = restarted(first, limits)

    assert (second.done.solves, second.under_way.solves) == (2, 1)
    assert second.reserve("b", SHOP, 1000.0) is BudgetAnswer.YES
    assert second.reserve("d", NEWS, 1000.0) is BudgetAnswer.WAIT
    assert second.charge("b", None, 1000.0) is not None
    second.end("b", Fate.UNUSED)
    assert (second.done.solves, second.under_way.solves) == (3, 0)
    assert second.lost("shop.example") == 3 * PRICE
    assert second.reserve("d", NEWS, 1000.0) is BudgetAnswer.BUDGET_HERE
    assert second.reserve("d", NEWS, 1000.0 + HOUR) is BudgetAnswer.YES


def test_what_is_collected_after_a_restart_costs_what_the_answer_tells() -> None:
    first = ledger(Limits())
    first.reserve("a", SHOP, 0.0, url="https://shop.example/1", attempts=2)

    purchase = restarted(first, Limits()).charge("a", 7, 1000.0)

    assert purchase is not None
    assert (purchase.price, purchase.need, purchase.attempts) == (7, SHOP, 2)
    assert purchase.url == "https://shop.example/1"


def test_what_nobody_collects_after_a_restart_is_forgotten_in_time() -> None:
    first = ledger(Limits())
    first.reserve("a", SHOP, 0.0)

    second = restarted(first, Limits())

    assert second.forgotten(1000.0 + PATIENCE) == []
    assert second.forgotten(1001.0 + PATIENCE) == ["a"]


def test_the_hour_goes_on_while_a_crawl_is_stopped() -> None:
    limits = Limits(hour=Limit(solves=1))
    first = ledger(limits)
    bought(first, "a", now=100.0)

    for elapsed, answer in {HOUR / 2: BudgetAnswer.BUDGET_HERE, HOUR: BudgetAnswer.YES}.items():
        second = ledger(limits)
        second.restore(first.state(200.0), 5.0, elapsed)
        assert second.reserve("b", SHOP, 5.0) is answer


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"total": [1]},
        {"total": [-1, 0]},
        {"total": [True, 0]},
        {"total": ["1", 0]},
        {"sites": []},
        {"sites": {"a": 1}},
        {"sites": {"a": [1, 2]}},
        {"hour": 3},
        {"hour": [[0]]},
        {"hour": [[0, 1]]},
        {"hour": [[float("nan"), 1, 1]]},
        {"hour": [[-1.0, 1, 1]]},
        {"open": ["a"]},
        {"open": {"a": {}}},
        {"open": {"a": OPEN | {"need": ["shop.example", "picture", "unified", ""]}}},
        {"open": {"a": OPEN | {"need": [1, "image", "unified", ""]}}},
        {"open": {"a": OPEN | {"url": None}}},
        {"open": {"a": OPEN | {"price": -1}}},
        {"open": {"a": OPEN | {"attempts": "1"}}},
    ],
    ids=str,
)
def test_a_state_of_another_shape_changes_nothing(wrong: dict[str, Any]) -> None:
    books = ledger(Limits())
    sound = ledger(Limits()).state(0.0)
    if wrong:
        with pytest.raises(ValueError, match="not a state"):
            books.restore(sound | wrong, 0.0, 0.0)
    else:
        with pytest.raises(ValueError, match="not a state"):
            books.restore(wrong, 0.0, 0.0)

    assert books.state(0.0) == sound
