"""What is paid where one solution opens the whole site: ``python -m benchmarks.clearance``.

Beside it in each round: a crawl that awaits each solution where it meets the captcha.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.crawl import Job
from benchmarks.report import Row
from benchmarks.running import crawl, home, naive, pages, run, with_plugin
from scrapy_captcha.sandbox import Guard, Sandbox, SiteOptions, SolverOptions

if TYPE_CHECKING:
    from argparse import Namespace


async def paid_for(setup: Any, count: int, at_once: int, solve_time: float) -> tuple[int, int]:
    """How many solutions are paid, and how many pages come, with the settings of *setup*."""
    site = SiteOptions(count, Guard(), latency=0.1)
    async with Sandbox(SolverOptions(solve_time=solve_time), site) as sandbox:
        concurrency = dict.fromkeys(
            ("CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN"), at_once
        )
        waves = [home(sandbox), pages(sandbox, range(1, count + 1))]
        crawled = await crawl(Job(waves=waves, settings=setup(sandbox, **concurrency)))
        return sandbox.solver.created, len(crawled.arrivals)


async def measure(options: Namespace) -> list[Row]:
    """The rows."""
    work = (20, 8, 0.2) if options.quick else (400, 40, 3.0)
    rounds = [
        (await paid_for(with_plugin, *work), await paid_for(naive, *work))
        for _ in range(options.rounds)
    ]
    return [
        Row(
            work=f"one clearance, {work[0]} pages, {work[1]} at once: solves",
            unit="paid",
            measured=[paid for (paid, _), _ in rounds],
            baseline=[paid for _, (paid, _) in rounds],
            exactly=1,
        ),
        Row(
            work="    pages that came",
            unit="",
            measured=[arrived for (_, arrived), _ in rounds],
            baseline=[arrived for _, (_, arrived) in rounds],
            exactly=work[0],
        ),
    ]


if __name__ == "__main__":
    run(__doc__ or "", measure)
