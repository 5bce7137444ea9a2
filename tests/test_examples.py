"""The examples run, each as its docstring says, against a local site and solver."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scrapy_captcha.sandbox.fixture import sandbox_process

if TYPE_CHECKING:
    from scrapy_captcha.sandbox.fixture import SandboxProcess

EXAMPLES = Path(__file__).parents[1] / "examples"
# Scrapy would download the public suffix list at the first cookie: now it is refused at once.
NOWHERE = "http://127.0.0.1:9"


def python(*arguments: object, **environment: str) -> str:
    """What the command prints. It must end well."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"https_proxy": NOWHERE, "no_proxy": "127.0.0.1"} | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def runspider(
    example: str, sandbox: SandboxProcess, output: Path, *arguments: str
) -> list[dict[str, Any]]:
    """The items that the spider of *example* scrapes."""
    python(
        *("-m", "scrapy", "runspider", EXAMPLES / example, "-O", output),
        *("-a", f"site={sandbox.site_url}", *arguments),
        *("-s", f"CAPTCHA_API_URL={sandbox.api_url}", "-s", "CAPTCHA_POLL_INTERVAL=0.1"),
        CAPTCHA_API_KEY=sandbox.api_key,
    )
    items: list[dict[str, Any]] = json.loads(output.read_text())
    return items


@pytest.mark.parametrize("kind", ["recaptcha_v2", "image"])
def test_items_scrapes_what_stands_behind_captchas(kind: str, tmp_path: Path) -> None:
    with sandbox_process(pages=2, kind=kind, mode="token") as sandbox:
        items = runspider("items.py", sandbox, tmp_path / "items.json")

    assert sorted(items, key=str) == [
        {"title": "Item 1", "price": "1.50"},
        {"title": "Item 2", "price": "2.50"},
    ]


def test_odd_site_detects_and_submits_by_its_own_methods(tmp_path: Path) -> None:
    with sandbox_process(pages=1, mode="token") as sandbox:
        items = runspider("odd_site.py", sandbox, tmp_path / "items.json")
        state = sandbox.state()

    assert items == [{"title": "Item 1"}]
    assert state["site"]["accepted"] == 1


def test_search_submits_a_form_that_wants_a_captcha_solved(tmp_path: Path) -> None:
    with sandbox_process(pages=2, kind="turnstile", mode="token") as sandbox:
        items = runspider("search.py", sandbox, tmp_path / "items.json", "-a", "words=chair")
        state = sandbox.state()

    assert {"title": "Item 2"} in items
    assert state["site"]["accepted"] == 1


def test_solve_prints_a_token() -> None:
    with sandbox_process() as sandbox:
        page = f"{sandbox.site_url}/page/1"
        arguments = (EXAMPLES / "solve.py", sandbox.api_url, page, "site-key")
        token = python(*arguments, CAPTCHA_API_KEY=sandbox.api_key).strip()

        assert token
        assert sandbox.state()["solver"]["delivered"] == 1


def test_a_provider_of_ones_own_is_thirty_lines_and_sells_to_a_crawl(tmp_path: Path) -> None:
    program = (EXAMPLES / "own_provider.py").read_text()
    provider = next(
        node
        for node in ast.parse(program).body
        if isinstance(node, ast.ClassDef) and node.name == "ShopSolver"
    )
    with sandbox_process(pages=1, kind="turnstile", mode="token") as sandbox:
        page = f"site={sandbox.site_url}/page/1"
        items = runspider("own_provider.py", sandbox, tmp_path / "items.json", "-a", page)
        state = sandbox.state()

    assert (provider.end_lineno or 0) - provider.lineno < 30
    assert items == [{"title": "Item 1"}]
    assert state["solver"]["created"] == state["site"]["accepted"] == 1


def test_solve_says_why_there_is_no_token() -> None:
    with sandbox_process() as sandbox:
        arguments = (EXAMPLES / "solve.py", sandbox.api_url, "https://shop.example", "site-key")
        with pytest.raises(subprocess.CalledProcessError) as error:
            python(*arguments, CAPTCHA_API_KEY="wrong")

    assert error.value.returncode == 1


def test_the_test_of_the_example_passes() -> None:
    fixture = ("-p", "no:scrapy_captcha", "-p", "scrapy_captcha.sandbox.fixture")
    options = ("-o", "addopts=", "-p", "no:twisted", "-p", "no:cacheprovider", "-q")
    output = python("-m", "pytest", *options, *fixture, EXAMPLES / "test_items.py")

    assert "1 passed" in output
