"""Tokens go into the field that the site reads, whatever its name."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from guarding import Wall, guarded
from scrapy import Request

PAGES = Path(__file__).parents[2] / "pages"
KEY = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
COPIED = (
    '<p>Wait.</p><form method="post" id="f">'
    '<div class="h-captcha" data-sitekey="10000000-ffff-ffff-ffff-000000000001"'
    ' data-callback="passed"></div><input type="hidden" name="answer"></form><script>'
    "function passed(token) { $('[name=answer]').val(token); $('#f').submit() }</script>"
)


@pytest.mark.parametrize(
    ("markup", "field"),
    [
        ((PAGES / "challenge_hidden_field.html").read_text(), "captcha"),
        (COPIED, "answer"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_token_goes_where_the_script_of_the_page_puts_it(markup: str, field: str) -> None:
    async with sandbox() as running, guarded(Wall(markup, field)) as own:
        crawled = await crawl(running, [Request(own.url + "/")], {"CAPTCHA_RETRY_TIMES": 1})

    assert crawled.reasons == []
    assert [r.css("h1::text").get() for r in crawled.responses] == ["Page /"]
    assert running.solver.created == 1
    assert len(own.answers) == 1
