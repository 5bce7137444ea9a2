"""Scrapy's responses and saved files are pages alike; headers count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scrapy.http import HtmlResponse, JsonResponse, TextResponse, XmlResponse

from scrapy_captcha.detection import HtmlPage, Verdict, detect

if TYPE_CHECKING:
    from scrapy_captcha.detection import Page

PAGES = Path(__file__).parents[1] / "pages"
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
        ({"cdn-challenge": "true"}, "bunny"),
    ],
)
def test_headers_name_a_wall_even_without_a_body(headers: dict[str, str], name: str) -> None:
    for page in (HtmlPage(URL, b"", 403, headers), HtmlResponse(URL, headers=headers, body=b"")):
        found = detect(page)
        assert found
        assert (found.verdict, found.name) == (Verdict.BLOCK, name)


def test_a_header_tells_of_a_captcha_whose_page_is_not_there() -> None:
    found = detect(HtmlPage(URL, b"", 405, {"x-amzn-waf-action": "captcha"}))
    assert found
    assert (found.verdict, found.name) == (Verdict.CHALLENGE, "amazon_waf")


DATADOME = "https://geo.captcha-delivery.com/captcha/?initialCid=0"


@pytest.mark.parametrize(
    ("body", "verdict", "name", "parameters"),
    [
        ({"url": DATADOME}, Verdict.CHALLENGE, "datadome", {"captcha_url": DATADOME}),
        ({"url": f"{DATADOME}&t=bv"}, Verdict.BLOCK, "datadome", {}),
        (
            {"url": "https://geo.captcha-delivery.com/interstitial/?cid=0"},
            Verdict.BLOCK,
            "datadome",
            {},
        ),
        (
            {"appId": "PXmadeup00", "blockScript": "/madeup00/captcha/captcha.js?a=c&u=0"},
            Verdict.CHALLENGE,
            "perimeterx",
            {},
        ),
    ],
)
def test_walls_answer_scripts_in_json(
    body: dict[str, str], verdict: Verdict, name: str, parameters: dict[str, str]
) -> None:
    text = json.dumps(body).encode()
    for page in (HtmlPage(URL, text, 403), JsonResponse(URL, body=text, status=403)):
        found = detect(page)
        assert found
        assert (found.verdict, found.name) == (verdict, name)
        assert (found.captcha.parameters if found.captcha else {}) == parameters


def test_datadomes_cookie_goes_into_the_address_of_its_captcha() -> None:
    script = b"<script>var dd={'rt':'c','cid':'a','host':'geo.captcha-delivery.com'}</script>"
    found = detect(HtmlPage(URL, script, 403, {"Set-Cookie": "datadome=Made~Up; Secure"}))
    assert found
    assert found.captcha
    assert "&cid=Made~Up&" in str(found.captcha.parameters["captcha_url"])


def test_an_address_on_another_host_is_not_datadomes() -> None:
    elsewhere = "https://other.example/?geo.captcha-delivery.com/captcha/"
    found = detect(HtmlPage(URL, json.dumps({"url": elsewhere}).encode(), 403))
    assert found is None or found.captcha is None or not found.captcha.parameters


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_pages_in_utf_16_are_read(encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    found = detect(HtmlPage(URL, (mark + WALL.decode()).encode(encoding)))
    assert found
    assert found.name == "turnstile"


@pytest.mark.parametrize(
    "page",
    [
        JsonResponse(URL, body=b'{"captcha": {"sitekey": "1x00000000000000000000AA"}}'),
        JsonResponse(URL, body=b"[captcha"),
        XmlResponse(URL, body=b"<rss><title>captcha</title></rss>"),
        TextResponse(URL, body=b"captcha"),
        HtmlPage(URL, b"captcha", None),
    ],
)
def test_other_content_is_nothing(page: Page) -> None:
    assert detect(page) is None


BRANDED = b"<style>" + b".card { margin: 0 auto; padding: 1em }\n" * 10_000 + b"</style>"


@pytest.mark.parametrize(
    "name", ["challenge_cloudflare", "challenge_hcaptcha", "challenge_picture"]
)
def test_a_challenge_may_be_as_large_as_any_page(name: str) -> None:
    body = (PAGES / f"{name}.html").read_bytes()
    small, large = detect(HtmlPage(URL, body)), detect(HtmlPage(URL, BRANDED + body))
    assert len(BRANDED) > 350_000
    assert large
    assert large == small


def test_the_older_wall_of_cloudflare_may_hide_a_long_text() -> None:
    text = (
        b"<div>" + b"The handbook tells how each of the chairs was made. " * 120 + b"</div></body>"
    )
    body = (PAGES / "block_cloudflare_iuam.html").read_bytes().replace(b"</body>", text)
    found = detect(HtmlPage(URL, body, 503))
    assert found
    assert (found.verdict, found.name) == (Verdict.BLOCK, "cloudflare")


@pytest.mark.parametrize("status", [429, 999])
def test_an_empty_refusal_is_no_captcha(status: int) -> None:
    assert detect(HtmlPage(URL, b"", status)) is None


def test_a_large_refusal_is_looked_at_for_walls_that_name_no_captcha() -> None:
    body = BRANDED + (PAGES / "block_sucuri.html").read_bytes()
    found = detect(HtmlPage(URL, body, 403))
    assert found
    assert found.name == "sucuri"
