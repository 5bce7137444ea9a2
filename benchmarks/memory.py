"""What a parked request costs in memory: ``python -m benchmarks.memory``.

Resident memory after a garbage collection, beyond that of a crawl which holds as many requests in
a list. Once where all wait for the one that solves for their session, and once where each waits
for its own solution. ``--trace`` prints where the memory was allocated instead.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from benchmarks.crawl import Job
from benchmarks.report import Row
from benchmarks.running import crawl, home, pages, run, with_plugin, without
from scrapy_captcha.sandbox import Guard, Mode, Sandbox, SiteOptions, SolverOptions

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from benchmarks.crawl import Crawled

_CRAWL: dict[str, Any] = {"CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": 64}
_PAGE = 20_000  # bytes
_FOREVER = 3_600.0  # seconds
_FRAMES = 1


async def crawled(guard: Guard | None, scope: str, count: int, frames: int) -> Crawled:
    """A crawl that ends when *count* requests are parked or, without *guard*, in a list."""
    site = SiteOptions(count, guard, page_size=_PAGE)
    async with Sandbox(SolverOptions(solve_time=_FOREVER), site) as sandbox:
        settings = with_plugin(sandbox, CAPTCHA_SCOPE=scope, **_CRAWL)
        job = Job(
            waves=[home(sandbox), pages(sandbox, range(1, count + 1))],
            settings=settings if guard else without(**_CRAWL),
            ready_after=count,
            stops=True,
            keeps=guard is None,
            traced=frames,
        )
        return await crawl(job)


async def measured(name: str, scope: str, count: int, options: Namespace) -> Row:
    """Of one way to wait."""
    guards = Guard(mode=Mode.TOKEN), None
    frames = _FRAMES if options.trace else 0

    async def pair() -> list[Crawled]:
        return [await crawled(guard, scope, count, frames) for guard in guards]

    rounds = [await pair() for _ in range(options.rounds)]
    for which, one in zip((name, "    held in a list"), rounds[0], strict=True):
        sys.stdout.writelines(f"{line}\n" for line in (which, *one.trace) if one.trace)
    return Row(
        work=f"{count} parked, {name}",
        unit="kB each",
        measured=[(parked.memory - held.memory) / count / 1e3 for parked, held in rounds],
        baseline=[held.memory / count / 1e3 for _, held in rounds],
        at_most=5,
    )


async def measure(options: Namespace) -> list[Row]:
    """The rows; the baseline is what the request itself costs, with all that Scrapy keeps of it."""
    if options.quick:
        return [await measured("each for itself", "page", 100, options)]
    return [
        await measured("one solves for all", "auto", 10_000, options),
        await measured("each for itself", "page", 10_000, options),
    ]


def _add_trace(parser: ArgumentParser) -> None:
    parser.add_argument("--trace", action="store_true", help="where the memory is, by line")


if __name__ == "__main__":
    run(__doc__ or "", measure, add_arguments=_add_trace)
