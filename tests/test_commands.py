"""``scrapy captcha …`` in processes of its own, as a user runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from scrapy.settings import Settings

from scrapy_captcha.commands.captcha import SUBCOMMANDS
from scrapy_captcha.commands.demo import HOME, PAGES, SCRAPED
from scrapy_captcha.sandbox.fixture import sandbox_process

if TYPE_CHECKING:
    from pathlib import Path

# The command as Scrapy finds it, with everything that is deprecated refused.
SCRAPY = """
import sys, warnings
warnings.simplefilter("error", DeprecationWarning)
from scrapy.exceptions import ScrapyDeprecationWarning
warnings.simplefilter("error", ScrapyDeprecationWarning)
from importlib.metadata import EntryPoint
import scrapy.cmdline
command = EntryPoint("captcha", "scrapy_captcha.commands.captcha:Command", "scrapy.commands")
scrapy.cmdline.entry_points = lambda group: [command]
scrapy.cmdline.execute()
"""
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


def scrapy(directory: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", before + SCRAPY, *arguments],
        cwd=directory,
        env=os.environ | {"HOME": str(directory), "XDG_CACHE_HOME": str(directory / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return scrapy(tmp_path_factory.mktemp("demo"), "captcha", "demo", before=LOOPBACK_ONLY)


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
    done = scrapy(tmp_path, "captcha", "demo", "--nolog")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert scrapy(tmp_path, "captcha", "demo", "-s", "CAPTCHA_ENABLED=0").returncode == 1


def test_the_demo_says_in_one_line_what_it_needs(tmp_path: Path) -> None:
    missing = "import sys, importlib.util; importlib.util.find_spec = lambda name: None"
    done = scrapy(tmp_path, "captcha", "demo", before=missing)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().endswith("pip install 'scrapy-captcha[sandbox]'")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["no_such"]], ids=["none", "unknown"])
def test_other_sub_commands_are_a_usage_error_that_lists_them(
    arguments: list[str], tmp_path: Path
) -> None:
    done = scrapy(tmp_path, "captcha", *arguments)

    assert done.returncode == 2
    assert done.stderr.strip().endswith(", ".join(SUBCOMMANDS))


def test_an_argument_of_the_demo_is_a_usage_error(tmp_path: Path) -> None:
    done = scrapy(tmp_path, "captcha", "demo", "--pages=3")

    assert done.returncode == 2
    assert "--pages=3" in done.stderr


def test_help_names_the_sub_commands(tmp_path: Path) -> None:
    done = scrapy(tmp_path, "captcha", "--help")

    assert done.returncode == 0
    for name, about in SUBCOMMANDS.items():
        assert re.search(rf"^ +{name} +{re.escape(about)}$", done.stdout, re.MULTILINE)


def test_help_of_a_sub_command_is_its_own(tmp_path: Path) -> None:
    done = scrapy(tmp_path, "captcha", "solve", "--help")

    assert done.returncode == 0
    assert done.stdout.startswith("usage: scrapy captcha solve [-h] [--yes] [-o FILE] URL")


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_help_says_what_is_done_and_what_the_exit_codes_mean(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        import_module(f"scrapy_captcha.commands.{name}").run(Settings(), ["--help"])

    assert end.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith(f"usage: scrapy captcha {name} [-h]")
    assert "he exit code is 0 when" in told
    assert "README" not in told


def test_the_sandbox_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRAPY, "captcha", "sandbox", "--pages", "2"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        with urlopen(where["site_url"]) as answer:  # noqa: S310
            page = answer.read()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)

    assert page.count(b"/page/") == 2


def balance(directory: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    given = [
        f"-s{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in settings.items()
    ]
    return scrapy(directory, "captcha", "balance", *given)


def test_the_balance_of_each_account_is_told(tmp_path: Path) -> None:
    with sandbox_process(pages=1) as sandbox:
        names = ["capsolver", "2captcha"]
        settings = {
            "CAPTCHA_PROVIDERS": ",".join(names),
            "CAPTCHA_API_URLS": {name: sandbox.services[name] for name in names},
        }
        keys = dict.fromkeys(names, sandbox.api_key)
        told = balance(tmp_path, **settings, CAPTCHA_KEYS=keys)
        wrong = balance(tmp_path, **settings, CAPTCHA_KEYS=keys | {"capsolver": "sesame"})

    assert (told.returncode, told.stdout) == (0, "capsolver: 10.0\n2captcha: 10.0\n"), told.stderr
    assert (wrong.returncode, wrong.stdout) == (1, "2captcha: 10.0\n")
    assert wrong.stderr == "capsolver: AUTH_INVALID (HTTP 401): API key not found or invalid\n"


def test_without_an_account_there_is_no_balance_and_no_key_is_shown(tmp_path: Path) -> None:
    nothing = balance(tmp_path)
    one = {"CAPTCHA_PROVIDERS": "capsolver,2captcha", "CAPTCHA_KEYS": {"capsolver": "sesame"}}
    one_only = balance(tmp_path, **one)

    assert (nothing.returncode, one_only.returncode) == (1, 1)
    assert "CAPTCHA_API_URL" in nothing.stderr
    assert "CAPTCHA_KEY_2CAPTCHA" in one_only.stderr
    assert "sesame" not in one_only.stderr
