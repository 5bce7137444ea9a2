"""Sites that run while they are needed, and crawls of them with ``scrapy crawl``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from following import is_open, reserved_ports, wait_until
from solving import API_KEY, AnswerBook, siteverify, solving
from twisted.internet.threads import deferToThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from software import Command

    from scrapy_captcha.sandbox.solver import Solver

LAUNCHER = Path(__file__).parent / "launching.py"
# Scrapy would download the public suffix list at the first cookie: that is refused at once.
ENVIRONMENT = {
    "CAPTCHA_API_KEY": API_KEY,
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1",
}
PASSES, SECONDS = 5, 1.0  # of a clearance that expires
SOLVE_TIME = 0.1


@dataclass(frozen=True)
class Running:
    """A site, at *url*, and the book with all answers to its captchas."""

    url: str
    book: AnswerBook


@contextmanager
def running(site: Callable[[], Command], home: Path) -> Iterator[Running]:
    """The site that the command of *site* starts, with its files in *home*."""
    command, own = site()
    book = AnswerBook(home)
    with (
        siteverify(book) as verifier,
        reserved_ports(1) as [port],
        (home / "log").open("wb") as log,
    ):
        given = {
            "HOME_OF_SITE": str(home),
            "PAGES": str(PASSES),
            "PORT": str(port),
            "SECONDS": str(SECONDS),
            "SITEVERIFY": verifier,
        }
        process = subprocess.Popen(  # noqa: S603
            [word.replace("{port}", str(port)) for word in command],
            env=os.environ | own | given,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

        def listens() -> bool:
            assert process.poll() is None, (home / "log").read_text()
            return is_open(port)

        try:
            wait_until(listens)
            yield Running(f"http://127.0.0.1:{port}", book)
        finally:
            process.terminate()
            process.wait()


@dataclass
class Crawled:
    """What a crawl has written, the solver it bought from, and its log."""

    solver: Solver
    log: str
    pages: dict[int, str] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, output: Path, solver: Solver, log: str) -> Crawled:
        """What the spider has written to *output*."""
        crawled = cls(solver, log)
        for line in output.read_text(encoding="utf-8").splitlines():
            crawled._note(json.loads(line))
        return crawled

    @property
    def said(self) -> str:
        """The lines of the log that a user would read."""
        lines = self.log.splitlines()
        return "\n".join(line for line in lines if re.match(r"\S+ \S+ \[\S+\] (?!DEBUG)", line))

    def _note(self, line: dict[str, Any]) -> None:
        if "page" in line:
            assert line["page"] not in self.pages
            self.pages[line["page"]] = line["heading"]
            self.times.append(line["at"])
        elif "failed" in line:
            self.failed[line["failed"]] = line["reason"]
        else:
            self.stats = line["stats"]


class Launcher:
    """A process that starts those of the crawls."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, LAUNCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def launch(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        """A command of Scrapy, to its end."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        line = {"arguments": arguments, "environment": environment, "log": str(log)}
        asked.write(json.dumps(line) + "\n")
        asked.flush()
        assert answers.readline() == "0\n", log.read_text(encoding="utf-8")

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()


async def crawl(
    launcher: Launcher, site: Running, path: str, home: Path, last: int, **settings: Any
) -> Crawled:
    """Pages 1 to *last* below *path*, by a process of its own; *settings* on its command line."""
    log, output = home / "log", home / "output"
    follow = settings.pop("follow", "")
    async with solving(site.book, SOLVE_TIME) as (solver, url):
        arguments = {"site": site.url + path, "output": str(output), "last": last, "follow": follow}
        own = {"CAPTCHA_API_URL": url, **settings}
        command = ["crawl", "pages"]
        command += [word for name, value in arguments.items() for word in ("-a", f"{name}={value}")]
        command += [word for name, value in own.items() for word in ("-s", f"{name}={value}")]
        await deferToThread(launcher.launch, command, ENVIRONMENT, log)
    return Crawled.read(output, solver, log.read_text(encoding="utf-8"))
