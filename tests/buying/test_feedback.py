"""What the services hear of their solutions."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest_twisted
from scrapy.http import Request
from scrapy.utils.defer import deferred_from_coro
from scrapy.utils.test import get_crawler

from scrapy_captcha import Captcha, Kind
from scrapy_captcha.buying.feedback import Feedback
from scrapy_captcha.models import Solution
from scrapy_captcha.policy import Policy
from scrapy_captcha.providers import Call, Order, TwoCaptcha
from scrapy_captcha.publishing import Events
from scrapy_captcha.reporting.stats import Stats
from scrapy_captcha.sandbox import Answer, Sandbox
from scrapy_captcha.settings.choices import Preference
from scrapy_captcha.solver.client import SolverClient
from scrapy_captcha.solver.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    import pytest
    from scrapy.statscollectors import StatsCollector

BOX = Captcha(Kind.RECAPTCHA_V2, "http://127.0.0.1/page", "key")
PAGE = Request(BOX.url)


class Sold:
    """Solutions of a service that takes reports, and what is said about them."""

    def __init__(self, running: Sandbox) -> None:
        self.service = running.services["2captcha"]
        self.client = SolverClient(
            TwoCaptcha(poll_interval=0.05),
            api_url=running.url_of("2captcha"),
            api_key="sandbox-key",
            policy=Policy(),
            http_timeout=30,
        )
        crawler = get_crawler()
        crawler.spider = crawler._create_spider("any")
        assert crawler.stats is not None
        self.stats: StatsCollector = crawler.stats
        self.feedback = Feedback(
            Ranking(Preference.LISTED), Events(Stats(crawler)), lambda _: b"visitor=1"
        )

    async def sell(self, *names: str) -> None:
        """Solutions of that many tasks are on their way."""
        for name in names:
            task_id = (await self.client._caller.drive(_task()))["taskId"]
            solution = Solution({"token": "t"}, task_id)
            self.feedback.solved(name, BOX, solution, self.client, PAGE)

    async def said(self) -> list[tuple[bool, bool]]:
        """Whether each report was of a correct solution, and whether its price came back."""
        await deferred_from_coro(self.feedback.until_reported())
        return [(report.correct, report.refunded) for report in self.service.reports]


@asynccontextmanager
async def sold() -> AsyncIterator[Sold]:
    async with Sandbox() as running:
        made = Sold(running)
        try:
            yield made
        finally:
            await deferred_from_coro(made.client.close())


@pytest_twisted.ensureDeferred
async def test_each_solution_is_reported_once_and_within_the_services_time_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with sold() as made:
        await made.sell("good", "one", "late")
        made.feedback.accepted("good", is_first=True)
        for _ in range(2):
            made.feedback.rejected("one", PAGE, 200)
        made.feedback.rejected("never bought", PAGE, 200)
        monkeypatch.setattr(TwoCaptcha, "report_window", 1.0)
        later = time.monotonic() + 60
        monkeypatch.setattr("scrapy_captcha.buying.feedback.time.monotonic", lambda: later)
        made.feedback.rejected("late", PAGE, 200)
        monkeypatch.undo()

        assert sorted(await made.said()) == [(False, True), (True, False)]
        assert made.stats.get_value("captcha/report_count") == 2


@pytest_twisted.ensureDeferred
async def test_a_report_that_is_not_answered_does_not_keep_a_crawl_from_closing() -> None:
    async with sold() as made:
        made.service.script(Answer("reportCorrect", fault="hang"))
        await made.sell("one")
        made.feedback.accepted("one")

        await made.said()
        assert made.stats.get_value("captcha/report_count") is None


@pytest_twisted.ensureDeferred
async def test_solutions_of_which_no_site_says_anything_are_forgotten_in_the_end() -> None:
    async with sold() as made:
        for number in range(12_000):
            made.feedback.solved(str(number), BOX, Solution({}, number), made.client, PAGE)

        assert len(made.feedback._sold) == 10_000


def _task() -> Generator[Any, Any, Any]:
    body = yield Call(
        "createTask", {"task": TwoCaptcha(poll_interval=0.05).task(Order(BOX, "any"))}
    )
    return body
