"""Pictures with a text field and no names of a captcha: the page's own text has to name it."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

from lxml import etree  # type: ignore[import-untyped]

from scrapy_captcha.detection.controls import is_preset, kind_of, typed
from scrapy_captcha.detection.naming import names_captcha, names_check
from scrapy_captcha.detection.pictures import FILE, NAMED, is_other, names_of, source_of
from scrapy_captcha.detection.reading import text_of
from scrapy_captcha.detection.searching import is_search
from scrapy_captcha.detection.widgets import Widget
from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element

_MAX_PICTURES = 20
_MAX_TEXT = 2_000
_MAX_BARE = 80  # characters
_MAX_CONTROLS = 50
_MAX_DRAWING = 48_000  # bytes of markup
_NEAR = 4  # elements around a picture whose names count
_TEXTS = frozenset(("text", "search", "tel", "number"))
_OTHER_FIELD = re.compile(
    r"search|query|^q$|mail|user|login|phone|coupon|voucher|promo|otp|totp|\bpin\b|sms|zip|postal|url",
    re.IGNORECASE,
)
_HELD = "//img[@src] | //*[local-name()='svg'] | //*[contains(@style, 'url(') and not(self::body)]"
_HEADS = "//title | //h1 | //h2 | //h3 | //legend | //label"
_BACKGROUND = re.compile(r"\burl\(\s{0,9}[\"']?([^\"')]{1,200000})")
_SAID = ("alt", "aria-label", "placeholder", "title", "value")


def find_unnamed(document: Document, *, known: bool = False) -> Iterator[Widget]:
    """The one picture of a page with a form that asks for one text, if the page names a captcha.

    It need not, where it is *known* to be a wall. Such a wall with a drawing has a better name.
    """
    for form in document.forms[:5]:
        question = _only_question(document, form)
        picture = _picture(document, form) if question is not None else None
        if question is None or picture is None:
            continue
        source = _source(document, picture)
        if source is None or (known and picture.tag == "svg"):
            continue
        named = known or NAMED.search(names_of(question))
        if not (
            named
            or _is_named(document, form, picture, source)
            or _is_bare_check(document, form, picture, source)
        ):
            continue
        yield Widget(
            Kind.IMAGE,
            "only picture and text field of the page",
            picture,
            answer_field=question.get("name"),
            image=source,
            question=question,
        )


def _only_question(document: Document, form: Element) -> Element | None:
    """The text field that is all that *form*, which has a button, asks for."""
    own = [one for one in document.questions if document.form_of(one) is form]
    texts = [one for one in own if typed(one)]
    if len(texts) != 1 or is_search(document, form):
        return None
    field = texts[0]
    is_text = field.tag == "input" and kind_of(field) in _TEXTS and field.get("name")
    if not is_text or _OTHER_FIELD.search(f"{field.get('name')[:200]} {field.get('id', '')[:200]}"):
        return None
    asks_more = not all(is_preset(one) for one in own if one is not field)
    return None if asks_more or not _has_button(document, form) else field


def _has_button(document: Document, form: Element) -> bool:
    return any(
        one.tag == "button" or kind_of(one) in ("submit", "image", "button")
        for one in document.controls_of(form)
    )


def _picture(document: Document, form: Element) -> Element | None:
    """The picture that *form* is about: its only one, else the only one that a program drew."""
    found = [one for one in document.find(_HELD)[:_MAX_PICTURES] if _may_be(document, one)]
    inside = [one for one in found if document.form_of(one) is form]
    pool = inside or found
    if len(pool) > 1:
        pool = [one for one in pool if one.tag == "img" and not FILE.match(one.get("src"))]
    return pool[0] if len(pool) == 1 else None


def _may_be(document: Document, element: Element) -> bool:
    """Whether *element* may show a text: it is no icon, and not named as something else."""
    sizes = [element.get(name, "").removesuffix("px") for name in ("width", "height")]
    if any(size.isdecimal() and int(size[:9]) < 16 for size in sizes):
        return False
    if element.tag == "svg":
        around = element.getparent()
        return _is_wide(element) and (around is None or document.visible(around))
    return not is_other(element) and document.visible(element)


def _is_wide(drawing: Element) -> bool:
    """Whether an SVG element is as wide as a text, which icons are not."""
    box = (drawing.get("viewbox") or drawing.get("viewBox") or "").replace(",", " ").split()
    given = [drawing.get("width", ""), drawing.get("height", "")]
    width, height = (
        size.removesuffix("px") for size in (given if all(given) else box[2:4] or given)
    )
    try:
        return float(width) >= 1.4 * float(height) >= 1.4 * 16
    except ValueError:
        return False


def _source(document: Document, picture: Element) -> str | None:
    if picture.tag == "img":
        return source_of(document, picture.get("src"))
    if picture.tag == "svg":
        markup: bytes = etree.tostring(picture, with_tail=False)
        kept = markup if len(markup) <= _MAX_DRAWING else b""
        kept = kept.replace(b" viewbox=", b" viewBox=")  # the parser lets HTML have lower case only
        return f"data:image/svg+xml;base64,{b64encode(kept).decode()}"
    background = _BACKGROUND.search(picture.get("style"))
    return source_of(document, background[1]) if background else None


def _is_named(document: Document, form: Element, picture: Element, source: str) -> bool:
    """Whether the title, a heading, a label, the form or a short page's text names a captcha."""
    near = list(document.ancestors(picture))[:_NEAR]
    if any(NAMED.search(f"{one.get('id', '')} {one.get('class', '')}"[:500]) for one in near):
        return True
    whole = [form, *document.find(_HEADS)[:20]]
    if document.reading.characters <= _MAX_TEXT:
        whole += document.find("//body")[:1]
    said = [one.get(name, "")[:200] for one in _speaking(document, form, picture) for name in _SAID]
    text = " ".join([*(text_of(one, _MAX_TEXT) for one in whole), *said])
    return names_captcha(text, drawn=not FILE.match(source))


def _is_bare_check(document: Document, form: Element, picture: Element, source: str) -> bool:
    """Whether the page is nothing but a picture, a field and a button, headed as a check."""
    if document.reading.characters > _MAX_BARE or document.reading.links or len(document.forms) > 1:
        return False
    is_drawn = picture.tag == "img" and not FILE.match(source)
    is_inside = document.form_of(picture) is form
    if not (is_drawn and is_inside) or len(document.find(_HELD)) > 1:
        return False
    heads = [text_of(one, _MAX_BARE) for one in document.find(_HEADS)[:20]]
    heads = [head for head in heads if head.strip()]
    if str(form.get("method", "")).strip().lower() != "post":
        return False
    return bool(heads) and all(names_check(head) for head in heads)


def _speaking(document: Document, form: Element, picture: Element) -> list[Element]:
    controls = [one for one in document.controls_of(form) if kind_of(one) != "hidden"]
    return [picture, *controls[:_MAX_CONTROLS]]
