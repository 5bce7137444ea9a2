"""Clients that nobody here wrote solve against the sandbox, through their own code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox import Sandbox, SolverOptions
from scrapy_captcha.sandbox.pictures import draw

PROGRAM = Path(__file__).with_name("clients.py")
PAGE, BOX = "http://127.0.0.1/page/1", "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
NO_KEY, NO_ACCESS = "ERROR_KEY_DOES_NOT_EXIST", "API key not found or invalid"

# Client: the package, the service that it is for, what it says of a wrong key.
CLIENTS = {
    "anticaptchaofficial": ("anticaptchaofficial", "anticaptcha", NO_KEY),
    "python3_anticaptcha": ("python3_anticaptcha", "anticaptcha", NO_KEY),
    "python_rucaptcha": ("python_rucaptcha", "2captcha", NO_KEY),
    "python_rucaptcha_ru": ("python_rucaptcha", "rucaptcha", NO_KEY),
    "twocaptcha": ("twocaptcha", "2captcha", NO_KEY),
    "capsolver": ("capsolver", "capsolver", NO_ACCESS),
    "capsolver_core": ("capsolver_core", "capsolver", NO_ACCESS),
    "python3_capsolver": ("python3_capsolver", "capsolver", "ERROR_KEY_DENIED_ACCESS"),
    "capmonster_python": ("capmonster_python", "capmonster", NO_KEY),
    "captcha_solver_api": ("captcha_solver_api", "generic", NO_KEY),
}
# Clients hurry here, faster than the services would let them.
OPTIONS = SolverOptions(solve_time=0.12, poll_interval=0)


@pytest.mark.parametrize("client", CLIENTS)
@pytest_twisted.ensureDeferred
async def test_a_client_of_the_service_solves(client: str) -> None:
    package, service, no_key = CLIENTS[client]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    async with Sandbox(OPTIONS) as sandbox:
        picture = draw("AC34E")
        sandbox.book.show_picture(picture, "AC34E")
        solver = sandbox.services[service]
        account = sandbox.url_of(service), sandbox.api_key
        got = await deferToThread(run, client, *account, b64encode(picture).decode())
        for name in {"box", "proxied"} & got.keys():
            token = {"token": got[name]}
            assert sandbox.book.redeem(token, Kind.RECAPTCHA_V2, BOX, PAGE) is None, name
        assert got.get("text", "AC34E") == "AC34E"
        assert no_key in got["refused"]
        assert max(solver.polls.values()) > 1
        assert 0 < got.get("balance", 1) < 10
        # One of them repeats its report: it does not know the answer for a good one.
        assert {report.correct for report in solver.reports} == (
            {False} if "report" in got else set()
        )


def run(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, str(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={**os.environ, "NO_PROXY": "*"},
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))
