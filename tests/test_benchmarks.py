"""The benchmarks run, in their quick form, and count what they are to count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = (
    "alternatives",
    "clearance",
    "memory",
    "polling",
    "slow_solver",
    "stopping",
    "throughput",
    "tokens",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_benchmark_runs(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--rounds", "1"]
    run = subprocess.run(  # noqa: S603
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )

    assert run.stderr == ""
    assert "median (spread)" in run.stdout
    assert run.returncode == 0, run.stdout
