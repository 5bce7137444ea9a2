"""docs/architecture.md names what is there, and no file or function grows beyond its bound."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from scrapy_captcha.state import AFTER_FETCH, FETCHED, TRANSITIONS, Stage

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "scrapy_captcha"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LONGEST_FILE = 320
LONGEST_FUNCTION = 45
# Still longer: they are to be split, and may not grow.
LONGER: dict[str, int] = {}


def rooms() -> set[str]:
    return {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def test_each_room_is_in_the_table_and_in_the_layers() -> None:
    assert set(re.findall(r"^\| \d \| `(\w+)/` \|", TEXT, re.MULTILINE)) == rooms()

    layers = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\nlayers = [")[2]
    named = set(re.findall(r"\w+", layers.partition("]")[0]))
    assert rooms() <= named


def test_what_the_text_names_is_there() -> None:
    named = re.findall(r"`([a-z_]+/[a-z_]+)`", TEXT)
    assert named
    for name in named:
        path = PACKAGE / name
        assert path.with_suffix(".py").exists() or path.is_dir() or (ROOT / name).is_dir(), name


def test_all_meta_keys_of_ours_are_named_in_one_file() -> None:
    naming = {path.name for path in PACKAGE.rglob("*.py") if '"_captcha' in path.read_text("utf-8")}
    assert naming == {"state.py"}


def test_a_stage_is_changed_by_a_step_only() -> None:
    changing = {path.name for path in PACKAGE.rglob("*.py") if "stage=" in path.read_text("utf-8")}
    assert changing == {"state.py"}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_a_file_fits_its_subject_and_a_function_a_glance(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(PACKAGE).as_posix()
    assert text.count("\n") <= LONGER.get(name, LONGEST_FILE)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


def diagram() -> str:
    """The table of transitions as Mermaid draws it; all that is fetched is in one box."""
    lines = ["stateDiagram-v2", "    [*] --> fetched", "    state fetched {"]
    lines += [f"        {stage.value}" for stage in Stage if stage in FETCHED]
    lines += ["    }"]
    for after in Stage:
        if after in AFTER_FETCH:
            lines.append(f"    fetched --> {after.value}")
    for before in Stage:
        for after in Stage:
            is_of_box = before in FETCHED and after in AFTER_FETCH
            if after in TRANSITIONS[before] and not is_of_box:
                lines.append(f"    {before.value} --> {after.value}")
    lines += [f"    {stage.value} --> [*]" for stage in (Stage.ARRIVED, Stage.FAILED)]
    return "\n".join(lines)


def test_the_diagram_is_drawn_from_the_table_of_transitions() -> None:
    assert diagram() == TEXT.partition("```mermaid\n")[2].partition("\n```")[0]
    for stage in Stage:
        assert f"* `{stage.value}`: " in TEXT, stage
