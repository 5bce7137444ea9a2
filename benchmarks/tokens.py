"""What is paid where each page wants a token of its own: ``python -m benchmarks.tokens``.

Once as fast as it goes, once with two seconds between downloads and tokens that live for twenty.
Beside it in each round: a crawl that awaits each solution where it meets the captcha.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.crawl import Job
from benchmarks.report import Row
from benchmarks.running import crawl, home, naive, pages, run, with_plugin
from scrapy_captcha.sandbox import Guard, Mode, Sandbox, SiteOptions, SolverOptions
from scrapy_captcha.sandbox.tokens import TokenFault

if TYPE_CHECKING:
    from argparse import Namespace


@dataclass(frozen=True)
class Work:
    """*pages* with a captcha each; times in seconds."""

    pages: int
    solve_time: float = 3.0
    token_life: float = 120.0
    delay: float = 0.0

    @property
    def settings(self) -> dict[str, Any]:
        """Of the crawl, which ends in twice the time that two downloads for each page take."""
        return {
            "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
            "DOWNLOAD_DELAY": self.delay,
            "CLOSESPIDER_TIMEOUT": 4 * self.pages * self.delay,
            "CAPTCHA_TOKEN_LIFE": 0.9 * self.token_life,
        }


@dataclass(frozen=True)
class Outcome:
    """Solutions that were paid, that the site refused as expired, and pages that came."""

    paid: int
    expired: int
    pages: int


async def outcome(setup: Any, work: Work) -> Outcome:
    """What a crawl with the settings of *setup* makes of *work*."""
    solver = SolverOptions(solve_time=work.solve_time, token_life=work.token_life)
    site = SiteOptions(work.pages, Guard(mode=Mode.TOKEN), latency=0.1)
    async with Sandbox(solver, site) as sandbox:
        waves = [home(sandbox), pages(sandbox, range(1, work.pages + 1))]
        crawled = await crawl(Job(waves=waves, settings=setup(sandbox, **work.settings)))
        expired = sandbox.site.gate.rejected[TokenFault.EXPIRED]
        return Outcome(sandbox.solver.created, expired, len(crawled.arrivals))


def rows(work: Work, rounds: list[tuple[Outcome, Outcome]]) -> list[Row]:
    """The figures of *rounds*, each of the plugin and of the baseline."""
    name = f"one token a page, {work.pages} captchas"
    if work.delay:
        name += f", delay of {work.delay:g} s, tokens of {work.token_life:g} s"
    counted = (
        (name, "paid", "paid", work.pages),
        ("    expired", "expired", "", 0),
        ("    pages that came", "pages", "", work.pages),
    )
    return [
        Row(
            work=text,
            unit=unit,
            measured=[getattr(plugin, field) for plugin, _ in rounds],
            baseline=[getattr(other, field) for _, other in rounds],
            exactly=exactly,
        )
        for text, field, unit, exactly in counted
    ]


async def measure(options: Namespace) -> list[Row]:
    """The rows of both."""
    works = [Work(40), Work(40, token_life=20.0, delay=2.0)]
    if options.quick:
        works = [Work(3, solve_time=0.2)]
    found = []
    for work in works:
        rounds = [
            (await outcome(with_plugin, work), await outcome(naive, work))
            for _ in range(options.rounds)
        ]
        found += rows(work, rounds)
    return found


if __name__ == "__main__":
    run(__doc__ or "", measure, rounds=1)
