"""When tasks are looked at: few looks, little waiting, and never more often than is allowed."""

from __future__ import annotations

import random
from heapq import heappop, heappush
from itertools import islice
from statistics import mean, median
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrapy_captcha.models import Captcha, Kind
from scrapy_captcha.providers import PROVIDERS, CreateTask, Generic, Order, PollingRules, Unified
from scrapy_captcha.providers.polling import Polling

if TYPE_CHECKING:
    from collections.abc import Callable

KIND = Kind.TURNSTILE
ORDER = Order(Captcha(KIND, "https://shop.example/login", "1x00000000000000000000AA"), "p")
READY = {"status": "ready", "solution": {"token": "t0k3n"}}


class Solved(NamedTuple):
    calls: int  # createTask included
    lost: float  # seconds from when the solution was ready until it was seen
    share: float  # the same, of the time that it took


def solve(service: CreateTask, takes: float, **said: float) -> Solved:
    """One purchase at *service*, of a task that is ready after *takes* seconds."""
    flow = service.solve(ORDER)
    assert next(flow).path == "createTask"
    call, calls, now = flow.send({"taskId": 1}), 2, 0.0
    while (now := now + call.after) < takes:
        call, calls = flow.send({"status": "processing"}), calls + 1
    with pytest.raises(StopIteration):
        flow.send({**READY, **said})
    return Solved(calls, now - takes, (now - takes) / takes)


class Task:
    """One of several under way: it is looked at when *polling* said at its purchase."""

    def __init__(self, polling: Polling, takes: float) -> None:
        self.polling, self.takes = polling, takes
        self.looks, self.lost, self.not_yet = 0, 0.0, 0.0

    def buy(self, now: float) -> float:
        """When the first look is."""
        self.bought, self.waits = now, self.polling.waits(KIND)
        return now + next(self.waits)

    def look(self, now: float) -> float | None:
        """When the next look is, None when none is needed."""
        self.looks += 1
        age = now - self.bought
        if age < self.takes:
            self.not_yet = age
            return now + next(self.waits)
        self.lost = age - self.takes
        self.polling.observe(KIND, self.not_yet, age)
        return None


def after_learning(
    duration: Callable[[int], float], tasks: int = 400, learn: int = 50
) -> list[Solved]:
    service = Unified(poll_interval=3.0)
    solved = [solve(service, duration(number)) for number in range(learn + tasks)]
    return solved[learn:]


def test_solves_of_five_to_forty_seconds_cost_four_calls_and_a_tenth_of_the_time() -> None:
    by_seed = []
    for seed in range(5):
        chance = random.Random(seed)
        by_seed += after_learning(lambda _, chance=chance: chance.uniform(5, 40))  # type: ignore[misc]
    assert mean(s.calls for s in by_seed) <= 4
    assert median(s.share for s in by_seed) <= 0.10


def sixteen_at_a_time(chance: random.Random) -> list[Task]:
    polling, solved = Polling(3.0, 3.0), []
    looks: list[tuple[float, int]] = []
    tasks = [Task(polling, chance.uniform(5, 40)) for _ in range(450)]
    for number in range(16):
        heappush(looks, (tasks[number].buy(chance.uniform(0, 20)), number))
    following = iter(range(16, len(tasks)))
    while looks:
        now, number = heappop(looks)
        again = tasks[number].look(now)
        if again is None:
            solved.append(tasks[number])
            number = next(following, -1)
            again = tasks[number].buy(now)
        if number >= 0:
            heappush(looks, (again, number))
    return solved[50:]


def test_the_same_holds_where_sixteen_are_bought_at_a_time() -> None:
    solved = [task for seed in range(8) for task in sixteen_at_a_time(random.Random(seed))]
    assert mean(task.looks for task in solved) + 1 <= 4
    assert median(task.lost / task.takes for task in solved) <= 0.10


def test_what_is_learned_does_not_hang_on_the_order_in_which_a_burst_is_ready() -> None:
    chance, polling = random.Random(1), Polling(3.0, 3.0)
    for burst in (50, 200):
        tasks = [Task(polling, chance.uniform(5, 40)) for _ in range(burst)]
        looks = sorted((task.buy(0.0), number) for number, task in enumerate(tasks))
        while looks:
            now, number = heappop(looks)
            again = tasks[number].look(now)
            if again is not None:
                heappush(looks, (again, number))
    assert mean(task.looks for task in tasks) + 1 <= 4.5
    assert median(task.lost / task.takes for task in tasks) <= 0.10


@pytest.mark.parametrize("takes", [3.0, 12.0, 60.0])
def test_solves_that_take_equally_long_cost_one_look(takes: float) -> None:
    solved = after_learning(lambda _: takes)
    assert mean(s.calls for s in solved) <= 2.25
    assert median(s.share for s in solved) <= 0.05


def test_solves_of_one_to_three_seconds_are_seen_at_the_first_look() -> None:
    chance = random.Random(1)
    assert {s.calls for s in after_learning(lambda _: chance.uniform(1, 3))} == {2}


def test_a_service_that_becomes_faster_is_followed() -> None:
    chance = random.Random(1)
    solved = after_learning(lambda n: chance.uniform(30, 40) if n < 50 else chance.uniform(4, 8))
    assert median(s.lost for s in solved[50:]) <= 3.0


def test_a_service_that_becomes_slower_is_followed() -> None:
    chance = random.Random(1)
    solved = after_learning(lambda n: chance.uniform(4, 8) if n < 50 else chance.uniform(30, 40))
    assert mean(s.calls for s in solved[100:]) <= 4
    assert median(s.share for s in solved[100:]) <= 0.10


def test_until_ten_tasks_are_known_they_are_looked_at_in_even_steps() -> None:
    polling = Polling(5.0, 3.0)
    for _ in range(10):
        assert list(islice(polling.waits(KIND), 4)) == [5.0, 3.0, 3.0, 3.0]
        polling.observe(KIND, 17.0, 20.0)
    assert next(polling.waits(KIND)) == 18.5


def test_each_kind_is_learned_for_itself() -> None:
    polling = Polling(3.0, 3.0)
    for _ in range(20):
        polling.observe(Kind.RECAPTCHA_V2, 27.0, 30.0)
    assert next(polling.waits(Kind.RECAPTCHA_V2)) > 20.0
    assert next(polling.waits(KIND)) == 3.0


def test_each_instance_learns_for_itself() -> None:
    one, other = Unified(poll_interval=3.0), Unified(poll_interval=3.0)
    for _ in range(20):
        solve(one, 30.0)
    assert solve(one, 30.0).calls == 2
    assert solve(other, 30.0).calls == 11


def test_what_the_service_says_of_a_tasks_duration_is_believed() -> None:
    service = Unified(poll_interval=3.0)
    for _ in range(20):
        solve(service, 19.0, createTime=1_700_000_000, endTime=1_700_000_019)
    flow = service.solve(ORDER)
    next(flow)
    assert flow.send({"taskId": 1}).after == pytest.approx(19.0, abs=0.5)


@pytest.mark.parametrize(
    ("created", "ended"),
    [(0, 0), (5, 1), ("x", None), (True, True), (1, 1e400), (-5, 7), ([], {}), ("nan", "nan")],
)
def test_times_that_make_no_sense_teach_what_was_seen(created: object, ended: object) -> None:
    plain, odd = Unified(poll_interval=3.0), Unified(poll_interval=3.0)
    for takes in (4, 8, 15, 16, 23, 42, 4, 8, 15, 16, 23, 42):
        solve(plain, takes)
        solve(odd, takes, createTime=created, endTime=ended)  # type: ignore[arg-type]
    assert solve(odd, 20.0) == solve(plain, 20.0)


@pytest.mark.parametrize("ended", [1, 20_000])
def test_a_duration_is_believed_within_what_was_seen_only(ended: int) -> None:
    service = Unified(poll_interval=3.0)
    for _ in range(20):
        solve(service, 20.0, createTime=1, endTime=ended)
    flow = service.solve(ORDER)
    next(flow)
    assert 17.0 <= flow.send({"taskId": 1}).after <= 22.0


def test_a_task_that_was_bought_earlier_teaches_nothing() -> None:
    service = Unified(poll_interval=3.0)
    for _ in range(20):
        flow = service.solve(Order(ORDER.captcha, "p", task_id=7))
        assert next(flow).after == 0.0
        with pytest.raises(StopIteration):
            flow.send(READY)
    assert solve(service, 30.0).calls == 11


durations = st.lists(st.floats(0, 300), min_size=1, max_size=60)


@settings(deadline=None, max_examples=60)
@given(durations, st.floats(0.01, 10), st.floats(0, 10))
def test_no_two_looks_are_closer_than_is_allowed(
    taken: list[float], interval: float, first: float
) -> None:
    polling = Polling(max(first, interval), interval)
    for takes in taken:
        waits = list(islice(polling.waits(KIND), 40))
        assert waits[0] >= max(first, interval)
        assert all(wait >= interval * 0.999 for wait in waits[1:])
        polling.observe(KIND, max(0.0, takes - interval), takes)


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("poll_interval", [0.01, 3.0, 30.0])
def test_the_services_rules_hold_whatever_the_user_sets(name: str, poll_interval: float) -> None:
    provider = PROVIDERS[name](poll_interval=poll_interval)
    assert isinstance(provider, CreateTask)
    flow = provider.solve(Order(Captcha(Kind.RECAPTCHA_V2, "https://shop.example/", "k"), "p"))
    next(flow)
    waits = [flow.send({"taskId": 1}).after]
    waits += [flow.send({"status": "processing"}).after for _ in range(30)]
    assert waits[0] >= max(provider.rules.first, poll_interval)
    assert min(waits[1:]) >= max(provider.rules.interval, poll_interval)


def test_a_task_is_not_looked_at_more_often_than_the_service_allows() -> None:
    class Brief(Generic):
        rules = PollingRules(polls=5)

    assert Brief(poll_interval=1.0).rules.polls == 5
    flow = Brief(poll_interval=1.0).solve(ORDER)
    next(flow)
    flow.send({"taskId": 1})
    for _ in range(4):
        flow.send({"status": "processing"})
    with pytest.raises(Exception, match="PROVIDER_TIMEOUT") as caught:
        flow.send({"status": "processing"})
    assert caught.value.task_id == 1  # type: ignore[attr-defined]
