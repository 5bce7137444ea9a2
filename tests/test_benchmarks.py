"""The benchmarks run, in their quick form, and count what they are to count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def started() -> Iterator[dict[str, subprocess.Popen[str]]]:
    """All of them at once: most of their time they wait."""
    processes = {
        name: subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--rounds", "1"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in COMMANDS
    }
    yield processes
    for process in processes.values():
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_benchmark_runs(name: str, started: dict[str, subprocess.Popen[str]]) -> None:
    table, errors = started[name].communicate(timeout=60)

    assert errors == ""
    assert "median (spread)" in table
    assert started[name].returncode == 0, table
