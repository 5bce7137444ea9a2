"""Forward proxies of a package of its own, each a process, on the loopback interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from twisted.internet.task import deferLater

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPTIONS = ("--hostname=127.0.0.1", "--port=0", "--num-workers=1", "--num-acceptors=1")


@dataclass
class Forwarder:
    """A proxy that asks for *credentials* ("user:password") where they are given."""

    credentials: str
    home: Path

    @property
    def port(self) -> int:
        """Where it listens; 0 while it does not."""
        port = self.home / "port"
        return int(port.read_text() or 0) if port.exists() else 0

    @property
    def url(self) -> str:
        """For ``CAPTCHA_PROXIES``, credentials included."""
        user, _, password = self.credentials.partition(":")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if self.credentials else ""
        return f"http://{login}127.0.0.1:{self.port}"

    @property
    def served(self) -> list[str]:
        """Method and path of what it let through."""
        return [asked for asked, _ in self._lines]

    @property
    def seen(self) -> set[str]:
        """The credentials that were shown, "" for none."""
        return {shown for _, shown in self._lines}

    @property
    def expected(self) -> str:
        """The credentials that it asks for, as they are sent."""
        login = b64encode(self.credentials.encode()).decode()
        return f"Basic {login}" if self.credentials else ""

    @property
    def _lines(self) -> list[list[str]]:
        log = self.home / "log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it."""
        self.home.mkdir()
        asks = [f"--basic-auth={self.credentials}"] if self.credentials else []
        files = [f"--port-file={self.home / 'port'}", "--plugins=forwarding_log.Log"]
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "proxy", *_OPTIONS, *files, *asks],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ
            | {"FORWARDED": str(self.home / "log"), "PYTHONPATH": str(Path(__file__).parent)},
        )


@contextmanager
def forwarders(home: Path, *credentials: str) -> Iterator[list[Forwarder]]:
    """As many as *credentials*, "" for one that asks for none; they listen soon."""
    proxies = [Forwarder(login, home / str(number)) for number, login in enumerate(credentials)]
    processes = [proxy.start() for proxy in proxies]
    try:
        yield proxies
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


async def listening(proxies: list[Forwarder]) -> None:
    """Waits until all *proxies* listen."""
    from twisted.internet import reactor

    while not all(proxy.port for proxy in proxies):
        await deferLater(reactor, 0.05)
