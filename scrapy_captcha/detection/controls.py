"""The controls of forms: which of them ask a reader for something, and for what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scrapy_captcha.detection.reading import hides

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy_captcha.detection.reading import Element

_BUTTONS = frozenset(("button", "image", "reset", "submit"))
_CHOICES = frozenset(("checkbox", "radio"))
_DRAGGED = frozenset(("color", "range"))
_MAX_OPTIONS = 500
# Fields that only robots fill in.
_TRAP = re.compile(r"honey[_-]?pot", re.IGNORECASE)
# The text areas that widgets keep their answers in.
_ANSWERS = re.compile(r"(?:g-re|h-)captcha-response")


def asks_reader(control: Element, visible: Callable[[Element], bool]) -> bool:
    """Whether *control* asks the reader of the page to type or to choose something."""
    if not _asks(control) or hides(control) or _is_trap(control):
        return False
    parent = control.getparent()
    return parent is None or visible(parent)


def _is_trap(control: Element) -> bool:
    """Whether *control*, or what stands around it alone, is named as a trap for robots."""
    return any(
        _TRAP.search(one.get(name, "")[:500])
        for one in (control, control.getparent())
        for name in ("id", "name", "class")
    )


def _asks(control: Element) -> bool:
    if control.tag == "input" and kind_of(control) in _BUTTONS | {"hidden"}:
        return False
    if "disabled" in control.attrib or "readonly" in control.attrib:
        return False
    return control.tag != "textarea" or not _ANSWERS.match(control.get("name", ""))


def kind_of(control: Element) -> str:
    """The type of an input, as browsers read it."""
    return str(control.get("type", "text")).strip().lower() or "text"


def typed(control: Element) -> bool:
    """Whether *control* takes text that a reader has to type."""
    return control.tag == "textarea" or (
        control.tag == "input" and kind_of(control) not in _BUTTONS | _CHOICES | _DRAGGED
    )


def is_preset(control: Element) -> bool:
    """Whether *control*, a choice, can be sent as it is: the page has chosen, or asks for nothing.

    So it is with a box that may stay empty, and with a list that begins with an answer.
    """
    if control.tag == "input":
        return "checked" in control.attrib or (
            kind_of(control) == "checkbox" and "required" not in control.attrib
        )
    options = control.findall(".//option")[:_MAX_OPTIONS]
    chosen = next((one for one in options if "selected" in one.attrib), None)
    chosen = options[0] if chosen is None and options else chosen
    if chosen is None or "disabled" in chosen.attrib:
        return False
    return bool(chosen.get("value", " ".join(chosen.itertext())).strip())
