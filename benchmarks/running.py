"""What the commands share: the site and the solver, and crawls in processes of their own.

Site and solver run in the process of the command, so that what they cost is not counted as the
crawl's.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import react

from benchmarks.crawl import READY, Crawled
from benchmarks.naive import NAIVE
from benchmarks.report import print_report

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable, Iterable

    from twisted.internet.interfaces import IProcessTransport
    from twisted.python.failure import Failure

    from benchmarks.crawl import Job
    from benchmarks.report import Row
    from scrapy_captcha.sandbox import Sandbox

_ROOT = Path(__file__).parents[1]
_QUIET: dict[str, Any] = {
    "LOG_LEVEL": "ERROR",
    "TELNETCONSOLE_ENABLED": False,
    "HTTPPROXY_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
}
_INTERVAL = 3.0  # CAPTCHA_POLL_INTERVAL as it is by default; the sandbox makes it shorter


def with_plugin(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    """The settings of a crawl whose captchas the plugin has solved by *sandbox*."""
    takes = sandbox.solver.options.solve_time
    interval = _INTERVAL if callable(takes) else min(_INTERVAL, takes)
    return {**sandbox.settings, **_QUIET, "CAPTCHA_POLL_INTERVAL": interval, **settings}


def naive(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    """The settings of a crawl that awaits each solution where it stands."""
    return {**with_plugin(sandbox, **settings), "ADDONS": {}, **NAIVE}


def without(**settings: Any) -> dict[str, Any]:
    """The settings of a crawl that knows nothing of captchas."""
    return {**_QUIET, **settings}


def pages(sandbox: Sandbox, numbers: Iterable[int]) -> list[str]:
    """The URLs of the pages with these numbers."""
    return [f"{sandbox.site_url}/page/{number}" for number in numbers]


def home(sandbox: Sandbox) -> list[str]:
    """The page that begins a session: a wave of its own, as it is in a real crawl."""
    return [f"{sandbox.site_url}/"]


class _Process(ProcessProtocol):
    """Feeds *job* to the process; *ended* fires with what it printed last."""

    transport: IProcessTransport

    def __init__(self, job: Job, on_ready: Callable[[_Process], None]) -> None:
        self._job = job
        self._on_ready = on_ready
        self._printed = ""
        self.ended: Deferred[str] = Deferred()

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        self.transport.writeToChild(0, json.dumps(asdict(self._job)).encode())
        self.transport.closeChildFD(0)

    def outReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        had_told = f"{READY}\n" in self._printed
        self._printed += data.decode()
        if not had_told and f"{READY}\n" in self._printed:
            self._on_ready(self)

    def errReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        sys.stderr.write(data.decode(errors="replace"))

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        if reason.check(ProcessDone):
            self.ended.callback(self._printed.splitlines()[-1])
        else:
            self.ended.errback(reason)

    def interrupt(self) -> None:
        """Stop it as Ctrl-C does."""
        self.transport.signalProcess("INT")


async def crawl(job: Job, on_ready: Callable[[], None] | None = None) -> Crawled:
    """What comes of *job*; with *on_ready*, which is called first, it is stopped when ready.

    Raises ProcessTerminated when the process does not end well.
    """
    from twisted.internet import reactor

    def ready(process: _Process) -> None:
        if on_ready is not None:
            on_ready()
            process.interrupt()

    process = _Process(job, ready)
    command = [sys.executable, "-m", "benchmarks.crawl"]
    reactor.spawnProcess(process, sys.executable, command, env=os.environ, path=str(_ROOT))
    stop = reactor.addSystemEventTrigger(
        "before", "shutdown", process.transport.signalProcess, signal.Signals.SIGKILL.name[3:]
    )
    try:
        return Crawled.from_json(await process.ended)
    finally:
        reactor.removeSystemEventTrigger(stop)


def run(
    about: str,
    measure: Callable[[Namespace], Awaitable[list[Row]]],
    rounds: int = 3,
    add_arguments: Callable[[ArgumentParser], None] = lambda _parser: None,
) -> None:
    """The command: measures, prints the rows, and exits with 1 where a target is missed."""
    parser = ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=rounds, help="default: %(default)s")
    parser.add_argument(
        "--quick", action="store_true", help="few pages and short times: only counts are judged"
    )
    add_arguments(parser)
    options = parser.parse_args()

    async def measured() -> None:
        kept = print_report(await measure(options), quick=options.quick)
        raise SystemExit(0 if kept else 1)

    react(lambda _reactor: Deferred.fromCoroutine(measured()))
