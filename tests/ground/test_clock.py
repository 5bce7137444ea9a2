"""Timers: made once, cancelled or not, with whatever reactor."""

from __future__ import annotations

import subprocess
import sys

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from scrapy_captcha.clock import CLOCK, looping


@pytest_twisted.ensureDeferred
async def test_a_timer_is_active_until_its_call_is_made() -> None:
    made: list[str] = []
    timer = CLOCK.callLater(0.01, made.append, "call")
    assert timer.active()
    await deferLater(CLOCK, 0.05)

    assert made == ["call"]
    assert not timer.active()
    timer.cancel()  # there is nothing to cancel


@pytest_twisted.ensureDeferred
async def test_a_cancelled_timer_is_not_made() -> None:
    made: list[str] = []
    timer = CLOCK.callLater(0.01, made.append, "call")
    timer.cancel()
    assert not timer.active()
    await deferLater(CLOCK, 0.05)

    assert made == []


@pytest_twisted.ensureDeferred
async def test_a_looping_call_loops_until_it_is_stopped() -> None:
    made: list[float] = []
    call = looping(lambda: made.append(CLOCK.seconds()))
    call.start(0.01, now=False)
    while len(made) < 3:
        await deferLater(CLOCK, 0.01)
    call.stop()
    count = len(made)
    await deferLater(CLOCK, 0.05)

    assert len(made) == count


@pytest.mark.parametrize("name", ["select", "poll"])
def test_other_reactors_have_their_own_timers(name: str) -> None:
    program = (
        f"from twisted.internet import {name}reactor\n"
        f"{name}reactor.install()\n"
        "from twisted.internet import reactor\n"
        "from scrapy_captcha.clock import CLOCK\n"
        "CLOCK.callLater(0.01, reactor.stop)\n"
        "reactor.run()\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=120, check=True).returncode == 0  # noqa: S603
