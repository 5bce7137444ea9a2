"""The cheap test on the raw bytes: may this page be a captcha or a wall at all?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scrapy_captcha.detection.page import REFUSALS
from scrapy_captcha.detection.walls import WALLS

if TYPE_CHECKING:
    from scrapy_captcha.detection.page import Page

# This word stands in nearly every captcha, whatever the page's size.
_COMMON = b"captcha"
# And this one in all of Cloudflare's, but in articles as well; so it needs one of the others.
_AMBIGUOUS = b"challenge"
_CLOUDFLARE = (b"_cf_chl", b"turnstile", b"challenge-form")

# Walls without these words are refusals, or short pages of little markup that lead nowhere.
_SHORT = 24_576
_FEW_TAGS = 200
_FEW_LINKS = 20
_NAMES = {wall.place[7:].lower() for wall in WALLS if wall.place.startswith("header ")}
_IN_HEADERS = frozenset[str | bytes](_NAMES) | {name.encode() for name in _NAMES}
_IN_URLS = tuple({wall.text for wall in WALLS if wall.place == "url"})
_IN_BODIES = {wall.text.split()[0].encode() for wall in WALLS if wall.in_markup}
_WORDS = (
    b"aptcha",
    b"cap-widget",
    b"challenge",
    b"arkose",
    b"mosparo",
    b"seccode",
    b"turnstile",
    b"vcode",
)
_RARE = (*_WORDS, *sorted(text for text in _IN_BODIES if not any(word in text for word in _WORDS)))

# With a byte order mark, or with markup at once.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")

# The parser needs quadratic time for the attributes of one tag.
_MAX_ATTRIBUTES = 128
_MAX_TAGS = 20_000
_LONG_TAG = 512
_BODY = (
    rb"(?:[\s/]+"
    rb"|[^\s/>][^\s/>=]*(?:\s*=\s*(?:\"[^\"]*\"?|'[^']*'?|[^\s>\"'][^\s>]*)?)?"
    rb"){0,300}"
)
_TAG = re.compile(
    rb"<!--(?:-?>|.*?(?:--!?>|\Z))"
    rb"|(?P<raw><(script|style|title)(?=[\s/>])" + _BODY + rb")(?:>.*?(?:</\2|\Z))?"
    rb"|(?P<tag><[A-Za-z][^\s/>]*" + _BODY + rb")",
    re.DOTALL | re.IGNORECASE,
)
_VALUE = re.compile(rb"=\s*(?:\"[^\"]*\"?|'[^']*'?|[^\s>\"'][^\s>]*)")


def suspicious(page: Page) -> bool:
    """Whether *page* is worth parsing: body, headers or URL hold a word of a captcha or a wall."""
    body = legible(page.body)
    if holds(body, _COMMON):
        return True
    if page.status in REFUSALS or _is_short(body):
        if holds(body, *_RARE) or _asks_about_picture(body):
            return True
    elif holds(body, _AMBIGUOUS) and holds(body, *_CLOUDFLARE):
        return True
    if not _IN_HEADERS.isdisjoint([name.lower() for name in page.headers]):
        return True
    url = page.url
    return any([text in url for text in _IN_URLS])  # noqa: C419 - a generator takes twice as long


def _asks_about_picture(body: bytes) -> bool:
    """Whether there may be a picture and a form for a text that stands in it."""
    return (
        holds(body, b"<form", b"<FORM")
        and holds(body, b"<img", b"<svg", b"url(", b"<IMG")
        and not holds(body, b"password")
    )


def legible(body: bytes) -> bytes:
    """*body*; of UTF-16 every other byte, which is as good as ASCII for markup."""
    return body.replace(b"\0", b"") if body.startswith(_UTF_16) else body


def holds(body: bytes, *words: bytes) -> bool:
    """Whether one of *words* stands anywhere in *body*."""
    # From the end: CPython needs half the time that it does from the beginning.
    find = body.rfind
    for word in words:  # noqa: SIM110 - any() takes twice as long, and this is asked for each page
        if find(word) >= 0:
            return True
    return False


def _is_short(body: bytes) -> bool:
    return (
        len(body) <= _SHORT and body.count(b"<") <= _FEW_TAGS and body.count(b"<a ") <= _FEW_LINKS
    )


def parseable(body: bytes) -> bool:
    """Whether a parser gets through *body* in a time that grows with its size only."""
    if body.count(b"<") > _MAX_TAGS:
        return False
    for match in _TAG.finditer(body):
        tag = match["raw"] or match["tag"] or b""
        if len(tag) > _LONG_TAG and len(_VALUE.sub(b" ", tag).split()) > _MAX_ATTRIBUTES:
            return False
    return True
