"""A job directory that is shared, read-only, full of a newer version's files, or not a directory's."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
import repeating
from crawling import crawl, sandbox
from forked import sandbox_process
from job import Job

from scrapy_captcha.sandbox import Guard, Mode

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = str(repeating.__file__)
PATHS = [f"/page/{n}" for n in range(1, 6)]

# At a resume Scrapy 2.14 leaves the file of an empty queue open.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning"
)


def test_a_second_crawl_with_the_same_job_directory_buys_nothing(tmp_path: Path) -> None:
    """Processes of their own: the first goes on, and its limit is exact."""
    first = Job(tmp_path, "default", SCRIPT)
    limit = {"CAPTCHA_MAX_SOLVES": 10, "CAPTCHA_POLL_INTERVAL": 30}
    with sandbox_process(pages=13, open_pages=1, mode="token") as sandbox:
        with first.run(sandbox, limit, last=13, parked=10):
            first.until("parked")
            second = {"LOG_FILE": str(tmp_path / "second.log"), **limit}
            with first.run(sandbox, second, last=13):
                pass
            during = sandbox.state()["solver"]["created"]
        created = sandbox.state()["solver"]["created"]

    said = (tmp_path / "second.log").read_text()
    assert created == during == 10
    assert said.count("is in use by another crawl: this one buys nothing") == 1
    assert "captcha/task_count" not in said  # Scrapy 2.14 has its pages filtered as seen
    assert sorted(set(first.log)) == sorted(first.log)
    assert len(first.log) == 10 + 1
    assert first.spent[0] == 10


@pytest_twisted.ensureDeferred
async def test_a_journal_of_a_newer_version_costs_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    db = sqlite3.connect(tmp_path / "captcha.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.execute("CREATE TABLE entries (id INTEGER, request TEXT, state TEXT)")
    db.execute("INSERT INTO entries VALUES (1, 'a', 'b')")
    db.commit()
    db.close()
    (tmp_path / "captcha-spent.json").write_text(json.dumps({"version": 99, "spent": []}))
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, PATHS, {"JOBDIR": str(tmp_path)})

    lines = [r.getMessage() for r in caplog.records if r.name.startswith("scrapy_captcha")]
    warned = [line for line in lines if "captcha.sqlite" in line or "captcha-spent" in line]
    assert crawled.paths == PATHS
    assert len(warned) == 2
    assert "is damaged" in caplog.text


@pytest_twisted.ensureDeferred
async def test_files_that_cannot_be_written_cost_one_line_each(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Directories stand in their places: to these even root cannot write."""
    job = tmp_path / "job"
    for name in ("captcha.sqlite", "captcha-spent.json", "captcha-spent.new"):
        (job / name).mkdir(parents=True)
    for name in ("report.html", "dropped.jsonl"):
        (tmp_path / name).mkdir()
    settings: dict[str, Any] = {
        "JOBDIR": str(job),
        "CAPTCHA_REPORT": str(tmp_path / "report.html"),
        "CAPTCHA_DROPPED_FEED": str(tmp_path / "dropped.jsonl"),
        "CAPTCHA_MAX_SOLVES": 4,
    }
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, PATHS, settings)

    assert len(crawled.responses) == 4
    assert crawled.reasons == ["budget"]
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("scrapy_captcha")]
    for name in ("captcha.sqlite", "captcha-spent.json", "report.html", "dropped.jsonl"):
        assert len([line for line in lines if str(name) in line]) == 1, name
