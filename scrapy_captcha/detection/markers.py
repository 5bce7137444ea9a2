"""The cheap test on the raw bytes: may this page be a captcha or a wall at all?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scrapy_captcha.detection.walls import WALLS

if TYPE_CHECKING:
    from scrapy_captcha.detection.page import Page

# One of these stands in nearly every captcha, whatever the page's size.
_COMMON = (b"captcha", b"challenge")
# CPython finds quickest in less than 30,000 bytes.
_WINDOW = 28_000

# Walls without a common word are short pages that lead nowhere.
_SHORT = 24_576
_FEW_LINKS = 20
_IN_HEADERS = tuple(wall for wall in WALLS if wall.place.startswith("header "))
_RARE = tuple(
    text
    for text in (
        *(b"aptcha", b"arkose", b"seccode", b"turnstile", b"vcode"),
        *sorted({wall.text.encode() for wall in WALLS if wall not in _IN_HEADERS}),
    )
    if not any(word in text for word in _COMMON)
)

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
    """Whether *page* is worth parsing: its bytes or headers hold a word of a captcha or a wall."""
    body = page.body
    if any(_holds(body, word) for word in _COMMON):
        return True
    if len(body) <= _SHORT and body.count(b"<a ") <= _FEW_LINKS and any(t in body for t in _RARE):
        return True
    return any(page.headers.get(wall.place[len("header ") :]) for wall in _IN_HEADERS)


def _holds(body: bytes, word: bytes) -> bool:
    return any(
        body.find(word, start, start + _WINDOW + len(word)) >= 0
        for start in range(0, len(body), _WINDOW)
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
