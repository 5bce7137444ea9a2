"""Stops one of three workers that share a queue in Redis: ``python -m endurance.workers``.

Each worker is a crawl with scrapy-redis. In each round one of them is sent SIGTERM while pages of
it wait for captchas; then the others have to bring every page that it has not brought, once.
Needs ``redis-server`` and the package scrapy-redis: exits with 77 where they are missing, and with
1 where a page is missing, comes twice, or more was bought than could be in the worker's memory.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from endurance.job import STARTED
from scrapy_captcha.sandbox.fixture import sandbox_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrapy_captcha.sandbox.fixture import SandboxProcess

_WORKERS = 3
_PATIENCE = 120.0  # seconds
_NO_REDIS = 77
_IN_MEMORY = 16  # solutions that a worker may hold when it ends: CAPTCHA_CONCURRENT_SOLVES
_SETTINGS = {
    "TELNETCONSOLE_ENABLED": False,
    "CAPTCHA_SCOPE": "page",
    "CAPTCHA_POLL_INTERVAL": 0.3,
    "SCHEDULER": "scrapy_redis.scheduler.Scheduler",
    "DUPEFILTER_CLASS": "scrapy_redis.dupefilter.RFPDupeFilter",
    "SCHEDULER_PERSIST": True,
}


@contextmanager
def redis(directory: Path) -> Iterator[str]:
    """The URL of a Redis of our own, in *directory*."""
    path = directory / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""]
    with subprocess.Popen(  # noqa: S603
        [*command, "--dir", str(directory)], stdout=subprocess.DEVNULL
    ) as process:
        try:
            _wait(lambda: _listens(path))
            yield f"unix://{path}"
        finally:
            process.terminate()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.05)


class Workers:
    """Workers that fetch *pages* pages by a queue at *url*, and note them in *directory*."""

    def __init__(self, sandbox: SandboxProcess, directory: Path, url: str, pages: int) -> None:
        self._directory = directory
        self._pages = pages
        self._output = directory / "pages.log"
        self._output.touch()
        self._settings = {**sandbox.settings, **_SETTINGS, "REDIS_URL": url}
        self._arguments = {"site": sandbox.site_url, "output": str(self._output), "stays": True}

    def came(self) -> Counter[str]:
        """How often each page has come."""
        lines = self._output.read_text(encoding="utf-8").splitlines()
        return Counter(line for line in lines if line != STARTED)

    def work(self) -> None:
        """Ends when all pages have come. Raises TimeoutError."""
        with ExitStack() as stack:
            workers = [stack.enter_context(self._worker(number)) for number in range(_WORKERS)]
            for process in workers:
                stack.callback(process.kill)
            _wait(lambda: len(self.came()) >= self._pages // 4)
            workers[1].send_signal(signal.SIGTERM)
            _wait(lambda: len(self.came()) >= self._pages)
            time.sleep(1)  # for what comes twice
            for process in workers:
                process.send_signal(signal.SIGTERM)
            for process in workers:
                process.wait(_PATIENCE)

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        settings = {**self._settings, "LOG_FILE": str(self._directory / f"{number}.log")}
        arguments = {**self._arguments, "pages": 0 if number else self._pages}
        words = [json.dumps(settings), json.dumps(arguments)]
        # No public suffix list: its download is refused at once.
        proxies = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
        command = [sys.executable, "-m", "endurance.job", *words]
        return subprocess.Popen(command, env=os.environ | proxies)  # noqa: S603


def kept(pages: int) -> bool:
    """Whether a round with *pages* pages brought them all, once; says what came of it."""
    guarded: dict[str, Any] = {"mode": "token", "solve_time": 1.0, "latency": 0.1, "balance": 1e6}
    with (
        TemporaryDirectory() as name,
        redis(Path(name)) as url,
        sandbox_process(pages=pages, **guarded) as sandbox,
    ):
        workers = Workers(sandbox, Path(name), url, pages)
        with suppress(TimeoutError):
            workers.work()
        came, bought = workers.came(), sandbox.state()["solver"]["created"]
    lost, repeated = pages - len(came), came.total() - len(came)
    sys.stdout.write(f"{pages} pages, {lost} lost, {repeated} twice, {bought} bought\n")
    return lost == repeated == 0 and bought <= pages + _IN_MEMORY


def main() -> int:
    """The command; 0 when all was as promised."""
    parser = ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="default: %(default)s")
    add("--pages", type=int, default=300, help="of a round; default: %(default)s")
    options = parser.parse_args()
    if not (shutil.which("redis-server") and find_spec("scrapy_redis")):
        sys.stdout.write("redis-server and scrapy-redis are needed\n")
        return _NO_REDIS
    broken = [number for number in range(options.rounds) if not kept(options.pages)]
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
