"""Answers go to the origin that showed the captcha, however a page writes the URL of its form."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scrapy import Request
from serving import Page, site
from twisted.web.client import URI
from walls import wall

from scrapy_captcha.urls import as_sent, joined, origin_of

if TYPE_CHECKING:
    from scrapy_captcha.urls import Origin

_BACKSLASH = "\\"
# EVIL and SITE stand for a host with its port.
ACTIONS = [
    r"http://EVIL\@SITE/v",
    r"//EVIL\@SITE/v",
    r"\\EVIL/v",
    r"/\EVIL/v",
    r"http:\\EVIL/v",
    "http:///EVIL/v",
    "///EVIL/v",
    "http://SITE@EVIL/v",
    "http://user:password@SITE/v",
    "http://EVIL#@SITE/v",
    "http://EVIL?@SITE/v",
    "http://EVIL/@SITE/v",
    "ht\ntp://EVIL/v",
    "\t//EV\nIL/v",
    "http://EVIL%2f@SITE/v",
    "http://EVIL%00@SITE/v",
    "http://SITE%40EVIL/v",
    "http://SITE@@EVIL/v",
    "https://SITE/v",
    "http://127.0.0.1.EVIL/v",
    "http://127%2e0%2e0%2e1:1/v",
    "http://127.0.0.1:1/v",
    "http://2130706433:1/v",
]


@pytest_twisted.ensureDeferred
async def test_no_form_leads_an_answer_to_another_origin() -> None:
    async with sandbox() as running, site({}) as evil, site({}) as own:
        there = evil.url.removeprefix("http://").replace("127.0.0.1", "localhost")
        here = own.url.removeprefix("http://")
        for number, action in enumerate(ACTIONS):
            written = action.replace("EVIL", there).replace("SITE", here)
            own.pages[f"/{number}"] = Page(wall(escape(written)))
        headers = {"Authorization": "Basic c2VjcmV0", "X-Own": "secret"}
        pages = [Request(f"{own.url}/{n}", headers=headers) for n in range(len(ACTIONS))]
        crawled = await crawl(running, pages, {"CAPTCHA_DOMAINS": ["127.0.0.1", "localhost"]})

    assert evil.requests == []
    assert crawled.reasons == ["other_origin"] * len(ACTIONS)
    assert running.solver.calls == []


@pytest.mark.parametrize(
    "action",
    [
        "/v",
        r"\v",
        "http:/v",
        "http:v",
        " /\tv\n",
        "HTTP://SITE/v",
        "http://SITE/x/../v",
        "?v",
        "#v",
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_form_of_the_page_s_own_origin_is_sent_there(action: str) -> None:
    page = {"POST": Page("<h1>Item</h1>")}
    async with sandbox() as running, site({}, on_post=page["POST"]) as own:
        own.pages["/"] = Page(wall(escape(action.replace("SITE", own.url.removeprefix("http://")))))
        crawled = await crawl(running, [Request(own.url + "/")])

    assert crawled.stat("dropped_count/other_origin") == 0
    assert running.solver.created >= 1
    assert any(method == "POST" for method, _ in own.requests)


_PIECES = st.lists(
    st.sampled_from(
        [
            *("http:", "https:", "ws:", "//", "/", "///", _BACKSLASH, "@", ":", "#", "?", "%40"),
            *("%2e", "%00", "\t", "\n", " ", "evil", "site.example", "site.example:80", ".", ";"),
            *("[::1]", "[", "]", "127.1", "0x7f.1", "\u24d4vil", "b\u00fccher.example", ":8080"),
            *("\u3002", "\uff0f", "user:password", "-", "_", "..", "\x00", "\x1f", "|", ","),
        ]
    ),
    max_size=9,
).map("".join)
_URLS = st.one_of(_PIECES, _PIECES.map("http://".__add__), st.text(max_size=30))


def contacted(request: Request) -> tuple[bytes, bytes, int]:
    """Where Twisted's agent, which Scrapy's usual download handler is, goes for *request*."""
    uri = URI.fromBytes(urldefrag(request.url)[0].encode("ascii"))
    return uri.scheme, uri.host.lower(), uri.port


def as_contacted(origin: Origin) -> tuple[bytes, bytes, int]:
    return origin.scheme.encode(), origin.host.encode(), origin.port


UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNHURRIED
@given(base=st.sampled_from(["http://site.example/a/b?c", "https://site.example:8443/"]), url=_URLS)
def test_the_origin_that_is_judged_is_the_one_that_is_contacted(base: str, url: str) -> None:
    try:
        sent = as_sent(joined(base, url))
    except ValueError:
        return
    origin = origin_of(sent)
    if origin is None:
        return
    assert contacted(Request(sent)) == as_contacted(origin)
    assert origin_of(joined(base, url)) == origin
    assert re.fullmatch(r"[a-z0-9._:-]+", origin.host)


@UNHURRIED
@given(url=_URLS)
def test_a_request_of_a_url_is_judged_like_the_url(url: str) -> None:
    try:
        request = Request(url)
    except ValueError:
        return
    origin = origin_of(url)
    if origin is not None:
        assert contacted(request) == as_contacted(origin)
