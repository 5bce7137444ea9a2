"""A sandbox leaves nothing behind; alone in a process it can be driven from a test."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import pytest_twisted
import treq
from twisted.web.client import HTTPConnectionPool

from scrapy_captcha.sandbox import Answer, Fault, Sandbox, SiteOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest_twisted.ensureDeferred
async def test_the_settings_point_a_crawl_at_the_sandbox() -> None:
    async with Sandbox() as sandbox:
        assert sandbox.settings["CAPTCHA_API_URL"] == sandbox.api_url
        assert sandbox.settings["CAPTCHA_API_KEY"] == sandbox.api_key
        assert sandbox.settings["CAPTCHA_DOMAINS"] == ["127.0.0.1"]


@pytest_twisted.ensureDeferred
async def test_it_can_be_started_and_stopped_again() -> None:
    sandbox = Sandbox()
    for _ in range(2):
        await sandbox.start()
        await treq.content(await treq.get(sandbox.site_url, persistent=False))
        await sandbox.stop()
    await sandbox.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.api_url


@pytest_twisted.ensureDeferred
async def test_stopping_drops_kept_connections_and_answers_under_way() -> None:
    from twisted.internet import reactor

    pool = HTTPConnectionPool(reactor)
    calls_before = set(reactor.getDelayedCalls())
    sandbox = Sandbox(site=SiteOptions(latency=lambda path: 60 if path == "/page/1" else 0))
    await sandbox.start()
    url = sandbox.site_url
    await treq.content(await treq.get(url, pool=pool))
    sandbox.solver.script(Answer(fault=Fault.HANG), Answer(fault=Fault.DRIP))
    under_way = [
        treq.get(f"{url}/page/1"),
        *(treq.post(f"{sandbox.api_url}/createTask") for _ in range(2)),
    ]
    for answer in under_way:
        answer.addCallback(treq.content).addErrback(lambda _: None)
    while len(sandbox.solver.calls) < 2 or len(sandbox.site.requests) < 2:
        await treq.content(await treq.get(sandbox.api_url, persistent=False))
    await sandbox.stop()
    for answer in under_way:
        await answer
    await pool.closeCachedConnections()
    assert set(reactor.getDelayedCalls()) <= calls_before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(url).port))


def test_the_command_ends_with_an_error_when_a_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = python(tmp_path, "-m", "scrapy_captcha.sandbox", f"--site-port={port}")
    assert (run.returncode, run.stdout) == (1, "")
    assert "Address already in use" in run.stderr


def test_the_command_knows_the_errors_that_it_can_answer_with(tmp_path: Path) -> None:
    run = python(tmp_path, "-m", "scrapy_captcha.sandbox", "--error=NO_SUCH@/page/1")
    assert (run.returncode, run.stdout) == (2, "")
    assert "--error: neither of the error page nor of a service: 'NO_SUCH'" in run.stderr


def test_the_command_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scrapy_captcha.sandbox", "--api-key=k"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE)  # noqa: S603
    with process:
        line = process.stdout.readline() if process.stdout else b""
        where = json.loads(line)
        with urlopen(where["site_url"] + "/page/1") as page:  # noqa: S310 - loopback
            assert b"g-recaptcha" in page.read()
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert set(where) == {"api_url", "site_url", "api_key", "services"}
    assert where["services"]["capsolver"] == where["api_url"] + "/capsolver"


TEST = """
import json
import urllib.error
import urllib.request

import pytest


@pytest.mark.captcha_sandbox(pages=2, kind="hcaptcha", status=403, open_pages=1)
def test_with_flags(captcha_sandbox):
    assert captcha_sandbox.settings["CAPTCHA_API_URL"] == captcha_sandbox.api_url
    urllib.request.urlopen(captcha_sandbox.site_url + "/page/1").close()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(captcha_sandbox.site_url + "/page/2")
    assert caught.value.code == 403
    assert b"h-captcha" in caught.value.read()
    assert captcha_sandbox.state()["site"]["shown"] == 1


def test_without_flags(captcha_sandbox):
    captcha_sandbox.script(method="getBalance", error="CAPACITY", retry_after=3)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(captcha_sandbox.api_url + "/getBalance", b"{}")
    assert json.load(caught.value)["retryAfter"] == 3


def test_a_service(captcha_sandbox):
    captcha_sandbox.script(service="capsolver", method="getBalance", error="AUTH_INVALID")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(captcha_sandbox.services["capsolver"] + "/getBalance", b"{}")
    assert json.load(caught.value)["errorCode"] == "ERROR_KEY_DENIED_ACCESS"
    assert len(captcha_sandbox.state()["services"]["capsolver"]["calls"]) == 1
"""


def test_the_fixture_starts_drives_and_stops_a_sandbox(tmp_path: Path) -> None:
    test = tmp_path / "test_user.py"
    test.write_text(TEST)
    # The plugin by its module, whether or not the package is installed with its entry point.
    plugin = ("-p", "no:scrapy_captcha", "-p", "scrapy_captcha.sandbox.fixture")
    options = (
        "-p",
        "no:cacheprovider",
        "-p",
        "no:pytest_twisted",
        "-W",
        "error",
        "--strict-markers",
    )
    run = python(tmp_path, "-m", "pytest", "-c", "/dev/null", *plugin, *options, str(test))
    assert "3 passed" in run.stdout, run.stdout


def test_loading_the_plugin_loads_neither_servers_nor_a_reactor(tmp_path: Path) -> None:
    unwanted = "{'scrapy_captcha.sandbox.server', 'twisted.internet.reactor', 'captcha'}"
    code = f"import sys, scrapy_captcha.sandbox.fixture; print({unwanted} & set(sys.modules))"
    assert python(tmp_path, "-c", code).stdout == "set()\n"


def python(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(  # noqa: S603 - our own words
        command, cwd=directory, capture_output=True, text=True, timeout=180, check=False
    )
