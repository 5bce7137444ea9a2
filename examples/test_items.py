"""How to test a spider without spending money: ``pytest examples/test_items.py``.

The fixture ``captcha_sandbox`` comes with the package; it starts a local solver and a local site.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scrapy_captcha.sandbox.fixture import SandboxProcess

SPIDER = Path(__file__).with_name("items.py")


@pytest.mark.captcha_sandbox(pages=3, kind="hcaptcha", mode="token")
def test_all_items_are_scraped_though_the_solver_is_busy_at_first(
    captcha_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    captcha_sandbox.script(error="CAPACITY", retry_after=1)

    assert crawl(captcha_sandbox, tmp_path / "items.json") == ["Item 1", "Item 2", "Item 3"]

    state = captcha_sandbox.state()
    assert state["site"]["accepted"] == 3
    assert state["solver"]["spent"] == 0.006


def crawl(sandbox: SandboxProcess, output: Path) -> list[str]:
    """The titles that the spider scrapes from the sandbox's site, sorted."""
    command = [sys.executable, "-m", "scrapy", "runspider", str(SPIDER), "-O", str(output)]
    command += ["-a", f"site={sandbox.site_url}"]
    for name in ("CAPTCHA_API_URL", "CAPTCHA_API_KEY", "CAPTCHA_POLL_INTERVAL"):
        command += ["-s", f"{name}={sandbox.settings[name]}"]
    subprocess.run(command, check=True)
    return sorted(item["title"] for item in json.loads(output.read_text()))
