"""The examples do what their README says, started with its own commands."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from following import EXAMPLES, ROWS, environment, follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from following import Run


@pytest.fixture
def runs(tmp_path: Path) -> Callable[[str], Run]:
    """The run of an example by its name."""
    return lambda name: follow(ROWS[name], tmp_path / "home", environment(tmp_path))


def test_each_example_has_a_row_and_each_row_a_test() -> None:
    files = {path.name for path in EXAMPLES.glob("*.py")}
    projects = {path.parent.name for path in EXAMPLES.glob("*/scrapy.cfg")}
    tests = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob("*/tests")}
    tested = re.findall(r"= runs\(\"(.+)\"\)$", Path(__file__).read_text("utf-8"), re.MULTILINE)

    assert ROWS.keys() == files | projects | tests
    assert sorted(ROWS) == sorted(tested)


def test_items_scrapes_what_stands_behind_captchas(runs: Callable[[str], Run]) -> None:
    run = runs("items.py")

    assert run.titles("items.json") == ["Item 1", "Item 2", "Item 3"]
    assert run.state["solver"]["created"] == run.state["site"]["accepted"] == 1


def test_odd_site_detects_and_submits_by_its_own_methods(runs: Callable[[str], Run]) -> None:
    run = runs("odd_site.py")
    [submission] = [visit for visit in run.state["site"]["requests"] if visit["method"] == "POST"]

    assert submission["headers"]["referer"].endswith("/page/1")
    assert run.state["site"]["accepted"] == 1


def test_search_submits_a_form_that_wants_a_captcha_solved(runs: Callable[[str], Run]) -> None:
    run = runs("search.py")

    assert run.state["solver"]["created"] == run.state["site"]["accepted"] == 1
    assert run.state["site"]["opened"] == {"/search": 1}


def test_pictures_that_are_misread_are_bought_again_and_those_accepted_reported(
    runs: Callable[[str], Run],
) -> None:
    run = runs("pictures.py")
    reports = run.state["services"]["capsolver"]["reports"]

    assert run.titles("pictures.json") == ["Item 1", "Item 2", "Item 3"]
    assert run.state["services"]["capsolver"]["created"] == 6
    # Where each first solution is rejected, only two in a row are a reason to report them.
    correct = [report["correct"] for report in reports]
    assert correct.count(True) == 3
    assert correct.count(False) in {0, 2, 3}


def test_proxies_gives_way_to_another_where_one_is_banned(runs: Callable[[str], Run]) -> None:
    run = runs("proxies.py")
    buying = [c for c in run.state["solver"]["calls"] if c["method"] == "createTask"]

    assert [call["status"] for call in buying] == [502, 200]
    assert len({call["payload"]["task"]["proxyPort"] for call in buying}) == 2
    assert run.state["solver"]["created"] == run.state["site"]["accepted"] == 1


def test_own_provider_is_thirty_lines_and_sells_to_a_crawl(runs: Callable[[str], Run]) -> None:
    run = runs("own_provider.py")
    program = ast.parse((EXAMPLES / "own_provider.py").read_text())
    [provider] = [n for n in program.body if getattr(n, "name", "") == "ShopSolver"]

    assert (provider.end_lineno or 0) - provider.lineno < 30
    assert run.state["services"]["generic"]["created"] == run.state["site"]["accepted"] == 1


def test_own_policy_gives_up_an_item_and_not_the_page_before_it(runs: Callable[[str], Run]) -> None:
    run = runs("own_policy.py")
    buying = [c for c in run.state["solver"]["calls"] if c["method"] == "createTask"]
    answers = {page: [c["status"] for c in buying if c["url"].endswith(page)] for page in "123"}

    assert run.titles("items.json") == ["Item 1", "Item 3"]
    assert answers == {"1": [422, 200], "2": [422], "3": [200]}


def test_alert_is_given_where_the_site_rejects(runs: Callable[[str], Run]) -> None:
    run = runs("alert.py")

    assert run.state["solver"]["created"] == 2
    assert run.state["site"]["rejected"] == {"refused": 1}


def test_catalogue_goes_on_after_a_stop_and_buys_nothing_twice(runs: Callable[[str], Run]) -> None:
    run = runs("catalogue")

    assert run.titles("items.jsonl") == [f"Item {number}" for number in range(1, 6)]
    assert run.state["solver"]["created"] == run.state["site"]["accepted"] == 5
    assert run.state["tokens"] == {"minted": 5, "unused": 0}


def test_tests_of_a_project_have_the_fixture_from_the_package(runs: Callable[[str], Run]) -> None:
    run = runs("catalogue/tests")

    assert "plugins: " in run.printed
    assert "scrapy-captcha-" in run.printed


def test_solve_prints_a_token(runs: Callable[[str], Run]) -> None:
    run = runs("solve.py")

    assert run.state["solver"]["delivered"] == run.state["tokens"]["unused"] == 1
