"""``scrapy captcha solve`` against the sandbox, asked and not asked."""

from __future__ import annotations

import os
import pty
import select
import time
from typing import TYPE_CHECKING, Any

import pytest
from commanding import Command
from forked import sandbox_process
from scrapy.settings import Settings

from scrapy_captcha.commands.solve import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from scrapy_captcha.sandbox.fixture import SandboxProcess


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def account(sandbox: SandboxProcess) -> list[str]:
    settings = {
        "CAPTCHA_API_URL": sandbox.api_url,
        "CAPTCHA_API_KEY": sandbox.api_key,
        "CAPTCHA_POLL_INTERVAL": 0.1,
    }
    return [f"-s{name}={value}" for name, value in settings.items()]


def steps(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was told, without the seconds."""
    return [line[9:] for line in done.stdout.splitlines()]


def bought(sandbox: SandboxProcess) -> int:
    created: int = sandbox.state()["solver"]["created"]
    return created


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with sandbox_process(pages=2, kind="hcaptcha", status=403) as sandbox:
        yield sandbox


def test_with_yes_it_tells_each_step_and_writes_the_page(
    command: Command, tmp_path: Path, sandbox: SandboxProcess
) -> None:
    url, file = f"{sandbox.site_url}/page/1", tmp_path / "page.html"
    done = command.run("solve", *account(sandbox), url, "--yes", "-o", str(file))
    task = next(iter(sandbox.state()["solver"]["polls"]))

    assert (done.returncode, done.stderr) == (0, "")
    told = steps(done)
    assert told[0].startswith(f"fetched, GET {url}: 403, ")
    assert told[1].startswith("challenge: hCaptcha; ")
    assert told[2].startswith("a solution: HCaptchaTaskProxyless at unified for about 0.005")
    assert told[3].startswith(f"fetched, GET {url}: 403, ")
    assert told[4:7] == [
        "Captcha detected (hcaptcha)",
        f"Task {task} created at unified (hcaptcha)",
        "Captcha solved (hcaptcha)",
    ]
    assert told[7].startswith(f"solution sent, POST {url}: 200, ")
    assert told[-2] == "Solution accepted"
    assert told[-1].startswith("page: 200 'Item 1', ")
    assert told[-1].endswith("; spent 0.002")
    assert "<h1>Item 1</h1>" in file.read_text()
    assert sandbox.api_key not in done.stdout


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("CAPTCHA_API_KEY=sesame", "AUTH_INVALID, API key not found or invalid"),
        ("CAPTCHA_DRY_RUN=1", "dry_run, CAPTCHA_DRY_RUN = True"),
        (
            "CAPTCHA_DOMAINS=shop.example",
            "domain, the page is of a domain outside allowed_domains or",
        ),
    ],
)
def test_settings_hold_and_the_reason_is_told(
    settings: str, reason: str, command: Command, sandbox: SandboxProcess
) -> None:
    before, url = bought(sandbox), f"{sandbox.site_url}/page/2"
    done = command.run("solve", *account(sandbox), f"-s{settings}", url, "--yes")

    assert done.returncode == 1
    assert steps(done)[-1].startswith(f"no page: {reason}")
    assert steps(done)[-1].endswith("; spent 0.00")
    assert bought(sandbox) == before


def test_a_second_solution_is_not_bought(command: Command) -> None:
    with sandbox_process(pages=1, reject_first=3) as sandbox:
        done = command.run("solve", *account(sandbox), f"{sandbox.site_url}/page/1", "--yes")
        assert bought(sandbox) == 1

    assert done.returncode == 1
    assert "Solution rejected, the site shows recaptcha_v2" in steps(done)
    assert steps(done)[-1].startswith("no page: budget, no second solution is bought")
    assert steps(done)[-1].endswith("; spent 0.002")


def test_a_page_without_a_captcha_comes_at_once_in_any_reactor(
    command: Command, sandbox: SandboxProcess
) -> None:
    other_reactor = "-sTWISTED_REACTOR=twisted.internet.selectreactor.SelectReactor"
    done = command.run("solve", *account(sandbox), other_reactor, sandbox.site_url)

    assert done.returncode == 0
    assert [step.partition(",")[0] for step in steps(done)] == ["fetched", "page: 200 'Catalogue'"]


def test_without_a_terminal_nothing_is_bought_unasked(
    command: Command, sandbox: SandboxProcess
) -> None:
    before = bought(sandbox)
    done = command.run("solve", *account(sandbox), f"{sandbox.site_url}/page/2")

    assert done.returncode == 1
    assert steps(done)[-2].startswith("there is no terminal to ask at: with --yes")
    assert steps(done)[-1] == "no page: nothing was bought; spent 0.00"
    assert bought(sandbox) == before


INTERRUPT = b"\x03"  # Ctrl-C


def answered(command: Command, arguments: list[str], answer: bytes) -> tuple[int, str]:
    """Exit code and output of the command at a terminal where somebody types *answer*."""
    terminal, end = pty.openpty()
    with command.at(end, *arguments) as process:
        os.close(end)
        said = read_until(b"[y/N] ", terminal)
        # What comes between the question and the reading of the answer interrupts nothing.
        time.sleep(0.2)
        os.write(terminal, answer)
        said += read_until(b"; spent ", terminal, again=INTERRUPT if answer == INTERRUPT else b"")
        said += read_until(b"", terminal)
        code = process.wait(timeout=120)
    os.close(terminal)
    return code, said.decode()


def read_until(words: bytes, terminal: int, again: bytes = b"") -> bytes:
    """What is said up to *words*, or to the end; *again* is typed in each silence."""
    said, end = b"", time.monotonic() + 30
    while (not words or words not in said) and time.monotonic() < end:
        if not select.select([terminal], [], [], 2)[0]:
            os.write(terminal, again)
            continue
        try:
            said += os.read(terminal, 1000)
        except OSError:  # the other end is closed
            break
    return said


@pytest.mark.parametrize(
    ("answer", "code", "last"),
    [(b"y\n", 0, "page: 200 'Item 2'"), (INTERRUPT, 1, "no page: nothing was bought; spent 0.00")],
    ids=["yes", "interrupt"],
)
def test_at_a_terminal_it_asks(
    answer: bytes, code: int, last: str, command: Command, sandbox: SandboxProcess
) -> None:
    before = bought(sandbox)
    arguments = ["solve", *account(sandbox), f"{sandbox.site_url}/page/2"]
    ended, said = answered(command, arguments, answer)

    assert ended == code, said
    assert "Solve it for about 0.005? [y/N] " in said
    assert last in said
    assert bought(sandbox) - before == (code == 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: URL"),
        (["shop.example"], "did you mean https://shop.example?"),
        (["https://shop.example", "-o", "no/such/page.html"], "cannot be written"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_fetched(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run(Settings(), arguments)

    assert end.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "set CAPTCHA_API_URL"),
        ({"CAPTCHA_BUDGTE": 1}, "did you mean CAPTCHA_BUDGET?"),
        ({"CAPTCHA_ENABLED": False}, "CAPTCHA_ENABLED = False"),
    ],
)
def test_settings_that_are_wrong_are_the_reason(
    settings: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Settings(settings), ["https://shop.example"]) == 1
    assert words in capsys.readouterr().err
