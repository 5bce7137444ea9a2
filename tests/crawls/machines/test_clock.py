"""The machine's clock jumps while pages wait: no wait becomes shorter or longer."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import jumping
from forked import sandbox_process
from job import Job

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [f"/page/{n}" for n in range(2, 5)]
ASKED_FOR = 1.5  # seconds of retryAfter
INTERVAL = 0.8
SETTINGS = {
    "CAPTCHA_CONCURRENT_SOLVES": 1,
    "CAPTCHA_POLL_INTERVAL": INTERVAL,
    "CLOSESPIDER_TIMEOUT": 90,
}


def test_waits_are_as_long_as_they_would_be_by_a_good_clock(tmp_path: Path) -> None:
    job = Job(tmp_path, "default", jumping.__file__)
    with sandbox_process(pages=4, open_pages=1, mode="token") as sandbox:
        sandbox.script(error="CAPACITY", retry_after=ASKED_FOR)
        with job.run(sandbox, SETTINGS, last=4) as process:
            job.until("parked")
            process.send_signal(signal.SIGUSR1)  # ahead, while all wait for the service
            job.until(PAGES[0])
            process.send_signal(signal.SIGUSR1)  # back, while a solution is awaited
        calls = sandbox.state()["solver"]["calls"]

    assert sorted(job.log) == sorted([*PAGES, "parked"])
    refused, *bought = times(calls, "createTask")
    looks = times(calls, "getTaskResult")
    assert len(bought) == len(looks) == len(PAGES)
    assert bought[0] - refused >= ASKED_FOR
    assert all(look - at >= INTERVAL for at, look in zip(bought, looks, strict=True))


def times(calls: list[dict[str, Any]], method: str) -> list[float]:
    return [call["at"] for call in calls if call["method"] == method]
