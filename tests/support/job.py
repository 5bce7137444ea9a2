"""Jobs whose runs are processes of their own."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jobs
from crawling import FAST
from forked import Forked
from jobs import QUEUES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scrapy_captcha.sandbox.fixture import SandboxProcess


def journals(directory: Path) -> list[Path]:
    return list(directory.glob("captcha.sqlite*"))


class Job:
    """The job of jobs.py, each run of it in a process of its own."""

    def __init__(self, directory: Path, queue: str, script: str = jobs.__file__) -> None:
        self.directory = directory
        self._queue = queue
        self._script = script
        self._log = directory / "pages.log"
        self._log.touch()

    @property
    def log(self) -> list[str]:
        """Pages as they came, and what else the job has noted."""
        return self._log.read_text(encoding="utf-8").splitlines()

    @contextmanager
    def run(
        self, sandbox: SandboxProcess, settings: dict[str, Any] | None = None, **arguments: object
    ) -> Iterator[Forked]:
        """The process, which has ended when the block has."""
        arguments |= {"site": sandbox.site_url, "output": str(self._log)}
        given = {
            **sandbox.settings,
            **FAST,
            **QUEUES[self._queue],
            "CAPTCHA_SCOPE": "page",
            "JOBDIR": str(self.directory),
            "LOG_FILE": str(self.directory / "scrapy.log"),
            **(settings or {}),
        }
        command = [self._script, json.dumps(given), json.dumps(arguments)]
        # No public suffix list: its download is refused at once.
        proxies = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
        with Forked(command, env=os.environ | proxies) as process:
            try:
                yield process
                process.wait(120)
            finally:
                process.kill()

    @property
    def spent(self) -> list[int]:
        """Solves and money, in millionths, that the job knows of when nothing is under way."""
        account = json.loads((self.directory / "captcha-spent.json").read_text())
        assert account["open"] == {}
        assert account["tasks"] == []
        total: list[int] = account["total"]
        return total

    def until(self, line: str, times: int = 1) -> None:
        """Waits until *line* has been noted."""
        patient_until = time.monotonic() + 120
        while self.log.count(line) < times:
            assert time.monotonic() < patient_until, self.log[-5:]
            time.sleep(0.02)


WAITING = {"CAPTCHA_POLL_INTERVAL": 600}  # what is bought is not collected
