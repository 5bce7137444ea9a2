"""Captchas that no service answers: the page ends with their name, and nothing is bought."""

from __future__ import annotations

from base64 import b64decode

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from guarding import Wall, guarded
from scrapy import Request

# Grey, 60 x 20.
PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAADwAAAAUCAAAAAD0aAH1AAAAGElEQVR42mNooAAwjGoe1TyqeVTzwGoG"
    "AAiOWB8dS7aeAAAAAElFTkSuQmCC"
)
FORM = '<h1>One moment</h1><form method="post">{}<button>Continue</button></form>'


@pytest.mark.parametrize(
    ("name", "captcha"),
    [
        ("iconcaptcha", '<div class="iconcaptcha-widget" data-theme="light"></div>'),
        ("mosparo", '<div id="mosparo-box"></div>'),
        ("procaptcha", '<div class="procaptcha" data-sitekey="5Gx"></div>'),
        (
            "slider_captcha",
            '<img src="/captcha/turned"><input type="range" name="angle" min="0" max="360">',
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_it_is_given_up_by_its_name(name: str, captcha: str) -> None:
    files = {"/captcha/turned": ("image/png", PNG)}
    wall = Wall(FORM.format(captcha), "angle", files=files)
    async with sandbox() as running, guarded(wall) as own:
        crawled = await crawl(running, [Request(own.url + "/a")])

    assert crawled.responses == []
    assert crawled.reasons == [name]
    assert crawled.stat(f"dropped_count/{name}") == 1
    assert running.solver.created == 0
    assert own.answers == []
