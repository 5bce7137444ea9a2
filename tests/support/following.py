"""Follows the README of the examples as its reader would, at ports of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
[SANDBOX] = re.findall(r"^scrapy captcha sandbox.*$", README, re.MULTILINE)
[KEY] = re.findall(r"^export CAPTCHA_API_KEY=(.*)$", README, re.MULTILINE)
SOURCES = {".py", ".cfg", ".ini"}  # others are what somebody's runs have left
PORTS = ("8000", "8001", "8002", "8003")
SOLVER_PORT = PORTS[0]
INTERRUPT = "Ctrl-C"
TIMEOUT = 180.0  # seconds, on a busy machine


def spans(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall("`(.+?)`", cell)


@dataclass(frozen=True)
class Row:
    """A row of the README's table."""

    name: str
    beside: tuple[str, ...]
    commands: tuple[str, ...]
    seen: tuple[str, ...]

    @classmethod
    def of(cls, line: str) -> Row:
        example, _, beside, commands, seen = (cell.strip() for cell in line[1:-1].split(" | "))
        flags = " ".join(word for word in spans(beside) if word.startswith("--"))
        sandbox = [f"{SANDBOX} {flags}"] if beside.startswith("sandbox") else []
        others = [word for word in spans(beside) if not word.startswith("--")]
        name = example.partition("](")[2].rstrip(")")
        return cls(name, (*sandbox, *others), tuple(spans(commands)), tuple(spans(seen)))

    @property
    def directory(self) -> str:
        """Where its commands are given."""
        return "." if self.name.endswith(".py") else self.name.partition("/")[0]


ROWS = {row.name: row for row in map(Row.of, re.findall(r"^\| \[.*$", README, re.MULTILINE))}


@dataclass(frozen=True)
class Run:
    """What came of a row's commands; *state* is the sandbox's, None where there was none."""

    printed: str
    directory: Path
    state: Any

    def titles(self, name: str) -> list[str]:
        """Of the items in a file, sorted."""
        return sorted(re.findall(r'"title": "(.+?)"', (self.directory / name).read_text()))


class Place:
    """A copy of the examples with ports of its own, and the commands that are given there."""

    def __init__(self, home: Path, shell: dict[str, str], ports: list[int]) -> None:
        self._home = home
        self._shell = shell
        self._ports = dict(zip(PORTS, map(str, ports), strict=True))
        for path in (path for path in EXAMPLES.rglob("*") if path.suffix in SOURCES):
            copy = home / path.relative_to(EXAMPLES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(self._at_own_ports(path.read_text()))

    def _at_own_ports(self, text: str) -> str:
        return re.sub(r"\b800[0-3]\b", lambda port: self._ports[port[0]], text)

    def run(self, row: Row) -> Run:
        """Does what *row* says, and sees what it says one sees."""
        logs = [self._home / f"beside{number}" for number in range(len(row.beside))]
        with ExitStack() as stack:
            for command, log in zip(row.beside, logs, strict=True):
                stack.enter_context(self._beside(command, log))
            printed = self._given(row)
            for words in map(self._at_own_ports, row.seen):
                wait_until(partial(is_said, words, printed, logs))
            return Run(printed, self._home / row.directory, self._state() if logs else None)

    @contextmanager
    def _beside(self, command: str, log: Path) -> Iterator[None]:
        """*command* in a terminal of its own."""
        process = self._start(command, self._home, log)

        def listens(port: int) -> bool:
            assert process.poll() is None, log.read_text()
            return is_open(port)

        try:
            for port in re.findall(r"port (\d+)", self._at_own_ports(command)):
                wait_until(partial(listens, int(port)))
            yield
        finally:
            process.terminate()
            process.wait(TIMEOUT)

    def _given(self, row: Row) -> str:
        """What the commands print."""
        log = self._home / "printed"
        for command, following in zip(row.commands, (*row.commands[1:], ""), strict=True):
            if command == INTERRUPT:
                continue
            process = self._start(command, self._home / row.directory, log)
            try:
                if following == INTERRUPT:
                    wait_until(lambda: self._state()["solver"]["open_tasks"] == 5)
                    process.send_signal(signal.SIGINT)
                assert process.wait(TIMEOUT) == 0, log.read_text()
            finally:
                process.kill()
        return log.read_text()

    def _start(self, command: str, directory: Path, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603
                shlex.split(self._at_own_ports(command)),
                cwd=directory,
                env=self._shell,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _state(self) -> Any:
        url = f"http://127.0.0.1:{self._ports[SOLVER_PORT]}/sandbox/state"
        with urlopen(url, timeout=TIMEOUT) as answer:
            return json.load(answer)


def follow(row: Row, home: Path, shell: dict[str, str]) -> Run:
    """Does what *row* says, in *home*."""
    with reserved_ports(len(PORTS)) as ports:
        return Place(home, shell, ports).run(row)


@contextmanager
def reserved_ports(count: int) -> Iterator[list[int]]:
    """Ports that nobody is given who asks for any, so that one asked for by number is free."""
    with ExitStack() as stack:
        kept = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in kept:
            # Bound and not listening: a server that sets the same option may still take it.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(("127.0.0.1", 0))
        ports = [each.getsockname()[1] for each in kept]
        if sys.platform != "linux":
            stack.close()  # there it might not: the ports are free now, and may be given away
        yield ports


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def is_said(words: str, printed: str, logs: list[Path]) -> bool:
    return words in printed or any(words in log.read_text() for log in logs)


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < until, condition
        time.sleep(0.05)


def entry_points(home: Path) -> None:
    """Puts those of the package into *home*, as installing it does."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = re.compile(r'^\[project\.entry-points\."?([\w.]+)"?\]\n(\w+) = "(.+)"$', re.MULTILINE)
    metadata = home / "scrapy_captcha-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: scrapy-captcha\nVersion: 0\n")
    points = [f"[{group}]\n{name} = {target}\n" for group, name, target in table.findall(project)]
    (metadata / "entry_points.txt").write_text("".join(points))


def environment(home: Path) -> dict[str, str]:
    """That of a shell in which the README's commands are given, the package being in *home*."""
    entry_points(home)
    # Scrapy would download the public suffix list at the first cookie: that is refused at once.
    return os.environ | {
        "CAPTCHA_API_KEY": KEY,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join((str(home), str(ROOT))),
        "https_proxy": "http://127.0.0.1:9",
        "no_proxy": "127.0.0.1",
    }
