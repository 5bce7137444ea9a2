"""The spider is run against a local site and a local solver, which cost nothing."""

import json
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.mark.captcha_sandbox(pages=3, mode="token")
def test_all_items_are_scraped(captcha_sandbox, tmp_path):
    items = crawl(captcha_sandbox, tmp_path / "items.json")

    assert sorted(item["title"] for item in items) == ["Item 1", "Item 2", "Item 3"]
    assert captcha_sandbox.state()["site"]["accepted"] == 3


@pytest.mark.captcha_sandbox(pages=1)
def test_a_busy_solver_is_waited_for(captcha_sandbox, tmp_path):
    captcha_sandbox.script(error="CAPACITY", retry_after=1)

    assert crawl(captcha_sandbox, tmp_path / "items.json") == [{"title": "Item 1", "price": "1.50"}]


def crawl(sandbox, output):
    command = ["scrapy", "crawl", "items", "-a", f"site={sandbox.site_url}", "-O", str(output)]
    for name in ("CAPTCHA_API_URL", "CAPTCHA_API_KEY", "CAPTCHA_POLL_INTERVAL"):
        command += ["-s", f"{name}={sandbox.settings[name]}"]
    subprocess.run(command, cwd=PROJECT, check=True)
    return json.loads(output.read_text())
