"""What is past a bound is not judged, and says which."""

from __future__ import annotations

import time

import pytest

from scrapy_captcha.detection import MAX_SIZE, Document, HtmlPage, Verdict, judge

URL = "https://shop.example/"
WIDGET = b'<div class="h-captcha" data-sitekey="10000000-ffff-ffff-ffff-000000000001"></div>'
WALL = b"<form method=post>" + WIDGET + b"<button>Go</button></form>"
STYLED = b"<div style='color: red; %s'>" % (b"x" * 900)
FIELDS = b"<input name=captcha><img src='ftp://captcha.png'>" * 200
SLOW = {
    "nested and styled": STYLED * 240 + FIELDS,
    "nested and styled, in a form": b"<form>" + STYLED * 240 + FIELDS,
    "forms in objects": b"<form><object>" * 60 + b"<input name=captcha>" * 19_000,
    "hidden fields": WIDGET + b"<form><object>" * 60 + b"<input type=hidden name=a>" * 19_000,
    "pictures": b"<form><object>" * 60 + b"<img src=/captcha.png><input name=captcha>" * 9_000,
}


def judged(body: bytes) -> tuple[Verdict | None, str | None]:
    document = Document(HtmlPage(URL, body), MAX_SIZE)
    found = judge(document)
    return found.verdict if found else None, document.unjudged


@pytest.mark.parametrize("name", SLOW)
def test_judging_takes_a_time_that_grows_with_the_page(name: str) -> None:
    page = HtmlPage(URL, SLOW[name][:MAX_SIZE])
    started = time.process_time()
    page.selector  # noqa: B018 - it is the work
    parsed = time.process_time()
    judge(Document(page, MAX_SIZE))
    took = time.process_time() - parsed
    assert took < 0.3 + 3 * (parsed - started)  # 0.1 s on an ordinary machine, where it was 5 s


@pytest.mark.parametrize(
    ("body", "bound"),
    [
        (b"<!--" + b"x" * 1_100_000 + b"-->" + WALL, "size"),
        (b"<p></p>" * 20_001 + WALL, "markup"),
        (b"<p " + b" ".join(b"a%d" % n for n in range(129)) + b">" + WALL, "markup"),
        (b"<meta charset=idna>" + WALL, "encoding"),
        (WALL + b"<input name=a>" * 15_000, "steps"),
    ],
)
def test_a_bound_that_is_reached_has_a_name(body: bytes, bound: str) -> None:
    assert judged(body) == (None, bound)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_and_without_a_mark(encoding: str) -> None:
    assert judged(WALL.decode().encode(encoding)) == (Verdict.CHALLENGE, None)


@pytest.mark.parametrize(
    "body",
    [
        "+ADw-form method=post+AD4-+ADw-div class=h-captcha+AD4-",
        f"<iframe srcdoc='{WALL.decode()}'></iframe>",
        '{"html": "<form><div class=h-captcha></div></form>"}',
        "<frameset><frame src='/captcha'></frameset>",
        "<p>" + "x" * 20_000,
    ],
)
def test_what_holds_no_captcha_of_its_own_is_content_and_past_no_bound(body: str) -> None:
    assert judged(body.encode()) == (None, None)
