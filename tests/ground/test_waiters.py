"""Waiters are resumed in order and in slices, none of them from inside the end of another."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.task import Clock

from scrapy_captcha.clock import CLOCK
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.sessions.waiting import WaitingPages, Why
from scrapy_captcha.solver.admission import Admission
from scrapy_captcha.solver.throttle import Throttle
from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    import pytest

MANY = 100_000


def pumped(clock: Clock, turns: int = 100) -> None:
    clock.pump([0] * turns)


@pytest_twisted.ensureDeferred
async def test_a_hundred_thousand_pass_one_place_on() -> None:
    """Each gives it to the next as it ends."""
    door = Throttle(1)
    queue = Admission(door, CLOCK)
    order: list[int] = []

    async def purchase(number: int) -> None:
        assert await queue.enter()
        order.append(number)
        queue.leave()

    first = await queue.enter()
    ended = DeferredList([Deferred.fromCoroutine(purchase(n)) for n in range(MANY)])
    assert first
    assert order == []
    queue.leave()
    await ended

    assert order == list(range(MANY))
    assert door.has_room()
    queue.cancel_timers()


@pytest_twisted.ensureDeferred
async def test_a_hundred_thousand_wake_the_next_one() -> None:
    waiters: Waiters[int] = Waiters(CLOCK, late=-1)
    order: list[int] = []

    async def page() -> None:
        number = await waiters.wait()
        order.append(number)
        waiters.resume(number + 1)

    ended = DeferredList([Deferred.fromCoroutine(page()) for _ in range(MANY)])
    waiters.resume(0)
    await ended

    assert order == list(range(MANY))
    assert len(waiters) == 0


@pytest_twisted.ensureDeferred
async def test_a_hundred_thousand_learn_an_outcome_while_the_reactor_goes_on() -> None:
    waiting = WaitingPages(CLOCK, patience=600)
    told = DeferredList([waiting.until_resumed("session", Why.SHOWN) for _ in range(MANY)])
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        if not told.called:
            CLOCK.callLater(0, turn)

    waiting.resume_all("session", Outcome.OPENED, Why.SHOWN)
    assert not told.called
    turn()
    outcomes = await told

    assert {outcome for _, outcome in outcomes} == {Outcome.OPENED}
    assert turns > 1000
    waiting.cancel_timers()


def test_an_error_in_one_waiter_is_its_own(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    waiters: Waiters[str] = Waiters(clock, late="late")
    resumed: list[str] = []

    class Broken(Deferred[str]):
        def callback(self, result: object) -> None:
            raise RecursionError

    before, after = waiters.wait(), waiters.wait()
    broken = Broken()
    waiters._chosen[broken] = "broken", ""
    for waiter in (before, after):
        waiter.addCallback(resumed.append)
    with caplog.at_level(logging.ERROR):
        waiters.resume_all("now")
        pumped(clock)

    assert resumed == ["now", "now"]
    assert "RecursionError" in caplog.text


def test_a_place_is_passed_on_where_its_waiter_is_cancelled_before_it_is_resumed() -> None:
    clock, door = Clock(), Throttle(1)
    queue = Admission(door, clock)
    assert queue.enter().called
    first, second = queue.enter(), queue.enter()
    first.addErrback(lambda failure: failure.trap(CancelledError))
    queue.leave()
    assert not door.has_room()  # it is the place of the first, which has not been resumed
    first.cancel()
    pumped(clock)

    assert second.called
    assert not door.has_room()


def test_each_waiter_has_its_own_patience() -> None:
    """Also after one of them was resumed alone."""
    clock = Clock()
    waiting = WaitingPages(clock, patience=10)
    outcomes: list[tuple[str, Outcome, float]] = []

    def wait(name: str) -> None:
        waiter = waiting.until_resumed("s", Why.SHOWN)
        waiter.addCallback(lambda o: outcomes.append((name, o, clock.seconds())))

    wait("first")
    clock.advance(4)
    wait("second")
    waiting.resume("s", Outcome.TRIAL)
    clock.advance(0)
    clock.advance(4)
    wait("third")
    for _ in range(12):
        clock.advance(1)

    assert outcomes == [
        ("first", Outcome.TRIAL, 4),
        ("second", Outcome.PENDING, 14),
        ("third", Outcome.PENDING, 18),
    ]
    assert clock.getDelayedCalls() == []


def test_a_trial_goes_to_the_next_where_the_first_is_cancelled() -> None:
    clock = Clock()
    waiting = WaitingPages(clock, patience=10)
    outcomes: list[Outcome] = []
    first, other, second = (waiting.until_resumed(name, Why.SHOWN) for name in ("s", "t", "s"))
    first.addErrback(lambda failure: failure.trap(CancelledError))
    second.addCallback(outcomes.append)
    waiting.resume("s", Outcome.TRIAL)
    first.cancel()
    pumped(clock)

    assert outcomes == [Outcome.TRIAL]
    assert not other.called


def test_parties_take_turns() -> None:
    clock = Clock()
    waiters: Waiters[None] = Waiters(clock, late=None)
    order: list[str] = []

    async def page(party: str) -> None:
        await waiters.wait(party)
        order.append(party)

    for party in "aaaabbc":
        Deferred.fromCoroutine(page(party))
    waiters.resume_all(None)
    pumped(clock)

    assert "".join(order) == "abcabaa"
