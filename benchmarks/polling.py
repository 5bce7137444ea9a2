"""Calls of the API for each solution, and time lost: ``python -m benchmarks.polling``.

Solves take 5 to 40 s at random; the first fifty are there to learn from and are not counted. The
time lost goes from when a solution was ready to the call that fetched it. Beside it: what a look
at each task every three seconds comes to for the same solves.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from random import Random
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.crawl import Job
from benchmarks.report import Row
from benchmarks.running import crawl, pages, run, with_plugin
from scrapy_captcha.sandbox import Guard, Mode, Sandbox, SiteOptions, SolverOptions

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from scrapy_captcha.sandbox.calls import ReceivedCall


@dataclass(frozen=True)
class Work:
    """*first* solves to learn from, then *counted* ones; times in seconds."""

    first: int = 50
    counted: int = 200
    shortest: float = 5.0
    longest: float = 40.0
    interval: float = 3.0


@dataclass(frozen=True)
class Solve:
    """A purchase: how long it took, how many calls it made, the time lost."""

    seconds: float
    calls: int
    lost: float

    @property
    def share_lost(self) -> float:
        """In percent of the time that the solve took."""
        return 100 * self.lost / self.seconds

    def at_fixed_intervals(self, interval: float) -> Solve:
        """The same with a look every *interval* seconds."""
        looks = ceil(self.seconds / interval)
        return Solve(self.seconds, 1 + looks, looks * interval - self.seconds)


def solve_of(calls: Sequence[ReceivedCall], seconds: float) -> Solve:
    """From the *calls* about one task, in their order, whose solution took *seconds*."""
    return Solve(seconds, len(calls), calls[-1].at - calls[0].at - seconds)


async def solves(work: Work, seed: int) -> list[Solve]:
    """Those that are counted."""
    took: dict[str, float] = {}
    random = Random(seed)

    def seconds(task: Mapping[str, object]) -> float:
        url = str(task["websiteURL"])
        took[url] = random.uniform(work.shortest, work.longest)
        return took[url]

    every = work.first + work.counted
    site = SiteOptions(every, Guard(mode=Mode.TOKEN), session_bound=False)
    async with Sandbox(SolverOptions(solve_time=seconds, balance=100), site) as sandbox:
        first, counted = (
            pages(sandbox, numbers)
            for numbers in (range(1, work.first + 1), range(work.first + 1, every + 1))
        )
        settings = with_plugin(
            sandbox,
            CAPTCHA_SCOPE="page",
            CAPTCHA_POLL_INTERVAL=work.interval,
            CAPTCHA_CONCURRENT_SOLVES=every,
        )
        await crawl(Job(waves=[first, counted], settings=settings))
        calls: dict[str, list[ReceivedCall]] = {url: [] for url in counted}
        for call in sandbox.solver.calls:
            if call.url in calls:
                calls[call.url].append(call)
        return [solve_of(calls[url], took[url]) for url in counted]


async def measure(options: Namespace) -> list[Row]:
    """The rows: medians over the solves of a round."""
    work = Work(5, 10, 0.2, 0.5, 0.05) if options.quick else Work()
    rounds = [await solves(work, seed) for seed in range(options.rounds)]
    fixed = [[solve.at_fixed_intervals(work.interval) for solve in made] for made in rounds]
    return [
        Row(
            work=f"solves of {work.shortest:g} to {work.longest:g} s: calls of the API",
            unit="each",
            measured=[median(s.calls for s in made) for made in rounds],
            baseline=[median(s.calls for s in made) for made in fixed],
            at_most=4,
        ),
        Row(
            work="    time lost after the solution was ready",
            unit="%",
            measured=[median(s.share_lost for s in made) for made in rounds],
            baseline=[median(s.share_lost for s in made) for made in fixed],
            at_most=10,
        ),
    ]


if __name__ == "__main__":
    run(__doc__ or "", measure, rounds=1)
