"""Scrapy's responses and saved files are pages alike; headers count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scrapy.http import HtmlResponse, JsonResponse, TextResponse, XmlResponse

from scrapy_captcha.detection import HtmlPage, Verdict, detect

if TYPE_CHECKING:
    from scrapy_captcha.detection import Page

URL = "https://shop.example/"
WALL = b'<form method="post"><div class="cf-turnstile" data-sitekey="1x00000000000000000000AA"></div></form>'


def test_a_scrapy_response_is_a_page() -> None:
    response = HtmlResponse(URL, body=WALL, status=403)
    page: Page = response
    assert detect(page) == detect(HtmlPage(URL, WALL, 403))


def test_the_page_is_parsed_once() -> None:
    page = HtmlPage(URL, WALL)
    detect(page)
    assert page.selector is page.selector


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"CF-Mitigated": "challenge"}, "cloudflare"),
        ({"x-amzn-waf-action": "challenge"}, "amazon_waf_silent"),
        ({"sg-captcha": "challenge"}, "siteground"),
    ],
)
def test_headers_name_a_wall_even_without_a_body(headers: dict[str, str], name: str) -> None:
    for page in (HtmlPage(URL, b"", 403, headers), HtmlResponse(URL, headers=headers, body=b"")):
        found = detect(page)
        assert found
        assert (found.verdict, found.name) == (Verdict.BLOCK, name)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"url": "https://geo.captcha-delivery.com/captcha/?initialCid=0"}', "datadome"),
        (b'{"appId": "PXmadeup00", "blockScript": "/madeup00/captcha.js?a=c"}', "perimeterx"),
    ],
)
def test_walls_that_answer_scripts_in_json(body: bytes, name: str) -> None:
    for page in (HtmlPage(URL, body, 403), JsonResponse(URL, body=body, status=403)):
        found = detect(page)
        assert found
        assert (found.verdict, found.name) == (Verdict.BLOCK, name)


@pytest.mark.parametrize(
    "page",
    [
        JsonResponse(URL, body=b'{"captcha": {"sitekey": "1x00000000000000000000AA"}}'),
        JsonResponse(URL, body=b"[captcha"),
        XmlResponse(URL, body=b"<rss><title>captcha</title></rss>"),
        TextResponse(URL, body=b"captcha"),
        HtmlPage(URL, b"captcha", None),
        HtmlPage(URL, WALL.decode().encode("utf-16")),
    ],
)
def test_other_content_is_nothing(page: Page) -> None:
    assert detect(page) is None
