"""Pictures with a text field: what every home-made captcha looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy_captcha.detection.controls import typed
from scrapy_captcha.detection.widgets import Widget
from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element

# Names that the generators of such pictures give to the picture or to its field.
_CAPTCHA = r"[ck]aptcha|securimage|seccode|vvcode|turing"
# Names of other codes as well: of one sent to a phone, or printed on a card.
_OTHER_CODE = (
    r"vcode|verif(?:y|ication)[_-]?code|check[_-]?code|security[_-]?code|auth[_-]?code"
    r"|validate[_-]?code"
)
NAMED = re.compile(_CAPTCHA, re.IGNORECASE)
_CODE = re.compile(f"{_CAPTCHA}|{_OTHER_CODE}", re.IGNORECASE)
# Pictures that are the same for every visitor. Programs draw bitmaps, named maybe like files.
_ARTWORK = re.compile(r"[^?#]{1,2000}\.(?:avif|ico|svg|webp)(?:[?#]|$)", re.IGNORECASE)
FILE = re.compile(r"[^?#]{1,2000}\.(?:avif|gif|ico|jpe?g|png|svg|webp)(?:[?#]|$)", re.IGNORECASE)
# Buttons around the picture, and what else is drawn for one visitor.
_OTHER = re.compile(
    r"refresh|reload|audio|sound|speaker|loading|spinner|logo|icon|avatar|\bqr", re.IGNORECASE
)
_MAX_URL = 200_000


@dataclass(frozen=True, slots=True)
class _Field:
    """A text field: what it belongs to, and which of our patterns its names match."""

    control: Element
    form: Element | None
    named: frozenset[re.Pattern[str]]


def find_pictures(document: Document) -> Iterator[Widget]:
    """Pictures with a text field in their form, where either is named like a captcha."""
    fields = _fields(document)
    if not fields:
        return
    order = document.find("//*[self::img or self::input or self::textarea]")
    places = {element: place for place, element in enumerate(order)}
    images = [
        image
        for image in document.find("//img[@src]")[:200]
        if not is_other(image) and document.visible(image)
    ]
    images.sort(key=lambda image: not _named(image))
    for image in images:
        asked = _question(document, image, fields, places)
        source = source_of(document, image.get("src")) if asked else None
        if asked and source:
            question = asked.control
            yield Widget(
                Kind.IMAGE,
                "picture and text field of a captcha",
                image,
                answer_field=question.get("name"),
                image=source,
                question=question,
            )


def _named(image: Element) -> bool:
    """Whether *image* is named like the picture of a captcha."""
    own = NAMED if _ARTWORK.match(image.get("src")) else _CODE
    return own.search(names_of(image)) is not None


def names_of(element: Element) -> str:
    """All that names *element*, in one string."""
    parts = (
        element.get(name, "") for name in ("id", "name", "class", "alt", "title", "placeholder")
    )
    source = element.get("src", "")
    return " ".join(part[:200] for part in parts) + (
        "" if source.startswith("data:") else " " + source[:500]
    )


def is_other(image: Element) -> bool:
    """Whether *image* is named as what is drawn or clicked for another end.

    What its address asks for says nothing: pictures that are to be new each time ask for that.
    """
    query = image.get("src", "")[:500].partition("?")[2]
    return _OTHER.search(names_of(image).removesuffix(query)) is not None


def source_of(document: Document, given: str) -> str | None:
    """The picture that a page names as *given*: a URL, or ``data:``; None for what is neither."""
    source = given.strip()
    if len(source) > _MAX_URL or not (source.isascii() and source.isprintable()):
        return None
    if source.startswith("data:"):
        return str(source) if source.startswith("data:image/") else None
    url = document.absolute(document.base_url, source)
    return url if url.startswith(("http://", "https://")) else None


def _fields(document: Document) -> list[_Field]:
    return [
        _Field(
            control,
            document.form_of(control),
            frozenset(names for names in (NAMED, _CODE) if names.search(names_of(control))),
        )
        for control in document.questions
        if typed(control) and control.get("name")
    ]


def _question(
    document: Document, image: Element, fields: list[_Field], places: Mapping[Element, int]
) -> _Field | None:
    """The text field that *image* is about: one named so, else the next one in the form.

    A picture that is not named like a captcha needs a form that asks one thing, named so; one that
    is a mere file, or that stands beside the form, illustrates any code but a captcha's.
    """
    form = _form(document, image)
    fields = [field for field in fields if field.form is form]
    alone = not _named(image)
    beside = document.form_of(image) is None
    own = NAMED if alone and (beside or FILE.match(image.get("src"))) else _CODE
    named = [field for field in fields if own in field.named]
    if alone:
        return named[0] if form is not None and len(fields) == len(named) == 1 else None
    if named or form is None:
        return named[0] if named else None
    if document.form_of(image) is not form:
        return fields[0] if len(fields) == 1 else None
    return next((field for field in fields if places[field.control] > places[image]), None)


def _form(document: Document, image: Element) -> Element | None:
    """The form of *image*, or the page's only one where a program drew *image*."""
    form = document.form_of(image)
    drawn = not FILE.match(image.get("src"))
    return document.forms[0] if form is None and drawn and len(document.forms) == 1 else form
