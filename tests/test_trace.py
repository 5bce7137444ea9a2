"""One page with a captcha does not run through more of the package than it does now."""

from __future__ import annotations

import pytest_twisted

from benchmarks.trace import traced


@pytest_twisted.ensureDeferred
async def test_one_page_with_a_captcha_stays_within_its_bounds() -> None:
    trace = await traced()

    assert trace.parsed <= 4
    # To become 45 and 450: the rooms have more modules since, each with one subject.
    assert len(trace.modules) <= 112
    assert trace.changes <= 1150
    assert 1000 < trace.calls < 5000
