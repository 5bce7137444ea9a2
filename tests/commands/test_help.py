"""What ``scrapy captcha`` says of itself, and of arguments that mean nothing to it."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from commanding import Command
from scrapy.settings import Settings

from scrapy_captcha.commands.captcha import SUBCOMMANDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("arguments", [[], ["no_such"]], ids=["none", "unknown"])
def test_other_sub_commands_are_a_usage_error_that_lists_them(
    arguments: list[str], tmp_path: Path
) -> None:
    done = Command(tmp_path).run(*arguments)

    assert done.returncode == 2
    assert done.stderr.strip().endswith(", ".join(SUBCOMMANDS))


def test_help_names_the_sub_commands(tmp_path: Path) -> None:
    done = Command(tmp_path).run("--help")

    assert done.returncode == 0
    for name, about in SUBCOMMANDS.items():
        assert re.search(rf"^ +{name} +{re.escape(about)}$", done.stdout, re.MULTILINE)


def test_help_of_a_sub_command_is_its_own(tmp_path: Path) -> None:
    done = Command(tmp_path).run("solve", "--help")

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
