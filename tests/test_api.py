"""What can be imported is small, named, typed and documented, and stays as it is."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
USAGE = ROOT / "tests" / "api" / "usage.py"

# People import these. Whoever changes a name here says so in CHANGES.md, since it breaks or extends
# what they have written.
PUBLIC = {
    "scrapy_captcha": """
        Action Addon Captcha CaptchaError CaptchaMiddleware Detection ErrorCode Form HtmlPage Kind
        Page Policy Proxy Solution SolverClient SolverError Verdict __version__ build_submission
        captcha_request detect
    """,
    "scrapy_captcha.providers": """
        AntiCaptcha Body Call CapMonster CapSolver CreateTask Flow Generic Meaning Order
        PollingRules Provider Reply RuCaptcha TaskId TaskType TwoCaptcha Unified
    """,
    "scrapy_captcha.sandbox": """
        Answer Fault Guard Mode Passage Sandbox SandboxProcess Shown SiteOptions SolverOptions
    """,
    "scrapy_captcha.signals": """
        buying_stopped captcha_detected captcha_given_up captcha_solved proxy_refused
        solution_accepted solution_rejected
    """,
}
NAMES = [(module, name) for module, names in PUBLIC.items() for name in names.split()]
# These cannot have docstrings.
ALIASES = {"Body", "Flow", "TaskId", "__version__", *PUBLIC["scrapy_captcha.signals"].split()}


def imported(code: str) -> set[tuple[str, str]]:
    """Module and name of all that *code* imports from this package."""
    return {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scrapy_captcha")
        for alias in node.names
        if node.module
    }


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_names_are_these(module: str) -> None:
    public = importlib.import_module(module)

    assert sorted(public.__all__) == sorted(PUBLIC[module].split())
    assert set(public.__all__) <= set(dir(public))
    assert all(hasattr(public, name) for name in public.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    for module in ("scrapy_captcha", "scrapy_captcha.sandbox"):
        with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'Nothing'"):
            _ = importlib.import_module(module).Nothing


def test_each_public_name_is_used_in_a_file_that_is_typed() -> None:
    used = imported(USAGE.read_text(encoding="utf-8")) | {("scrapy_captcha", "__version__")}

    assert used == set(NAMES)


def test_what_is_typed_runs() -> None:
    names: dict[str, Any] = {"__name__": "usage"}
    exec(compile(USAGE.read_text(encoding="utf-8"), str(USAGE), "exec"), names)  # noqa: S102

    assert names["what_a_saved_page_is"](b"<h1>content</h1>") == "content"
    assert names["ShopSolver"](poll_interval=1.0).takes(
        names["Captcha"](names["Kind"].TURNSTILE, names["URL"], "a-key")
    )


def documented(thing: Any) -> Iterator[Any]:
    """*thing* and, of a class, its own public methods and properties."""
    yield thing
    for name, member in vars(thing).items() if inspect.isclass(thing) else ():
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if isinstance(function, FunctionType) and not name.startswith("_"):
            yield function


@pytest.mark.parametrize(("module", "name"), [n for n in NAMES if n[1] not in ALIASES])
def test_each_public_name_says_what_it_is(module: str, name: str) -> None:
    """In words of its own, not those that dataclasses make up."""
    for thing in documented(getattr(importlib.import_module(module), name)):
        text = vars(thing).get("__doc__") or getattr(thing, "__doc__", "")
        assert text, thing
        assert not text.startswith(f"{thing.__name__}(")


def test_the_readme_lists_them() -> None:
    section = README.partition("\n## Python interface\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", section, re.MULTILINE)
    listed = {module: set(re.findall(r"`(\w+)`", names)) for module, names in rows}

    assert listed == {module: set(names.split()) for module, names in PUBLIC.items()}


def people_write() -> Iterator[tuple[str, str]]:
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL), 1
    ):
        yield f"README, block {number}", block
    for path in sorted((ROOT / "examples").rglob("*.py")):
        yield path.name, path.read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [pytest.param(code, id=place) for place, code in people_write()])
def test_the_readme_and_the_examples_import_public_names_only(code: str) -> None:
    assert imported(code) <= set(NAMES)


def test_the_version_is_said_once_and_has_its_changes() -> None:
    import scrapy_captcha

    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "version = " not in project.partition("\n[project]\n")[2].partition("\n[")[0]
    changes = (ROOT / "CHANGES.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[([\d.]+)\]", changes, re.MULTILINE)[0] == scrapy_captcha.__version__


def test_types_are_for_others_too() -> None:
    import scrapy_captcha

    assert (Path(scrapy_captcha.__file__).parent / "py.typed").is_file()


def test_importing_the_package_imports_nothing_else() -> None:
    """Pytest does that in every run of somebody who has it installed, for the fixture."""
    code = "import sys, scrapy_captcha; print({'scrapy', 'twisted', 'treq'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)  # noqa: S603

    assert told.stdout.strip() == b"set()"
