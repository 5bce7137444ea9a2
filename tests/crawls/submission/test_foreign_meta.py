"""What others keep in meta is theirs: no type of it is taken for granted."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from scrapy import Request
from scrapy.utils.datatypes import SequenceExclude

from scrapy_captcha import Kind
from scrapy_captcha.sandbox import Guard, Mode, Passage, Shown

PAGES = [f"/page/{n}" for n in range(1, 6)]


@pytest.mark.parametrize("kind", [Kind.RECAPTCHA_V2, Kind.AMAZON_WAF])
@pytest.mark.parametrize("shown", Shown)
@pytest_twisted.ensureDeferred
async def test_statuses_that_are_all_but_some_are_a_container_and_no_list(
    kind: Kind, shown: Shown
) -> None:
    """So do `scrapy fetch`, `scrapy shell` and MEDIA_ALLOW_REDIRECTS write them."""
    guard = Guard(kind=kind, mode=Mode.TOKEN, shown=shown, passage=Passage.REDIRECT)
    async with sandbox(guard=guard) as running:
        meta = {"handle_httpstatus_list": SequenceExclude(range(300, 400))}
        pages = [Request(running.site_url + path, meta=meta) for path in PAGES]
        crawled = await crawl(running, pages)

    assert crawled.paths == PAGES
    assert running.solver.created == len(PAGES)


@pytest.mark.parametrize(
    "meta",
    [
        {"handle_httpstatus_all": True},
        {"redirect_urls": None},
        {"redirect_urls": ()},
        {"redirect_urls": "http://other.example/"},
        {"redirect_times": "many"},
        {"redirect_urls": [7], "redirect_times": None},
        {"download_latency": None},
        {"download_slot": ""},
        {"_captcha_asked": "long ago"},
        {"_captcha_newcomer": ["x"]},
        {"_captcha_origin": 7},
        {"_captcha": 7},
        {"_captcha_proxy": "first"},
    ],
    ids=str,
)
@pytest_twisted.ensureDeferred
async def test_any_value_of_theirs_does_no_harm(meta: dict[str, Any]) -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        pages = [Request(running.site_url + path, meta=dict(meta)) for path in PAGES]
        crawled = await crawl(running, pages)

    assert crawled.paths == PAGES
    assert running.solver.created == len(PAGES)


@pytest_twisted.ensureDeferred
async def test_a_cookiejar_that_no_jar_is_kept_for_does_no_harm() -> None:
    guard = Guard(mode=Mode.TOKEN)
    async with sandbox(guard=guard, session_bound=False) as running:
        meta = {"cookiejar": ["no key"], "proxy": None}
        pages = [Request(running.site_url + path, meta=dict(meta)) for path in PAGES]
        crawled = await crawl(running, pages, {"COOKIES_ENABLED": False})

    assert crawled.paths == PAGES
