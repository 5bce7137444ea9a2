"""What a request remembers survives its way through meta; what somebody damaged counts as absent."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapy_captcha.policy import Attempts
from scrapy_captcha.state import (
    _READ,
    KEY,
    TRANSITIONS,
    CaptchaState,
    IllegalTransitionWarning,
    Stage,
)

counts = st.integers(0, 1000)
cookies = st.dictionaries(st.text(), st.text(), max_size=3)
sound_states = st.builds(
    CaptchaState,
    stage=st.sampled_from([stage for stage in Stage if stage is not Stage.FAILED]),
    tasks=counts,
    retries=counts,
    resent=st.booleans(),
    purchase_id=st.text(),
    task_id=st.none() | st.from_regex("[a-z0-9]{1,9}", fullmatch=True) | st.integers(0, 1 << 62),
    solution=st.text(),
    met=st.booleans(),
    asked=st.booleans(),
    rotated=st.booleans(),
    passed=st.booleans(),
    entry=st.text(),
    priority=st.none() | st.integers(),
    dont_filter=st.booleans(),
    cookies=st.none() | cookies | st.lists(cookies, max_size=2),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)
@pytest.mark.thorough
@given(state=sound_states)
def test_what_goes_into_meta_comes_out_of_it(state: CaptchaState) -> None:
    assert CaptchaState.of({KEY: dict(state.to_meta())}) == state  # a copy is parsed


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@pytest.mark.thorough
@given(state=sound_states)
def test_it_survives_a_queue_on_disk_in_either_format(state: CaptchaState) -> None:
    meta = {KEY: state.to_meta()}
    assert CaptchaState.of(pickle.loads(pickle.dumps(meta))) == state  # noqa: S301 - our own
    assert CaptchaState.of(json.loads(json.dumps(meta))) == state


@pytest.mark.parametrize(
    ("state", "tasks"),
    [
        (CaptchaState(Stage.SOLVED, tasks=2, solution="held"), 1),
        (CaptchaState(Stage.SUBMITTED, tasks=2, solution="held"), 2),
        (CaptchaState(Stage.SOLVED, tasks=0, solution="held"), 0),
    ],
)
def test_another_run_counts_no_solution_that_was_never_sent(
    state: CaptchaState, tasks: int
) -> None:
    assert state.for_another_run() == CaptchaState(tasks=tasks)


def test_a_beginning_leaves_nothing_in_meta() -> None:
    assert CaptchaState().to_meta() == {}


def test_only_what_differs_goes_into_meta() -> None:
    assert CaptchaState(tasks=1, task_id=0, cookies={}).to_meta() == {
        "tasks": 1,
        "task_id": 0,
        "cookies": {},
    }


@pytest.mark.parametrize("stored", [None, 5, "x", [], [("tasks", 1)], {}, {"unheard_of": 1}])
def test_meta_without_a_memory_is_a_beginning(stored: object) -> None:
    assert CaptchaState.of({KEY: stored}) == CaptchaState()
    assert CaptchaState.of({}) == CaptchaState()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tasks", "1"),
        ("tasks", 1.0),
        ("tasks", True),
        ("tasks", -5),
        ("retries", None),
        ("retries", -5),
        ("resent", 1),
        ("purchase_id", b"x"),
        ("task_id", True),
        ("task_id", 1.5),
        ("task_id", ["x"]),
        ("solution", 5),
        ("met", 1),
        ("stage", "unheard of"),
        ("stage", ["solved"]),
        ("stage", 5),
        ("failed", None),
        ("passed", 1),
        ("entry", b"x"),
        ("priority", 1.5),
        ("dont_filter", 0),
        ("cookies", "a=b"),
    ],
)
def test_a_damaged_part_counts_as_absent_and_the_others_hold(name: str, value: object) -> None:
    sound = {"solution": "x", "failed": "y", "tasks": 2} | {name: value}
    expected = {"solution": "x", "failed": "y", "tasks": 2}
    expected.pop(name, None)
    if "failed" in expected:
        expected["stage"] = Stage.FAILED
    assert CaptchaState.of({KEY: sound}) == CaptchaState(**expected)  # type: ignore[arg-type]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TYPES: dict[str, type | tuple[type, ...]] = {
    "stage": Stage,
    "tasks": int,
    "retries": int,
    "resent": bool,
    "purchase_id": str,
    "provider": str,
    "elsewhere": int,
    "moves": int,
    "avoided": str,
    "task_id": (str, int, type(None)),
    "solution": str,
    "met": bool,
    "leads": str,
    "again": int,
    "reposts": bool,
    "shown_at": str,
    "owner": str,
    "asked": bool,
    "rotated": bool,
    "failed": str,
    "passed": bool,
    "entry": str,
    "priority": (int, type(None)),
    "dont_filter": bool,
    "cookies": (dict, list, type(None)),
}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@pytest.mark.thorough
@given(
    stored=anything
    | st.dictionaries(
        st.sampled_from([f.name for f in fields(CaptchaState)]) | st.text() | st.integers(),
        anything,
    )
)
def test_whatever_is_stored_gives_a_sound_state(stored: Any) -> None:
    state = CaptchaState.of({KEY: stored})
    assert {n for n in TYPES if not isinstance(getattr(state, n), TYPES[n])} == set()
    assert (state.stage is Stage.FAILED) is bool(state.failed)


def test_every_field_is_checked_here() -> None:
    assert set(TYPES) == {f.name for f in fields(CaptchaState)}


def test_attempts_are_counted_as_the_policy_does() -> None:
    state = CaptchaState(tasks=1, retries=2, resent=True, solution="x")
    assert state.attempts == Attempts(tasks=1, retries=2, resent=True)


def test_after_takes_over_attempts_and_changes_and_keeps_the_rest() -> None:
    state = CaptchaState(solution="x", priority=3)
    assert state.after(Attempts(1, 2, resent=True), failed="y") == CaptchaState(
        tasks=1, retries=2, resent=True, solution="x", failed="y", priority=3
    )


@pytest.mark.parametrize(
    ("state", "is_urgent"),
    [
        (CaptchaState(Stage.TURN, priority=0), False),
        (CaptchaState(Stage.TURN, leads="site"), True),
        (CaptchaState(met=True, solution="name"), True),
        (CaptchaState(asked=True, solution="name"), True),
    ],
)
def test_what_was_only_held_back_is_not_urgent(state: CaptchaState, *, is_urgent: bool) -> None:
    assert state.is_urgent is is_urgent


PAIRS = [(before, after) for before in Stage for after in Stage]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_step_is_one_of_the_table_or_is_said_and_made_all_the_same(
    before: Stage, after: Stage
) -> None:
    state = CaptchaState(before, tasks=1)
    if after is before or after in TRANSITIONS[before]:
        assert state.to(after, tasks=2) == CaptchaState(after, tasks=2)
        return
    with pytest.warns(IllegalTransitionWarning, match=f"from {before.value} to {after.value}$"):
        assert state.to(after, tasks=2) == CaptchaState(after, tasks=2)


def test_each_stage_is_reached_and_only_what_is_given_up_stays() -> None:
    reached, found = {Stage.REQUESTED}, {Stage.REQUESTED}
    while found:
        found = {after for stage in found for after in TRANSITIONS[stage]} - reached
        reached |= found
    assert reached == set(Stage)
    assert [stage for stage in Stage if not TRANSITIONS[stage]] == [Stage.FAILED]


@pytest.mark.parametrize("stage", Stage)
def test_what_is_sent_back_is_to_be_fetched_and_what_it_carries_stays(stage: Stage) -> None:
    state = CaptchaState(stage, tasks=1, failed="x" if stage is Stage.FAILED else "")
    is_parked = stage in (Stage.DETECTED, Stage.WAITING, Stage.BUYING)
    assert state.to_fetched().stage is (Stage.REQUESTED if is_parked else stage)
    assert state.to_fetched().tasks == 1


def test_jobs_from_before_there_were_stages_are_read() -> None:
    former = {"submitted": True, "answer": "x", "goes": True, "dropped": True, "tasks": 2}
    assert CaptchaState.of({KEY: former}) == CaptchaState(tasks=2)
    assert CaptchaState.of({KEY: {"failed": "UNSOLVABLE", "entry": "e"}}) == CaptchaState(
        Stage.FAILED, failed="UNSOLVABLE", entry="e"
    )


def test_on_disk_a_stage_is_its_word() -> None:
    stored = CaptchaState(Stage.SOLVED).to_meta()
    assert stored == {"stage": "solved"}
    assert type(stored["stage"]) is str


def test_what_is_changed_in_place_is_read_and_checked_anew() -> None:
    meta: dict[str, Any] = {KEY: CaptchaState(Stage.SOLVED, tasks=1).to_meta()}
    assert CaptchaState.of(meta).tasks == 1
    meta[KEY]["tasks"] = 2
    assert CaptchaState.of(meta) == CaptchaState(Stage.SOLVED, tasks=2)
    meta[KEY]["tasks"] = "many"
    assert CaptchaState.of(meta) == CaptchaState(Stage.SOLVED)
    assert CaptchaState.of({KEY: dict(meta[KEY])}) == CaptchaState(Stage.SOLVED)
    meta[KEY] = 7
    assert CaptchaState.of(meta) == CaptchaState()


def test_what_was_written_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    written = [{KEY: CaptchaState(tasks=n).to_meta()} for n in range(1, 10)]
    monkeypatch.setattr(CaptchaState, "_parsed", None)
    assert [CaptchaState.of(meta).tasks for meta in written] == list(range(1, 10))


def test_no_more_is_remembered_for_more_requests() -> None:
    for n in range(1, 5000):
        CaptchaState(tasks=n).to_meta()
    assert len(_READ) <= 1024
