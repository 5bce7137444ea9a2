"""Stops and kills jobs at random moments and resumes them: ``python -m endurance.soak``.

A job is stopped with SIGINT, or killed with SIGKILL, and resumed, until a run of it ends by itself
or it has had five signals. Then each of its pages has to have come: once after stops, at least once
after kills, as far as plain Scrapy loses none; that is tried beside it with the same pages without
captchas. Exits with 1 where a page is missing, comes twice after a stop, or more was bought than
could be in memory.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from endurance.job import STARTED
from scrapy_captcha.sandbox.fixture import sandbox_process

if TYPE_CHECKING:
    from collections.abc import Iterator


_LONGEST_RUN = 2.5  # seconds from the start of the spider to the signal
_MOST_SIGNALS = 5  # of a job, which is let end then: plain Scrapy loses its queue at the first kill
_PATIENCE = 60.0  # seconds for a run to start, or to end
_IN_MEMORY = 16  # solutions that a run may hold when it ends: CAPTCHA_CONCURRENT_SOLVES
_ERROR = re.compile(r"^Traceback.*?^(\S.*?)$", re.MULTILINE | re.DOTALL)
_GIVEN_UP = re.compile(r"captcha not solved[^,]*, (\w+)")
_LOST_BESIDE = 8  # pages per kill that may be lost beside what plain Scrapy loses
_SETTINGS = {
    "TELNETCONSOLE_ENABLED": False,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    "DOWNLOAD_DELAY": 0,
    "CAPTCHA_SCOPE": "page",
}


@dataclass
class Figures:
    """What came of the jobs of one kind, of *pages* each.

    *bought* are tasks, *broken* what tracebacks in the log end with, *given_up* the reasons for
    which pages were.
    """

    pages: int
    signals: int = 0
    jobs: int = 0
    lost: int = 0
    repeated: int = 0
    bought: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    given_up: Counter[str] = field(default_factory=Counter)

    def line(self, name: str) -> str:
        """For the report."""
        wanted = self.pages * self.jobs
        beyond = self.bought - wanted if self.bought else 0
        told = self.broken + Counter({f"given up: {why}": n for why, n in self.given_up.items()})
        lines = "".join(f"    {times} times: {what}\n" for what, times in told.items())
        return (
            f"{name:22}{self.signals:>8}{self.jobs:>6}{wanted:>8}{self.lost:>6}{self.repeated:>10}"
            f"{self.bought:>8}{beyond:>8}{self.broken.total():>8}\n{lines}"
        )


class Job:
    """One job in *directory*, with *settings*; *log* is what it has noted."""

    def __init__(self, directory: Path, site: str, settings: dict[str, object], pages: int) -> None:
        self._output = directory / "pages.log"
        self._output.touch()
        self.scrapy_log = directory / "scrapy.log"
        files = {"JOBDIR": str(directory / "job"), "LOG_FILE": str(self.scrapy_log)}
        arguments = {"site": site, "output": str(self._output), "pages": pages}
        words = [json.dumps({**settings, **_SETTINGS, **files}), json.dumps(arguments)]
        self._command = [sys.executable, "-m", "endurance.job", *words]

    @property
    def log(self) -> list[str]:
        """Starts, and pages as they came."""
        return self._output.read_text(encoding="utf-8").splitlines()

    def run(self, random: Random, number: signal.Signals | None) -> bool:
        """Whether a run has ended by itself before *number* was sent. Raises TimeoutError."""
        starts = self.log.count(STARTED)
        # No public suffix list: its download is refused at once.
        proxies = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
        with subprocess.Popen(self._command, env=os.environ | proxies) as process:  # noqa: S603
            try:
                _wait(lambda: self.log.count(STARTED) > starts or process.poll() is not None)
                if number is not None:
                    time.sleep(random.uniform(0, _LONGEST_RUN))
                ended = process.poll() is not None
                if not ended and number is not None:
                    process.send_signal(number)
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                raise TimeoutError("a run does not end") from None
            finally:
                process.kill()
        return ended or number is None


def _wait(condition: Any) -> None:
    until = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("a run does not start")
        time.sleep(0.02)


def soak(sandbox: dict[str, Any], sent: signal.Signals, options: Any, *, plain: bool) -> Figures:
    """What comes of jobs that are sent *sent* as often as *options* say, *plain* without us.

    Each has a *sandbox* of its own, which would remember every visit of them all.
    """
    random, figures = Random(f"{options.seed} {sent.name}"), Figures(options.pages)
    wanted = options.stops if sent is signal.SIGINT else options.kills
    while figures.signals < wanted:
        with TemporaryDirectory() as directory, sandbox_process(**sandbox) as running:
            settings = {} if plain else running.settings
            job = Job(Path(directory), running.site_url, settings, options.pages)
            for number in _signals(sent, min(_MOST_SIGNALS, wanted - figures.signals)):
                if job.run(random, number):
                    break
                figures.signals += 1
            _count(job, figures)
            figures.bought += running.state()["solver"]["created"]
    return figures


def _told(name: str, figures: Figures) -> Figures:
    sys.stdout.write(figures.line(name))
    sys.stdout.flush()
    return figures


def _signals(sent: signal.Signals, at_most: int) -> Iterator[signal.Signals | None]:
    yield from [sent] * at_most
    yield None


def _count(job: Job, figures: Figures) -> None:
    came = Counter(line for line in job.log if line != STARTED)
    figures.jobs += 1
    figures.lost += figures.pages - len(came)
    figures.repeated += came.total() - len(came)
    log = job.scrapy_log.read_text(encoding="utf-8")
    figures.broken.update(_ERROR.findall(log))
    figures.given_up.update(_GIVEN_UP.findall(log))


def main() -> int:
    """The command; 0 when all was as promised."""
    parser = ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--stops", type=int, default=100, help="default: %(default)s")
    add("--kills", type=int, default=50, help="default: %(default)s")
    add("--pages", type=int, default=320, help="of a job; default: %(default)s")
    add("--seed", type=int, default=0, help="of the moments; default: %(default)s")
    options = parser.parse_args()
    pages = options.pages
    guarded = {
        "pages": pages,
        "mode": "token",
        "solve_time": 0.3,
        "balance": 1e6,
        "latency": 0.02,
    }
    # As slow as with captchas, so that it is killed on its way, too.
    unguarded = {"pages": pages, "open_pages": pages, "latency": 0.2}
    sys.stdout.write(
        f"{'':22}{'signals':>8}{'jobs':>6}{'pages':>8}{'lost':>6}{'repeated':>10}{'bought':>8}"
        f"{'beyond':>8}{'broken':>8}\n"
    )
    stopped = _told("stopped", soak(guarded, signal.SIGINT, options, plain=False))
    killed = _told("killed", soak(guarded, signal.SIGKILL, options, plain=False))
    plain = _told("killed, plain", soak(unguarded, signal.SIGKILL, options, plain=True))
    kept = (
        stopped.lost == stopped.repeated == 0
        and stopped.bought <= pages * stopped.jobs + _IN_MEMORY * stopped.signals
        and killed.bought <= pages * killed.jobs + killed.repeated + _IN_MEMORY * killed.signals
        and killed.lost <= plain.lost + _LOST_BESIDE * killed.signals
        and not stopped.broken  # after a kill Scrapy may stumble over its own queues
    )
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
