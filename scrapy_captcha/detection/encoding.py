"""The encoding in which the page of a form has it sent, and its referrer policy."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element

_UTF_8 = "utf-8"
_HEAD = 4096  # bytes in which a page may name its encoding
_LABEL = r"""charset\s{0,9}=\s{0,9}["']?\s{0,9}([A-Za-z0-9_:.-]{1,40})"""
_IN_HEADER = re.compile(_LABEL, re.IGNORECASE)
_IN_PAGE = re.compile(rb"<(?:meta|\?xml)[^>]{0,400}?(?:" + _LABEL.encode() + rb")", re.IGNORECASE)
# Labels that browsers read as another encoding; the UTFs are read so, but never sent.
_READ_AS = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso8859-1": "cp1252",
    "gb2312": "gbk",
    "x-gbk": "gbk",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
    "x-cp1251": "cp1251",
    "iso-8859-9": "cp1254",
}
_POLICIES = frozenset(
    {
        "no-referrer",
        "no-referrer-when-downgrade",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    }
)
_OLD_POLICIES = {"never": "no-referrer", "always": "unsafe-url"}


def encoding_of(document: Document, form: Element) -> str:
    """In which encoding browsers send *form*, as Python names it; UTF-8 where none is named."""
    for label in form.get("accept-charset", "")[:500].replace(",", " ").split():
        if codec := _codec(label):
            return codec
    body = document.page.body[:_HEAD]
    if body.startswith(codecs.BOM_UTF8):
        return _UTF_8
    in_header = _IN_HEADER.search(document.header("Content-Type"))
    if in_header and (codec := _codec(in_header[1])):
        return codec
    in_page = _IN_PAGE.search(body)
    return (_codec(in_page[1].decode("ascii")) if in_page else "") or _UTF_8


def _codec(label: str) -> str:
    """The encoding in which a form is sent for *label*; "" where it names none."""
    label = label.lower()
    try:
        name = codecs.lookup(_READ_AS.get(label, label)).name
        "".encode(name)
    except (LookupError, ValueError):
        return ""
    return _UTF_8 if name.startswith("utf") or name in {"punycode", "idna"} else name


def referrer_policy_of(document: Document, form: Element) -> str:
    """The referrer policy of the page for *form*; "" if it names none."""
    if "noreferrer" in form.get("rel", "").lower().split():
        return "no-referrer"
    names = document.find("//meta[translate(@name,'REFERRR','referrr')='referrer']/@content")[:9]
    said = [document.header("Referrer-Policy"), *map(str, names)]
    words = [word.strip().lower() for text in said for word in text[:500].split(",")]
    policies = [_OLD_POLICIES.get(word, word) for word in words]
    return next((policy for policy in reversed(policies) if policy in _POLICIES), "")
