"""Which purchases stand behind tasks that are not collected yet."""

from __future__ import annotations

import json

import pytest

from scrapy_captcha.buying.tasks import PendingTasks


def test_one_id_for_two_purchases_stands_for_both() -> None:
    tasks = PendingTasks([(7, "a"), (7, "b"), (7, "b")])

    assert [tasks.pop(7) for _ in range(3)] == ["a", "b", ""]
    assert tasks.stored() == []


def test_what_is_discarded_is_that_purchase_and_no_other() -> None:
    tasks = PendingTasks([("t", "a"), ("t", "b")])
    tasks.discard("t", "a")
    tasks.discard("t", "other")
    tasks.discard(None, "b")

    assert tasks.pop(None) == ""
    assert tasks.stored() == [("t", "b")]


def test_all_outlive_a_run() -> None:
    stored = PendingTasks([(7, "a"), ("7", "b"), (7, "c")]).stored()
    restored = PendingTasks.from_stored(json.loads(json.dumps(stored)))

    assert restored.stored() == [(7, "a"), (7, "c"), ("7", "b")]


@pytest.mark.parametrize("pairs", [[[True, "a"]], [[1, 2]], [[1]], 5, [None]])
def test_other_shapes_are_refused(pairs: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        PendingTasks.from_stored(pairs)
