"""No page makes detection raise, stall, or hand out text that nobody checked."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapy_captcha.detection import MAX_SIZE, Declared, Document, HtmlPage, contained, detect
from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from parsel import Selector

PAGES = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "pages").glob("*"))]
URL = "https://shop.example/"
WIDGET = b'<div class="g-recaptcha" data-sitekey="6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"></div>'
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


class Unparsed(HtmlPage):
    @cached_property
    def selector(self) -> Selector:
        pytest.fail("parsed")


def attributes(pattern: bytes) -> bytes:
    return b" ".join(pattern % number for number in range(150_000))


pytestmark = pytest.mark.thorough

HOSTILE = {
    "deep nesting": WIDGET + b"<div>" * 19_000,
    "very deep nesting": WIDGET + b"<div>" * 300_000,
    "attributes": WIDGET + b"<div " + attributes(b"a%d"),
    "quoted attributes": WIDGET + b"<div " + attributes(b'a%d=">"'),
    "attributes behind a comment": WIDGET + b'<!-- <a x=" --><div ' + attributes(b"a%d"),
    "half-open tags": WIDGET + b"<a " * 600_000,
    "half-open comments": WIDGET + b"<!--" * 400_000,
    "quotes": WIDGET + b"<a" + b'="' * 900_000,
    "calls without end": WIDGET + b"<script>" + b"grecaptcha.render(" * 100_000,
    "options without end": WIDGET + b"<script>turnstile.render(" + b"sitekey: " * 200_000,
    "data without end": (WIDGET + b"<script>self.__next_f.push(" + b"[" * 90_000) * 20,
    "quotes in data": WIDGET + b"<script>window.__DATA__={" + rb"\"" * 900_000,
    "names of callbacks": WIDGET
    + b'<p data-callback="a"></p>' * 5_000
    + b"<script>render(a, a);"
    + b"a=(a (a " * 90_000,
    "drawn fields": WIDGET + b"<a-input>" * 18_000,
    "pictures": b"<form><input name=captcha>" + b"<img src=captcha.png>" * 9_000,
    "fields": b"<form>" + WIDGET + b"<input name=captcha>" * 18_000,
    "forms": WIDGET + b"<form>" * 18_000,
    "widgets": WIDGET * 15_000,
    "fields around pictures": b"<div>" * 240
    + b"<input name=captcha>" * 200
    + b"<img src='ftp://captcha.png'>" * 200,
    "pictures before hidden fields": b"<form><input name=q>"
    + b"<img src=captcha.png>" * 200
    + b"<input type=hidden>" * 19_000,
    "lists in lists": b"<form>" + WIDGET + b"<select name=a>" * 450 + b"<option>a" * 18_000,
    "answers copied": b"<form>"
    + WIDGET
    + b"<input type=hidden id=a name=b value=c>" * 17_000
    + b"</form><script>"
    + b"getElementById('a').value=b;" * 7_000
    + b"</script>",
    "addresses of scripts": WIDGET
    + (b"<script src='" + b"recaptcha/" * 190 + b"'></script>") * 490,
    "styles": WIDGET + b'<p style="display' + b" " * 900_000 + b'none">',
    "text": WIDGET + b"x " * 900_000,
    "ten megabytes": WIDGET + b"<div>" * 2_000_000,
    "deep JSON": b'{"captcha":' + b"[" * 60_000,
    "long number in JSON": b'{"captcha":' + b"9" * 60_000 + b"}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_take_no_longer_than_their_size_allows(name: str) -> None:
    started = time.process_time()
    detect(HtmlPage(URL, HOSTILE[name]))
    assert time.process_time() - started < 0.6  # about 0.2 at most on an ordinary machine


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"", {"Content-Type": "text/html; charset=punycode"}),
        (b"<meta charset=punycode>", {}),
        (b"<meta charset=idna>", {}),
    ],
)
def test_an_encoding_that_is_slow_to_decode_or_never_decodes_is_left_alone(
    head: bytes, headers: dict[str, str]
) -> None:
    page = Unparsed(URL, head + b"captcha" * 50_000 + b"-" + b"a" * 600_000, 403, headers)
    assert detect(page) is None


@QUICK
@given(body=st.binary(max_size=300))
def test_any_bytes_do(body: bytes) -> None:
    detect(HtmlPage(URL, b"captcha" + body))


@QUICK
@given(
    body=st.sampled_from(PAGES),
    at=st.integers(0, 3000),
    cut=st.integers(0, 200),
    junk=st.binary(max_size=20)
    | st.sampled_from([b'"', b"<", b"</form>", b"<form>", b"\0", b"]["]),
)
def test_damaged_pages_do(body: bytes, at: int, cut: int, junk: bytes) -> None:
    at %= len(body)
    page = HtmlPage(URL, body[:at] + junk + body[at + cut :], 403)
    document = Document(page, MAX_SIZE)
    contained(document)
    Declared(Kind.HCAPTCHA).met(document, detect(page))


@pytest.mark.parametrize(
    "key",
    [
        "short",
        "x" * 129,
        "6L&#27;[31m",
        "6L&#13;&#10;Set-Cookie",
        "6L\u202eabcdefgh",
        "a b c d e f",
    ],
)
def test_a_site_key_outside_the_alphabet_is_none(key: str) -> None:
    html = f'<form method=post><div class="g-recaptcha" data-sitekey="{key}"></div></form>'
    found = detect(HtmlPage(URL, html.encode()))
    assert found
    assert found.captcha
    assert found.captcha.site_key is None


def test_parameters_that_are_no_plain_text_are_left_out() -> None:
    html = (
        '<form><div class="cf-turnstile" data-sitekey="1x00000000000000000000AA"'
        f' data-action="a&#10;b" data-cdata="{"x" * 4097}"></div></form>'
    )
    found = detect(HtmlPage(URL, html.encode()))
    assert found
    assert found.captcha
    assert found.captcha.parameters == {}


def test_evidence_is_printable_and_short() -> None:
    for body in PAGES:
        found = detect(HtmlPage(URL, body))
        for words in found.evidence if found else ():
            assert words.isascii()
            assert words.isprintable()
            assert len(words) < 120


def test_big_and_harmless_pages_are_not_parsed() -> None:
    assert detect(Unparsed(URL, WIDGET), max_size=10) is None
    assert detect(Unparsed(URL, b"<p>nothing of that sort</p>")) is None
