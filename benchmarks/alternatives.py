"""The same crawl with the plugin and what else there is: ``python -m benchmarks.alternatives``.

Packages are measured where they are installed; none is needed, and all may share an environment::

    pip install 2captcha-python scrapy-turnstile scrapyx-mw scrapy-flaresolverr

Each is set up as its own description says, and looks for its solution every second where it looks
at all. Every captcha takes the solver as long, whatever its kind; a package that knows one kind
only meets that one. The baseline is the same crawl without captchas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, gatherResults

from benchmarks.arena import arena
from benchmarks.crawl import Job
from benchmarks.report import Row
from benchmarks.running import crawl, run
from benchmarks.throughput import Work
from benchmarks.ways import NOTHING, OTHERS, PLUGIN
from scrapy_captcha.sandbox import Guard, Mode

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from benchmarks.ways import Way


@dataclass(frozen=True)
class Site:
    """What a solution is good for; with *refuses*, one captcha in ten refuses the first."""

    words: str
    mode: Mode
    refuses: bool = False

    def refusing(self, work: Work) -> frozenset[int]:
        """The numbers of the pages that do so."""
        return frozenset(sorted(work.guarded)[1::10] if self.refuses else ())

    def expected(self, work: Work) -> Outcome:
        """What is to come of it, times aside."""
        needed = work.captchas if self.mode is Mode.TOKEN else 1
        return Outcome(0, 0, 0, work.pages, 0, needed + len(self.refusing(work)))


SITES = (
    Site("a token a page", Mode.TOKEN),
    Site("a token a page, one captcha in ten refuses the first", Mode.TOKEN, refuses=True),
    Site("one token for all, by a cookie", Mode.CLEARANCE),
)


@dataclass(frozen=True)
class Outcome:
    """What became of a crawl.

    * *most*, *last*: seconds until nine tenths of the pages had come, and the last that did
    * *gap*: the longest that the reactor had no turn, in seconds
    * *pages* whose content came, *captchas* that came as if they were content, tasks *bought*
    """

    most: float
    last: float
    gap: float
    pages: int
    captchas: int
    bought: int


async def outcome(work: Work, way: Way, site: Site | None) -> Outcome:
    """What *way* makes of *work*; without captchas where there is no *site*."""
    guard = Guard(way.kind, site.mode if site else Mode.TOKEN)
    guarded, refusing = (work.guarded, site.refusing(work)) if site else (frozenset(), frozenset())
    async with arena(work.pages, guarded, guard, refusing, work.solve_time) as stage:
        urls = [f"{stage.site_url}/page/{number}" for number in range(1, work.pages + 1)]
        waves = [[f"{stage.site_url}/"], urls]
        settings, spider = way.setup(stage), way.spider
        crawled = await crawl(Job(waves=waves, settings=settings, spider=spider))
        came = {urlsplit(url).path for _, url in crawled.arrivals}
        return Outcome(
            crawled.arrivals[: work.enough][-1][0],
            crawled.arrivals[-1][0],
            crawled.gap,
            len(came & stage.site.opened),
            len(came - stage.site.opened),
            stage.bought,
        )


WORK = Work(400, 40, 2.0)
QUICK = Work(20, 2, 0.2)
TIMES = {
    "most": "until nine tenths of the pages had come",
    "last": "until the last that did",
    "gap": "longest gap of the reactor",
}
COUNTS = {
    "pages": "pages that came",
    "captchas": "captcha pages that came as content",
    "bought": "captchas solved",
}


def times(rounds: Sequence[Outcome], baseline: Sequence[Outcome]) -> list[Row]:
    """The times of one crawl."""
    return [
        Row(
            work=f"    {words}",
            unit="s",
            measured=[getattr(one, name) for one in rounds],
            baseline=[getattr(one, name) for one in baseline],
        )
        for name, words in TIMES.items()
    ]


def counts(rounds: Sequence[Outcome], expected: Outcome | None) -> list[Row]:
    """The counts of one crawl, judged by those *expected*."""
    return [
        Row(
            work=f"    {words}",
            unit="",
            measured=[getattr(one, name) for one in rounds],
            exactly=getattr(expected, name) if expected else None,
        )
        for name, words in COUNTS.items()
    ]


def heading(words: str) -> Row:
    """A row without figures."""
    return Row(work=words, unit="", measured=[])


async def outcomes(
    work: Work, crawls: Sequence[tuple[Way, Site | None]], *, at_once: bool
) -> list[Outcome]:
    """What the *crawls* make of *work*, in their order."""
    if at_once:
        return await gatherResults(
            [Deferred.fromCoroutine(outcome(work, way, site)) for way, site in crawls]
        )
    return [await outcome(work, way, site) for way, site in crawls]


async def measure(options: Namespace) -> list[Row]:
    """The rows, way by way."""
    work, sites = (QUICK, SITES[1:]) if options.quick else (WORK, SITES)
    ways = (PLUGIN, *OTHERS)
    compared = [(way, site) for way in ways if way.is_there for site in sites]
    crawls = [(NOTHING, None), *compared]
    rounds = [await outcomes(work, crawls, at_once=options.quick) for _ in range(options.rounds)]
    baseline, *measured = zip(*rounds, strict=True)
    of = dict(zip(compared, measured, strict=True))
    rows = []
    for way in ways:
        rows.append(heading(str(way)))
        for site in sites if way.is_there else ():
            own, expected = of[way, site], site.expected(work) if way is PLUGIN else None
            rows += [heading(f"  {site.words}"), *times(own, baseline), *counts(own, expected)]
    return rows


if __name__ == "__main__":
    run(__doc__ or "", measure, rounds=1)
