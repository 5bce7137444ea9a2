"""Captchas that no service answers: of vendors without a task, sliders, and questions in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scrapy_captcha.detection.controls import kind_of, typed
from scrapy_captcha.detection.pictures import NAMED, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element
    from scrapy_captcha.models import Scalar

SLIDER = "slider_captcha"
TEXT = "text_captcha"
_OF_CLASS = "//*[contains(concat(' ', normalize-space(@class), ' '), ' {} ')]"
# The element that the vendor's script makes the widget of.
_ELEMENTS: Mapping[str, tuple[str, str]] = {
    "altcha": ("altcha-widget", "//altcha-widget"),
    "cap": ("cap-widget", "//cap-widget"),
    "iconcaptcha": ("iconcaptcha-widget", _OF_CLASS.format("iconcaptcha-widget")),
    "mcaptcha": ("mcaptcha__widget-container", "//*[@id='mcaptcha__widget-container']"),
    "mosparo": ("mosparo-box", "//*[starts-with(@id, 'mosparo-box')]"),
    "procaptcha": ("procaptcha", _OF_CLASS.format("procaptcha")),
}
UNSOLD = frozenset((SLIDER, TEXT, *_ELEMENTS))
_PICTURE = "//img | //svg | //*[local-name()='svg'] | //input[@type='image'] | //object | //embed"


@dataclass(frozen=True, slots=True)
class Unsold:
    """A captcha that has the *name* of no kind; the rest is as in a `Widget`."""

    name: str
    evidence: str
    element: Element
    question: Element | None = None
    parameters: Mapping[str, Scalar] = field(default_factory=dict)


def find_unsold(document: Document) -> Iterator[Unsold]:
    """The visible ones of *document*, the captchas of vendors first."""
    fields = [one for one in document.questions if typed(one) and NAMED.search(names_of(one))]
    for name, (word, path) in _ELEMENTS.items():
        for element in document.find(path)[:1] if document.holds(word) else ():
            if document.visible(element):
                own = next((one for one in fields if one in element.iter()), None)
                beside = own if own is not None else _field_beside(document, element, fields)
                yield Unsold(name, f"{word} element", element, beside)
    slider = _slider(document)
    if slider is not None:
        yield Unsold(SLIDER, "slider beside the picture of a captcha", slider, slider)
    if fields and not document.find(_PICTURE):
        yield Unsold(TEXT, "text field of a captcha without a picture", fields[0], fields[0])


def _slider(document: Document) -> Element | None:
    """The slider of a form with a picture, where either is named like a captcha."""
    sliders = [one for one in document.questions if kind_of(one) == "range"]
    for image in document.find("//img[@src]")[:200] if sliders else ():
        form = document.form_of(image)
        for one in sliders:
            if form is document.form_of(one) and NAMED.search(f"{names_of(one)} {names_of(image)}"):
                return one
    return None


def _field_beside(document: Document, element: Element, fields: list[Element]) -> Element | None:
    """The field that a widget fills in itself, which stands in its form."""
    form = document.form_of(element)
    return next((one for one in fields if document.form_of(one) is form), None)
