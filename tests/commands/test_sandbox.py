"""``scrapy captcha sandbox`` as a user runs it."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING
from urllib.request import urlopen

from commanding import Command

if TYPE_CHECKING:
    from pathlib import Path


def test_the_sandbox_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    with Command(tmp_path).started("sandbox", "--pages", "2") as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        with urlopen(where["site_url"]) as answer:  # noqa: S310
            page = answer.read()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)

    assert page.count(b"/page/") == 2
