"""The job of jobs.py on a machine whose clock jumps at SIGUSR1: a day ahead, then two days back."""

from __future__ import annotations

import runpy
import signal
import time
from itertools import chain, repeat
from pathlib import Path

DAY = 86400.0

_time = time.time
_jumps = chain([DAY, -2 * DAY], repeat(0.0))
_jumped = [0.0]


def _jump(_number: int, _frame: object) -> None:
    _jumped[0] += next(_jumps)


if __name__ == "__main__":
    # Before Twisted is there, which keeps the function that it finds.
    time.time = lambda: _time() + _jumped[0]
    signal.signal(signal.SIGUSR1, _jump)
    runpy.run_path(str(Path(__file__).with_name("jobs.py")), run_name="__main__")
