"""Processes of the suite, forked from one that has imported Scrapy and the package already.

A new interpreter spends two seconds on these imports, more than most of the crawls take. What has
to be seen in a new one (the demo, the examples, the wheel) is started as usual.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy_captcha.sandbox.fixture import SandboxProcess
from scrapy_captcha.state import IllegalTransitionWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "scrapy.cmdline",
        "scrapy.crawler",
        "scrapy.core.engine",
        "scrapy.core.downloader.handlers.http11",
        "scrapy_captcha.addon",
        "scrapy_captcha.commands.captcha",
        "scrapy_captcha.crawl.wiring",
        "scrapy_captcha.sandbox.__main__",
    ]
)


class Forked:
    """A process that runs *arguments* as ``python`` would: a file, ``-m`` a module or ``-c`` code.

    It has the methods of ``subprocess.Popen`` that the suite needs. Output goes to *output*.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str] = os.environ,
        cwd: Path | None = None,
        output: tuple[Path, Path] | None = None,
    ) -> None:
        target = (list(arguments), dict(env), str(cwd or Path.cwd()), output)
        self._process = _CONTEXT.Process(target=_run, args=target)
        self._process.start()

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """As `returncode`."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; raises TimeoutExpired when it runs for more than *timeout* seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("forked", timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self._process.pid is not None and self._process.exitcode is None:
            os.kill(self._process.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run(
    arguments: list[str], env: dict[str, str], cwd: str, output: tuple[Path, Path] | None
) -> None:
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for number, path in enumerate(output or (), start=1):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    warnings.simplefilter("error", IllegalTransitionWarning)
    how, *others = arguments
    if how == "-m":
        sys.path.insert(0, cwd)
        sys.argv = others
        runpy.run_module(others[0], run_name="__main__", alter_sys=True)
    elif how == "-c":
        sys.path.insert(0, cwd)
        sys.argv = ["-c", *others[1:]]
        exec(others[0], {"__name__": "__main__"})  # noqa: S102 - our own words
    else:
        sys.path.insert(0, str(Path(how).parent))
        sys.argv = arguments
        runpy.run_path(how, run_name="__main__")


def run(
    arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Runs a process to its end: what ``subprocess.run`` returns with text captured."""
    with tempfile.TemporaryDirectory() as directory:
        output = (Path(directory) / "stdout", Path(directory) / "stderr")
        for path in output:
            path.touch()
        process = Forked(arguments, env=env, cwd=cwd, output=output)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        said = [path.read_text(encoding="utf-8") for path in output]
    return subprocess.CompletedProcess(list(arguments), code, *said)


@contextmanager
def sandbox_process(**flags: object) -> Iterator[SandboxProcess]:
    """As the package's own, which the sandbox's tests start."""
    words = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    with tempfile.TemporaryDirectory() as directory:
        output = (Path(directory) / "stdout", Path(directory) / "stderr")
        process = Forked(["-m", "scrapy_captcha.sandbox", *words], output=output)
        try:
            yield SandboxProcess(**json.loads(_first_line(output[0], process)))
        finally:
            process.terminate()
            process.wait(60)


def _first_line(path: Path, process: Forked) -> str:
    patient_until = time.monotonic() + 60
    while not (path.exists() and (text := path.read_text()).endswith("\n")):
        assert process.poll() is None
        assert time.monotonic() < patient_until
        time.sleep(0.01)
    return text
