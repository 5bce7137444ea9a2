"""``scrapy captcha demo`` as a user runs it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from commanding import Command

from scrapy_captcha.commands.demo import HOME, PAGES, SCRAPED

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

# Looking a name up, or a connection beyond this machine, raises an exception.
LOOPBACK_ONLY = """
import socket
def refuse(*arguments, **_):
    raise AssertionError(f"looked up {arguments[0]}")
def at_home(connect):
    def connect_at_home(self, address):
        assert self.family == socket.AF_UNIX or address[0] == "127.0.0.1", address
        return connect(self, address)
    return connect_at_home
socket.getaddrinfo = refuse
socket.socket.connect = at_home(socket.socket.connect)
socket.socket.connect_ex = at_home(socket.socket.connect_ex)
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return Command(tmp_path_factory.mktemp("demo")).run("demo", before=LOOPBACK_ONLY)


def test_the_demo_scrapes_each_page_that_can_be_reached_and_says_so(
    demo: subprocess.CompletedProcess[str],
) -> None:
    assert demo.returncode == 0, demo.stdout + demo.stderr
    for page in (HOME, *PAGES):
        kind = re.escape(page.guard.kind.value) if page.guard else "no captcha"
        told = f"^{page.path} +{kind} .* {re.escape(page.outcome)}$"
        assert re.search(told, demo.stdout, re.MULTILINE), page.path


def test_the_demo_meets_errors_and_gives_a_page_up(
    demo: subprocess.CompletedProcess[str],
) -> None:
    for error in ("CAPACITY", "UNSOLVABLE", "PROVIDER_TIMEOUT"):
        assert re.search(rf"{error}, solved +{SCRAPED}$", demo.stdout, re.MULTILINE)
        assert f"'captcha/reschedule_count/{error}': 1" in demo.stderr
    assert "'captcha/dropped_count/INPUT_BAD_TYPE': 1" in demo.stderr


def test_the_demo_ends_with_the_stats_in_the_log(demo: subprocess.CompletedProcess[str]) -> None:
    behind_captchas = sum(page.guard is not None for page in PAGES)
    assert f"'captcha/detected_count': {behind_captchas}," in demo.stderr
    assert f"'captcha/accepted_count': {behind_captchas - 1}," in demo.stderr
    assert "'captcha/rejected_count': 1," in demo.stderr
    assert "Traceback" not in demo.stderr


def test_the_demo_takes_settings_from_the_command_line_and_none_from_a_project(
    tmp_path: Path,
) -> None:
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = project\n")
    (tmp_path / "project.py").write_text("CAPTCHA_ENABLED = False\nITEM_PIPELINES = {'no.such': 1}")
    done = Command(tmp_path).run("demo", "--nolog")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert Command(tmp_path).run("demo", "-s", "CAPTCHA_ENABLED=0").returncode == 1


def test_the_demo_says_in_one_line_what_it_needs(tmp_path: Path) -> None:
    missing = "import sys, importlib.util; importlib.util.find_spec = lambda name: None"
    done = Command(tmp_path).run("demo", before=missing)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().endswith("pip install 'scrapy-captcha[sandbox]'")
    assert len(done.stderr.splitlines()) == 1


def test_an_argument_of_the_demo_is_a_usage_error(tmp_path: Path) -> None:
    done = Command(tmp_path).run("demo", "--pages=3")

    assert done.returncode == 2
    assert "--pages=3" in done.stderr
