"""Files that are garbage, loops that stall, stops amid long waits: the crawl ends as it should."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet

import full_disk
import pytest
import pytest_twisted
from crawling import FAST, Visitor, crawl, sandbox
from forked import sandbox_process
from jobs import until_parked
from scrapy.utils.defer import deferred_from_coro

from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from scrapy import Request
    from scrapy.http import Response

# At a resume Scrapy 2.14 leaves the file of an empty queue open.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning"
)

PAGES = [f"/page/{n}" for n in range(1, 11)]
GARBAGE = {"empty": b"", "cut": b"SQLite format 3\0\x10", "text": b"]][[{{" * 3000}
FILES = ("captcha.sqlite", "captcha.sqlite-wal", "captcha-spent.json", "captcha-spent.new")


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
@pytest_twisted.ensureDeferred
async def test_a_job_starts_whatever_our_files_in_its_directory_hold(
    garbage: bytes, tmp_path: Path
) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes(garbage)
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, PAGES, {"JOBDIR": str(tmp_path)})

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created == len(PAGES)
    assert crawled.stats.get("log_count/ERROR", 0) == 0


@pytest_twisted.ensureDeferred
async def test_files_that_cannot_be_written_cost_a_warning_each(tmp_path: Path) -> None:
    for name in ("captcha.sqlite", "captcha-spent.new"):
        (tmp_path / name).mkdir()
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, PAGES, {"JOBDIR": str(tmp_path)})

    assert crawled.paths == sorted(PAGES)
    assert crawled.stats.get("log_count/ERROR", 0) == 0
    assert crawled.stats["log_count/WARNING"] <= 4


def test_a_disk_that_is_full_costs_a_warning_for_each_file_and_no_page(tmp_path: Path) -> None:
    files = ["captcha.sqlite", "captcha-spent.json", "dropped.jsonl", "report.html"]
    settings = {
        "CAPTCHA_SCOPE": "page",
        "CAPTCHA_POLL_INTERVAL": 0.8,
        "CAPTCHA_DROPPED_FEED": str(tmp_path / "dropped.jsonl"),
        "CAPTCHA_REPORT": str(tmp_path / "report.html"),
        "JOBDIR": str(tmp_path / "job"),
    }
    arguments = {"output": "", "last": "11"}
    with sandbox_process(pages=11, open_pages=1, mode="token") as sandbox:
        sandbox.script(method="getTaskResult", error="UNSOLVABLE", retryable=False)
        given = json.dumps({**sandbox.settings, **FAST, **settings})
        words = [given, json.dumps({"site": sandbox.site_url, **arguments})]
        command = [sys.executable, full_disk.__file__, *words]
        # No public suffix list: its download is refused at once.
        proxies = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
        said = subprocess.run(  # noqa: S603
            command, env=os.environ | proxies, stderr=subprocess.PIPE, text=True, check=True
        ).stderr
        accepted = sandbox.state()["site"]["accepted"]

    assert accepted == 9
    assert "captcha/dropped_count/UNSOLVABLE': 1" in said
    warnings = [line for line in said.splitlines() if "[scrapy_captcha" in line and "WARN" in line]
    assert len(warnings) == len(files) + 1  # the page that was given up
    assert all(any(file in line for line in warnings) for file in files)
    assert not [line for line in said.splitlines() if "[scrapy_captcha" in line and "ERROR" in line]


class Halting(Visitor):
    """Closes the spider when all its pages are parked."""

    halted_at: ClassVar[float]

    async def start(self) -> AsyncIterator[Request]:
        async for request in super().start():
            yield request
        await until_parked(self, 20)
        type(self).halted_at = time.monotonic()
        engine: Any = self.crawler.engine
        deferred_from_coro(engine.close_spider_async(reason="halted"))


@pytest.mark.parametrize("scope", ["auto", "page"])
@pytest_twisted.ensureDeferred
async def test_twenty_pages_that_wait_for_ten_minutes_do_not_hold_a_stop_up(
    scope: str, tmp_path: Path
) -> None:
    pages = [f"/page/{n}" for n in range(1, 21)]
    settings = {"JOBDIR": str(tmp_path), "CAPTCHA_MAX_DELAY": 900, "CAPTCHA_SCOPE": scope}
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=20) as running:
        running.solver.script(Answer(error="CAPACITY", retry_after=600, times=None))
        await crawl(running, pages, settings, Halting)
        took = time.monotonic() - Halting.halted_at
        running.solver.clear_script()
        resumed = await crawl(running, pages, settings)

    assert took < 3
    assert resumed.paths == sorted(pages)
    assert running.solver.created == 20


@pytest_twisted.ensureDeferred
async def test_a_loop_that_stalls_for_a_second_loses_nothing() -> None:
    class Stalling(Visitor):
        def parse(self, response: Response, **kwargs: Any) -> None:
            super().parse(response, **kwargs)
            if len(self.crawled.responses) == 1:
                time.sleep(1.2)

    async with sandbox({"solve_time": 0.3}, Guard(mode=Mode.TOKEN)) as running:
        settings = {"CAPTCHA_HTTP_TIMEOUT": 1, "CAPTCHA_SOLVE_TIMEOUT": 20}
        crawled = await crawl(running, PAGES, settings, Stalling)

    assert crawled.paths == sorted(PAGES)
    assert crawled.failures == []
    assert running.solver.created == len(PAGES)


class Watch:
    """A downloader middleware that knows which responses are alive."""

    alive: ClassVar[WeakSet[Response]] = WeakSet()

    def process_response(self, request: Request, response: Response) -> Response:
        self.alive.add(response)
        return response


@pytest_twisted.ensureDeferred
async def test_nobody_keeps_the_pages_of_parked_requests() -> None:
    pages = [f"/page/{n}" for n in range(1, 101)]
    left: list[int] = []

    class Counting(Visitor):
        async def start(self) -> AsyncIterator[Request]:
            async for request in super().start():
                yield request
            await until_parked(self, len(pages))
            gc.collect()  # Scrapy's own frames make cycles
            left.append(len(Watch.alive))
            engine: Any = self.crawler.engine
            deferred_from_coro(engine.close_spider_async(reason="counted"))

    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=100, page_size=200_000) as running:
        settings = {
            "DOWNLOADER_MIDDLEWARES": {Watch: 588},
            "CAPTCHA_SCOPE": "page",
            "CAPTCHA_POLL_INTERVAL": 600,
        }
        await crawl(running, pages, settings, Counting)

    assert left[0] <= 16  # those that the downloader still holds
