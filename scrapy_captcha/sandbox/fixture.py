"""The pytest fixture ``captcha_sandbox``: the sandbox in a process of its own.

A test needs no reactor; flags of the command are given by a marker::

    @pytest.mark.captcha_sandbox(pages=3, kind="hcaptcha", solve_time=0.2)
    def test_my_spider(captcha_sandbox):
        captcha_sandbox.script(error="CAPACITY", retry_after=1)
        run_my_spider(captcha_sandbox.site_url, settings=captcha_sandbox.settings)
        assert captcha_sandbox.state()["site"]["accepted"] == 1
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox: where it listens, and how it is driven.

    *services*: the addresses at which the solver speaks the dialects of services, by name
    """

    api_url: str
    site_url: str
    api_key: str
    services: Mapping[str, str]

    @property
    def settings(self) -> dict[str, object]:
        """The Scrapy settings with which a crawl of the site uses the solver."""
        from .server import settings_for

        return settings_for(self.api_url, self.api_key)

    def script(self, *, service: str = "unified", **rule: object) -> None:
        """Make the solver answer otherwise than usual; *rule* has the fields of ``Answer``.

        It holds for the dialect of *service* only. Raises ``urllib.error.HTTPError`` when that is
        no rule.
        """
        self._call(f"/{service}/sandbox/script", json.dumps(rule).encode())

    def state(self) -> Any:
        """All counters and records, as ``Sandbox.state()`` has them."""
        return self._call("/sandbox/state")

    def _call(self, path: str, body: bytes | None = None) -> Any:
        request = Request(self.api_url + path, body)  # noqa: S310 - loopback
        with urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def sandbox_process(**flags: object) -> Iterator[SandboxProcess]:
    """A sandbox that runs for the length of the block; ``pages=3`` stands for ``--pages=3``.

    Raises RuntimeError when it does not start; what it says about that is on stderr.
    """
    words = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    command = [sys.executable, "-m", "scrapy_captcha.sandbox", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise RuntimeError("The sandbox did not start")
            yield SandboxProcess(**json.loads(line))
        finally:
            process.terminate()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    text = "captcha_sandbox(**flags): how the fixture captcha_sandbox starts the sandbox"
    config.addinivalue_line("markers", text)


@pytest.fixture
def captcha_sandbox(request: pytest.FixtureRequest) -> Iterator[SandboxProcess]:
    """A local solver and a local site behind captchas, in a process of their own."""
    marker = request.node.get_closest_marker("captcha_sandbox")
    with sandbox_process(**(marker.kwargs if marker else {})) as sandbox:
        yield sandbox
