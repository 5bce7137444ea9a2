"""After kill -9 a spider that starts with the same requests again has each page once, and pays once."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import repeating
from forked import sandbox_process
from job import WAITING, Job, journals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scrapy_captcha.sandbox.fixture import SandboxProcess

SCRIPT = str(repeating.__file__)


@contextmanager
def site(pages: int) -> Iterator[SandboxProcess]:
    with sandbox_process(pages=pages, open_pages=1, mode="token") as sandbox:
        yield sandbox


def pages_with_task(directory: Path) -> list[str]:
    """The pages for which the log of the crawl names a task."""
    return re.findall(r"Task .* created .*(/page/\d+)>", (directory / "scrapy.log").read_text())


def wait_for(lines: Callable[[], list[str]], count: int = 1) -> list[str]:
    """What *lines* returns, once there are *count*."""
    patient_until = time.monotonic() + 30
    while len(found := lines()) < count:
        assert time.monotonic() < patient_until
        time.sleep(0.02)
    return found


def pages(last: int) -> list[str]:
    return [f"/page/{n}" for n in range(2, last + 1)]


@pytest.mark.parametrize("dont_filter", [False, True], ids=["filtered", "as start_urls"])
@pytest.mark.parametrize("queue", ["default", "sqlite"])
def test_what_was_parked_comes_once_and_is_paid_once(
    queue: str, dont_filter: bool, tmp_path: Path
) -> None:
    job = Job(tmp_path, queue, SCRIPT)
    with site(6) as sandbox:
        with job.run(sandbox, WAITING, last=6, parked=5, dont_filter=dont_filter) as process:
            job.until("parked")
            wait_for(lambda: pages_with_task(tmp_path), 5)
            process.kill()
        with job.run(sandbox, last=6, dont_filter=dont_filter):
            pass
        state = sandbox.state()

    assert sorted(job.log) == sorted([*pages(6), "parked"])
    assert state["solver"]["created"] == 5
    assert journals(tmp_path) == []


def test_what_is_killed_twice_comes_once_and_is_not_filtered_away(tmp_path: Path) -> None:
    """What the second run has collected before it is killed is in its memory only."""
    job = Job(tmp_path, "default", SCRIPT)
    with site(6) as sandbox:
        for times in (1, 2):
            with job.run(sandbox, WAITING, last=6, parked=5) as process:
                job.until("parked", times)
                wait_for(lambda: pages_with_task(tmp_path), 5)
                process.kill()
        collected = (tmp_path / "scrapy.log").read_text().count("Captcha solved")
        with job.run(sandbox, last=6):
            pass
        state = sandbox.state()

    assert sorted(job.log) == sorted([*pages(6), "parked", "parked"])
    assert 5 <= state["solver"]["created"] <= 5 + collected


def test_what_has_not_been_parked_is_not_filtered_because_others_were(tmp_path: Path) -> None:
    """The spider asks again for what was in the queue, which Scrapy does not find after a kill."""
    job = Job(tmp_path, "sqlite", SCRIPT)
    few: dict[str, Any] = WAITING | {"CAPTCHA_MAX_PARKED": 5}
    with site(21) as sandbox:
        with job.run(sandbox, few, last=21, parked=5) as process:
            job.until("parked")
            bought = wait_for(lambda: pages_with_task(tmp_path))
            process.kill()
        if (tmp_path / "requests.seen").read_bytes():
            pytest.skip("this Scrapy has written all fingerprints, and filters the pages itself")
        with job.run(sandbox, last=21):
            pass

    assert set(job.log) == {*pages(21), "parked"}
    assert {page: job.log.count(page) for page in bought} == dict.fromkeys(bought, 1)


@pytest.mark.parametrize("dont_filter", [False, True], ids=["filtered", "as start_urls"])
def test_what_was_on_its_way_comes_once(dont_filter: bool, tmp_path: Path) -> None:
    """What had come before may come again: Scrapy has lost that it has seen it."""
    job = Job(tmp_path, "default", SCRIPT)
    slow = {
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 0.3,
        "RANDOMIZE_DOWNLOAD_DELAY": False,
    }
    with site(6) as sandbox:
        with job.run(sandbox, slow, last=6, dont_filter=dont_filter) as process:
            wait_for(lambda: job.log)
            process.kill()
        before = job.log
        with job.run(sandbox, last=6, dont_filter=dont_filter):
            pass

    assert len(before) < 5
    missing = set(pages(6)) - set(before)
    assert {page: job.log.count(page) for page in missing} == dict.fromkeys(missing, 1)


def test_what_is_still_in_the_queue_at_a_stop_after_a_kill_comes_no_second_time(
    tmp_path: Path,
) -> None:
    job = Job(tmp_path, "sqlite", SCRIPT)
    slow = {"CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 0.2}
    with site(6) as sandbox:
        with job.run(sandbox, WAITING, last=6, parked=5) as process:
            job.until("parked")
            wait_for(lambda: pages_with_task(tmp_path), 5)
            process.kill()
        with job.run(sandbox, slow | {"CLOSESPIDER_PAGECOUNT": 3}, last=6):
            pass
        with job.run(sandbox, last=6):
            pass
        state = sandbox.state()

    assert sorted(job.log) == sorted([*pages(6), "parked"])
    assert state["solver"]["created"] == 5
    assert journals(tmp_path) == []


def test_a_page_that_has_come_after_a_kill_is_known_to_the_next_run(tmp_path: Path) -> None:
    job = Job(tmp_path, "default", SCRIPT)
    with site(6) as sandbox:
        with job.run(sandbox, WAITING, last=6, parked=5) as process:
            job.until("parked")
            wait_for(lambda: pages_with_task(tmp_path), 5)
            process.kill()
        for _ in range(2):
            with job.run(sandbox, last=6):
                pass
        state = sandbox.state()

    assert sorted(job.log) == sorted([*pages(6), "parked"])
    assert state["solver"]["created"] == 5
