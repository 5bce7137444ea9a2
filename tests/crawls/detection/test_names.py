"""What detectors and sites call things is no format, no part of a terminal's language, no stat."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from scrapy import Request
from serving import Page, site

from scrapy_captcha import Detection, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from scrapy.http import Response

    from scrapy_captcha.detection import Document

NAMES = {
    "100% blocked": "100_blocked",
    "%(request)d": "request_d",
    "a\nERROR b/c": "a_ERROR_b_c",
    "\x1b[31mred\u202e": "31mred",
    "x" * 10_000: "x" * 64,
}


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("name", NAMES, ids=[f"{name!r:.20}" for name in NAMES])
@pytest_twisted.ensureDeferred
async def test_a_wall_of_any_name_is_given_up_by_a_word(
    name: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    def named(document: Document) -> Detection:
        return Detection(Verdict.BLOCK, name, None, ("it is so",), 1.0)

    async with sandbox() as running, site({"/": Page("<h1>Wall</h1>", status)}) as own:
        settings = {"CAPTCHA_DETECTORS": {"own": named}}
        crawled = await crawl(running, [Request(own.url + "/")], settings)

    assert crawled.responses == []
    assert len(crawled.failures) == 1
    assert crawled.stat(f"blocked_count/{NAMES[name]}") == 1
    assert crawled.stat(f"dropped_count/{NAMES[name]}") == (status == 200)
    ours = [r for r in caplog.records if r.name.startswith("scrapy_captcha")]
    assert all(r.getMessage().replace("\n", "").isprintable() for r in ours)
    assert not [r for r in ours if "--- Logging error" in r.getMessage()]
    assert all(re.fullmatch(r"[\w./:<>-]+", key) for key in crawled.stats if "captcha" in key)


@pytest_twisted.ensureDeferred
async def test_the_spider_that_detects_may_say_any_name_as_well(tmp_path: Path) -> None:
    class Detecting(Visitor):
        def captcha_detect(self, response: Response) -> Detection:
            return Detection(Verdict.BLOCK, "50% \x1b[2J", None, ("\u202e",), 1.0)

    report = tmp_path / "report.html"
    settings: dict[str, Any] = {"CAPTCHA_REPORT": str(report)}
    async with sandbox() as running, site({"/": Page("<h1>Wall</h1>")}) as own:
        crawled = await crawl(running, [Request(own.url + "/")], settings, Detecting)

    assert crawled.reasons == ["50_2J"]
    if report.exists():
        assert "\x1b" not in report.read_text()
