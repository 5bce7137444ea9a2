"""The fuzzer and the soak run, in short."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    return subprocess.run(  # noqa: S603
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


def test_ten_thousand_odd_inputs_are_survived() -> None:
    done = run("endurance.fuzz", "--inputs", "10000", "--seed", "7")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10000 inputs, 0 targets with findings" in done.stdout


def test_an_input_can_be_repeated() -> None:
    done = run("endurance.fuzz", "--target", "pages", "--only", "5")
    assert done.returncode == 0, done.stderr


def test_a_job_that_is_stopped_loses_nothing() -> None:
    done = run("endurance.soak", "--stops", "1", "--kills", "0", "--pages", "80")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed, plain" in done.stdout


@pytest.mark.skipif(
    not (shutil.which("redis-server") and find_spec("scrapy_redis")), reason="no Redis"
)
def test_a_worker_that_is_stopped_loses_nothing() -> None:
    done = run("endurance.workers", "--rounds", "1", "--pages", "100")
    assert done.returncode == 0, done.stdout + done.stderr
