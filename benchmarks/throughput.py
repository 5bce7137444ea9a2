"""How fast a crawl is while captchas are solved: ``python -m benchmarks.throughput``.

Beside it in each round: a crawl with as many downloads and no captcha, and one that awaits each
solution where it meets the captcha. The longest gap of the reactor is that of the same crawls; of
garbage collections, only what the crawl itself puts on the heap counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.crawl import Job
from benchmarks.report import Row
from benchmarks.running import crawl, home, naive, pages, run, with_plugin, without
from scrapy_captcha.sandbox import Guard, Mode, Sandbox, SiteOptions, SolverOptions

if TYPE_CHECKING:
    from argparse import Namespace

    from benchmarks.crawl import Crawled

_CRAWL: dict[str, Any] = {"CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16}
_LATENCY = 0.1


@dataclass(frozen=True)
class Work:
    """A crawl of *pages*, of which *captchas* have one, solved within *solve_time* seconds.

    It is done when nine tenths of the pages are, or of those without a captcha.
    """

    pages: int
    captchas: int
    solve_time: float
    only_open: bool = False

    @property
    def guarded(self) -> frozenset[int]:
        """The numbers of the pages with a captcha, spread evenly."""
        every, of = self.pages, self.captchas
        return frozenset(n for n in range(1, every + 1) if n * of // every > (n - 1) * of // every)

    @property
    def counted(self) -> list[int]:
        """The numbers of the pages that are waited for."""
        left_out = self.guarded if self.only_open else frozenset()
        return [n for n in range(1, self.pages + 1) if n not in left_out]

    @property
    def enough(self) -> int:
        """How many of them make it done."""
        return len(self.counted) * 9 // 10

    def __str__(self) -> str:
        share = self.captchas * 100 // self.pages
        return f"{self.pages} pages, {share} % captchas, {self.solve_time:g} s solves"


async def plain(work: Work) -> Crawled:
    """A crawl with as many downloads and no captcha."""
    downloads = work.pages + work.captchas
    async with Sandbox(site=SiteOptions(downloads, None, latency=_LATENCY)) as sandbox:
        waves = [home(sandbox), pages(sandbox, range(1, downloads + 1))]
        return await crawl(Job(waves=waves, settings=without(**_CRAWL)))


async def guarded(work: Work, setup: Any) -> Crawled:
    """The crawl, with the settings of *setup*; it ends early where only a part is waited for."""
    captchas = {f"/page/{n}": Guard(mode=Mode.TOKEN) for n in work.guarded}
    site = SiteOptions(work.pages, None, captchas, latency=_LATENCY)
    async with Sandbox(SolverOptions(solve_time=work.solve_time, balance=100), site) as sandbox:
        job = Job(
            waves=[home(sandbox), pages(sandbox, range(1, work.pages + 1))],
            settings=setup(sandbox, **_CRAWL),
            counted=pages(sandbox, work.counted),
            enough=work.enough,
            stops=work.only_open,
        )
        return await crawl(job)


def speed(name: str, work: Work, rounds: list[tuple[Crawled, Crawled]], **target: float) -> Row:
    """Pages a second in *rounds*, each of a plain crawl and the crawl itself.

    The baseline is what the plain one would make of it: as many downloads as were needed.
    """
    times = [(plain.downloads[_needed(work, own) - 1][0], own.done) for plain, own in rounds]
    return Row(
        work=name,
        unit="pages/s",
        measured=[work.enough / own for _, own in times],
        baseline=[work.enough / plain for plain, _ in times],
        by_ratio=True,
        **target,
    )


def _needed(work: Work, crawled: Crawled) -> int:
    """Downloads until it was done: one for each page, and one for each solution."""
    asked = {url for at, url in crawled.downloads if at <= crawled.done}
    came = {urlsplit(url).path for at, url in crawled.arrivals if at <= crawled.done}
    return len(asked) + sum(f"/page/{n}" in came for n in work.guarded)


def gaps(rounds: list[tuple[Crawled, Crawled]]) -> list[Row]:
    """The longest gaps of the reactor, in *rounds* of a plain crawl and the crawl itself."""
    gap, cpu = (
        [
            [getattr(crawled, field) * 1e3 for crawled in which]
            for which in zip(*rounds, strict=True)
        ]
        for field in ("gap", "gap_cpu")
    )
    return [
        Row(
            work="    longest gap of the reactor",
            unit="ms",
            measured=gap[1],
            baseline=gap[0],
            at_most=50,
        ),
        Row(work="    the same in CPU time", unit="ms", measured=cpu[1], baseline=cpu[0]),
    ]


WORK = Work(2_000, 200, 3.0)
QUICK = Work(40, 4, 0.2)


async def measure(options: Namespace) -> list[Row]:
    """The rows of that work."""
    work = QUICK if options.quick else WORK
    with_ours, awaited = [], []
    for _ in range(options.rounds):
        baseline = await plain(work)
        with_ours.append((baseline, await guarded(work, with_plugin)))
        awaited.append((baseline, await guarded(work, naive)))
    return [
        speed(str(work), work, with_ours, at_least=0.95),
        *gaps(with_ours),
        Row(
            work="    pages that came",
            unit="",
            measured=[len(crawled.arrivals) for _, crawled in with_ours],
            exactly=work.pages,
        ),
        speed("    awaited in the middleware", work, awaited),
    ]


if __name__ == "__main__":
    run(__doc__ or "", measure)
