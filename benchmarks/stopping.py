"""How long a crawl takes to end after Ctrl-C: ``python -m benchmarks.stopping``.

From the signal to the end of the process while requests are parked, with and without JOBDIR. Beside
it in each round: a crawl that awaits its solutions where it meets the captchas, sixteen at once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.crawl import Job
from benchmarks.report import Row
from benchmarks.running import crawl, home, naive, pages, run, with_plugin
from scrapy_captcha.sandbox import Guard, Mode, Sandbox, SiteOptions, SolverOptions

if TYPE_CHECKING:
    from argparse import Namespace

_AT_ONCE = 16


@dataclass(frozen=True)
class Work:
    """*pages* with a captcha each, solved within *solve_time* seconds."""

    pages: int
    solve_time: float


async def seconds_to_stop(setup: Any, work: Work, shown: int, **settings: Any) -> float:
    """From SIGINT, given once *shown* pages have shown their captcha."""
    signalled = 0.0

    def note() -> None:
        nonlocal signalled
        signalled = time.monotonic()

    site = SiteOptions(work.pages, Guard(mode=Mode.TOKEN))
    async with Sandbox(SolverOptions(solve_time=work.solve_time), site) as sandbox:
        job = Job(
            waves=[home(sandbox), pages(sandbox, range(1, work.pages + 1))],
            settings=setup(sandbox, CONCURRENT_REQUESTS=_AT_ONCE, **settings),
            ready_after=shown,
        )
        await crawl(job, on_ready=note)
        return time.monotonic() - signalled


async def measure(options: Namespace) -> list[Row]:
    """The rows."""
    work = Work(50, 0.5) if options.quick else Work(1_000, 10.0)
    found: dict[str, list[float]] = {"without": [], "with": [], "naive": []}
    for _ in range(options.rounds):
        found["without"].append(await seconds_to_stop(with_plugin, work, work.pages))
        with TemporaryDirectory() as path:
            found["with"].append(await seconds_to_stop(with_plugin, work, work.pages, JOBDIR=path))
        found["naive"].append(await seconds_to_stop(naive, work, _AT_ONCE))
    return [
        Row(
            work=f"stop with {work.pages} parked, {which} JOBDIR",
            unit="s",
            measured=found[which],
            baseline=found["naive"],
            at_most=2,
        )
        for which in ("without", "with")
    ]


if __name__ == "__main__":
    run(__doc__ or "", measure)
