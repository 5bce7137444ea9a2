"""Each request ends once, in its callback or its errback, counted and logged, whatever happens."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest_twisted
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from weather import Crawl, pause

from scrapy_captcha import CaptchaError
from scrapy_captcha.errors import ERRORS, ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox import Answer, Guard, Mode, Passage, Shown

EXAMPLES = int(os.environ.get("CAPTCHA_EXAMPLES", "30"))
MOST_PAGES = 25
FAULTS = st.sampled_from([403, 404, 429, 500, 503, "close", "move", "wall"])
GUARDS = st.builds(
    Guard,
    kind=st.sampled_from([Kind.RECAPTCHA_V2, Kind.IMAGE]),
    mode=st.sampled_from([Mode.CLEARANCE, Mode.TOKEN]),
    shown=st.sampled_from(Shown),
    passage=st.sampled_from(Passage),
    status=st.sampled_from([200, 403, 429, 503]),
    reject_first=st.sampled_from([0, 0, 1, 5]),
)
CODES = [code.name for code in ErrorCode if ERRORS[code].status]
ANSWERS = st.one_of(
    st.builds(
        Answer,
        method=st.sampled_from(["createTask", "getTaskResult"]),
        error=st.sampled_from(CODES),
        retry_after=st.just(0.02),
        times=st.integers(1, 4),
    ),
    st.builds(
        Answer,
        method=st.sampled_from(["createTask", "getTaskResult"]),
        fault=st.just("close"),
        carried_out=st.booleans(),
    ),
)


@dataclass(frozen=True)
class Ask:
    """For pages, the first of which shows *faults* before it is as it should be."""

    count: int
    faults: list[int | str]

    async def run(self, crawl: Crawl) -> None:
        first = len(crawl.spider.asked) + 1
        crawl.front.faults[f"/page/{first}"] = list(self.faults)
        for number in range(first, min(first + self.count, MOST_PAGES + 1)):
            crawl.ask(f"/page/{number}")


@dataclass(frozen=True)
class AskBehind:
    """For a page with a guard of its own, or with none."""

    guard: Guard | None

    async def run(self, crawl: Crawl) -> None:
        number = len(crawl.spider.asked) + 1
        crawl.guards[f"/page/{number}"] = self.guard
        crawl.ask(f"/page/{number}")


@dataclass(frozen=True)
class Submit:
    """A form."""

    async def run(self, crawl: Crawl) -> None:
        number = len(crawl.spider.asked) + 1
        crawl.ask(f"/form/{number}", method="POST", body=f"n={number}")


@dataclass(frozen=True)
class SiteFails:
    """At whatever is asked for next, submissions and pictures included."""

    faults: list[int | str]

    async def run(self, crawl: Crawl) -> None:
        crawl.front.faults["*"] = list(self.faults)


@dataclass(frozen=True)
class SolverFails:
    answer: Answer

    async def run(self, crawl: Crawl) -> None:
        crawl.running.solver.script(self.answer)


@dataclass(frozen=True)
class ClearancesExpire:
    async def run(self, crawl: Crawl) -> None:
        crawl.running.site.gate._clearances.clear()


@dataclass(frozen=True)
class SessionsEnd:
    async def run(self, crawl: Crawl) -> None:
        crawl.running.site._visitors.clear()


@dataclass(frozen=True)
class TimePasses:
    seconds: float

    async def run(self, crawl: Crawl) -> None:
        await pause(self.seconds)


@dataclass(frozen=True)
class AllSettles:
    async def run(self, crawl: Crawl) -> None:
        await crawl.settle()


STEPS = st.one_of(
    st.builds(Ask, st.integers(1, 8), st.lists(FAULTS, max_size=3)),
    st.builds(AskBehind, st.none() | GUARDS),
    st.builds(Submit),
    st.builds(SiteFails, st.lists(FAULTS, min_size=1, max_size=4)),
    st.builds(SolverFails, ANSWERS),
    st.builds(ClearancesExpire),
    st.builds(SessionsEnd),
    st.builds(TimePasses, st.sampled_from([0.01, 0.1])),
    st.builds(AllSettles),
)
POOLS = st.sampled_from([(), (), (), ("good",), ("refused", "good"), ("refused",)])


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
@given(
    guard=GUARDS,
    concurrency=st.sampled_from([1, 16]),
    scope=st.sampled_from(["auto", "auto", "site", "page"]),
    pool=POOLS,
    on_no_proxy=st.sampled_from(["drop", "direct"]),
    steps=st.lists(STEPS, min_size=1, max_size=10),
)
@pytest_twisted.ensureDeferred
async def test_every_request_ends_once_counted_and_logged(
    guard: Guard, concurrency: int, scope: str, pool: tuple[str, ...], on_no_proxy: str, steps: Any
) -> None:
    own = {
        "CAPTCHA_MAX_DELAY": 0.2,
        "DOWNLOAD_TIMEOUT": 5,
        "CAPTCHA_ON_NO_PROXY": on_no_proxy,
        "CAPTCHA_SCOPE": scope,
        "CONCURRENT_REQUESTS": concurrency,
    }
    crawl = Crawl()
    await crawl.start(guard, pool, own)
    for step in (Ask(1, []), *steps, AllSettles()):
        await step.run(crawl)
    ended = Counter(crawl.spider.ended)
    await crawl.finish()
    check(crawl, ended)


def check(crawl: Crawl, ended: Counter[str]) -> None:
    """What holds of every crawl, once all has *ended*."""
    spider, stats, lines = crawl.spider, crawl.stats, crawl.lines.seen
    note("\n".join(["The log:", *lines]))
    assert ended == Counter(spider.asked)
    assert len(spider.asked) == len(spider.pages) + len(spider.failures)

    # Each page is the one that was asked for.
    for response in spider.pages:
        path = urlsplit(response.meta["asked"]).path
        number = path.rpartition("/")[2]
        expected = f"n={number}" if path.startswith("/form/") else f"Item {number}"
        assert expected in response.text, response.text

    # Each reason is counted, and each page that is given up has its line.
    reasons = crawl.given_up
    counted = {
        name.rpartition("/")[2]: count
        for name, count in stats.items()
        if name.startswith("captcha/dropped_count/")
    }
    assert counted == reasons
    assert stats.get("captcha/dropped_count", 0) == reasons.total()
    named = [unquote(line) for line in lines]
    for failure in spider.failures:
        if isinstance(failure.value, CaptchaError):
            path = urlsplit(failure.request.meta["asked"]).path  # type: ignore[attr-defined]
            assert [line for line in named if re.search(rf"{path}\b", line)], path
    assert [line for line in lines if " CRITICAL " in line or "Traceback" in line] == []
