"""The speed of a crawl that ends before its captchas do: ``python -m benchmarks.slow_solver``.

As `benchmarks.throughput`, with three times as many captchas and 20 s for each. It is measured
until nine tenths of the pages without a captcha have come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.running import run, with_plugin
from benchmarks.throughput import Work, gaps, guarded, plain, speed

if TYPE_CHECKING:
    from argparse import Namespace

    from benchmarks.report import Row

WORK = Work(2_000, 600, 20.0, only_open=True)
QUICK = Work(40, 12, 0.5, only_open=True)


async def measure(options: Namespace) -> list[Row]:
    """The rows of that work."""
    work = QUICK if options.quick else WORK
    rounds = [(await plain(work), await guarded(work, with_plugin)) for _ in range(options.rounds)]
    return [speed(str(work), work, rounds, at_least=0.95), *gaps(rounds)]


if __name__ == "__main__":
    run(__doc__ or "", measure)
