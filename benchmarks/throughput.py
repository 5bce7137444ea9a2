"""How fast a crawl is while captchas are solved: ``python -m benchmarks.throughput``.

Beside it in each round: a crawl with as many downloads and no captcha, and one that awaits each
solution where it meets the captcha. The last rows are the reactor's longest gaps in these crawls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True)
class Round:
    """The three crawls."""

    open: Crawled
    plugin: Crawled
    naive: Crawled

    def ratio(self, crawled: Crawled) -> float:
        """The time of as many downloads without captchas, by that of *crawled*."""
        made = sum(at <= crawled.done for at in crawled.downloads)
        return self.open.downloads[min(made, len(self.open.downloads)) - 1] / crawled.done


async def one_round(work: Work) -> Round:
    """The crawls, one after the other."""
    captchas = {f"/page/{n}": Guard(mode=Mode.TOKEN) for n in work.guarded}
    downloads = work.pages + work.captchas
    site = SiteOptions(downloads, None, latency=_LATENCY)
    async with Sandbox(site=site) as sandbox:
        plain = await crawl(
            Job(
                waves=[home(sandbox), pages(sandbox, range(1, downloads + 1))],
                settings=without(**_CRAWL),
            )
        )
    found = []
    for settings in (with_plugin, naive):
        site = SiteOptions(work.pages, None, captchas, latency=_LATENCY)
        async with Sandbox(SolverOptions(solve_time=work.solve_time, balance=100), site) as sandbox:
            counted = pages(sandbox, work.counted)
            job = Job(
                waves=[home(sandbox), pages(sandbox, range(1, work.pages + 1))],
                settings=settings(sandbox, **_CRAWL),
                counted=counted,
                enough=len(counted) * 9 // 10,
                stops=work.only_open,
            )
            found.append(await crawl(job))
    return Round(plain, *found)


async def measured(work: Work, rounds: int) -> list[Row]:
    """The rows of *rounds* rounds."""
    made = [await one_round(work) for _ in range(rounds)]
    done, share = len(work.counted) * 9 // 10, work.captchas * 100 // work.pages
    speeds = [done / r.plugin.done for r in made]
    speed, slow = ([r.ratio(getattr(r, kind)) for r in made] for kind in ("plugin", "naive"))
    return [
        Row(
            work=f"{work.pages} pages, {share} % captchas, {work.solve_time:g} s solves",
            unit="pages/s",
            measured=speeds,
            baseline=[v / ratio for v, ratio in zip(speeds, speed, strict=True)],
            by_ratio=True,
            at_least=0.95,
        ),
        Row(
            work="    awaited in the middleware",
            unit="pages/s",
            measured=[done / r.naive.done for r in made],
            baseline=[done / r.naive.done / ratio for r, ratio in zip(made, slow, strict=True)],
        ),
        Row(
            work="    longest gap of the reactor; without the plugin",
            unit="ms",
            measured=[r.plugin.gap * 1e3 for r in made],
            baseline=[r.open.gap * 1e3 for r in made],
            at_most=50,
        ),
        Row(
            work="    of it CPU time",
            unit="ms",
            measured=[r.plugin.gap_cpu * 1e3 for r in made],
            baseline=[r.open.gap_cpu * 1e3 for r in made],
        ),
    ]


WORK = Work(2_000, 200, 3.0)
QUICK = Work(40, 4, 0.2)


async def measure(options: Namespace) -> list[Row]:
    """The rows of that work."""
    return await measured(QUICK if options.quick else WORK, options.rounds)


if __name__ == "__main__":
    run(__doc__ or "", measure)
