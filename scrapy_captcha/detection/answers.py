"""The field of a form that takes the answer, where its name is not the usual one of the kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from scrapy_captcha.detection.controls import asks_reader, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element
    from scrapy_captcha.detection.widgets import Widget

_MAX_SCRIPT = 200_000
_MAX_FINDINGS = 100
_MAX_FIELDS = 500
_BEFORE = 120  # characters
_LOOKUP = re.compile(
    r"(?P<how>getElementById|getElementsByName|getElementsByClassName|querySelector(?:All)?"
    r"|\$|\bjQuery)\(\s{0,9}(?:\"(?P<one>[^\"\n]{1,200})\"|'(?P<other>[^'\n]{1,200})')\s{0,9}\)"
)
_ASSIGNED = re.compile(r"([A-Za-z_$][\w$]{0,63})\s{0,9}=\s{0,9}(?:[\w$]{1,64}\.){0,3}$")
# Which member of what was looked up, then how it gets its value, then the value.
_FIRST = r"(?:\[0\]|\.first\(\)|\.get\(0\)|[!?])?"
_SETTING = (
    r"(?:\.value\s{0,9}=(?!=)|\.val\(|\.(?:attr|prop|setAttribute)\(\s{0,9}[\"']value[\"']\s{0,9},)"
    r"\s{0,9}(?P<given>[\w$.]{1,80})"
)
_CHAINED = re.compile(_FIRST + _SETTING)
_SET = re.compile(r"\b(?P<name>[\w$-]{1,64})[\"']?\]?" + _FIRST + _SETTING)
# What no captcha answers: numbers, and what a script knows by itself.
_OWN = re.compile(r"\d|(?:Date|Math|document|false|location|navigator|new|null|screen|this|true)\b")
_ANSWER = re.compile(r"token|response|captcha|answer|execute", re.IGNORECASE)
# The parts of the last compound of a CSS selector.
_PART = re.compile(
    r"#(?P<id>[\w-]+)|\.(?P<css>[\w-]+)"
    r"|\[(?P<key>[\w-]+)=(?:\"(?P<one>[^\"]*)|'(?P<other>[^']*)|(?P<bare>[^\"'\]]*))"
)
_ATTRIBUTES = {
    "getElementById": "#{}",
    "getElementsByName": '[name="{}"]',
    "getElementsByClassName": ".{}",
}


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Where a script looks for an element: *selector* as in CSS, *name* of the variable."""

    selector: str
    name: str | None
    end: int


def answer_field(document: Document, widget: Widget, form: Element | None) -> str | None:
    """The form's own name for the answer, None where it is the kind's usual one.

    A script may put the answer into a hidden field of the form, and that may be the widget itself.
    """
    if widget.answer_field or form is None:
        return widget.answer_field
    script = document.script[:_MAX_SCRIPT]
    controls = document.controls_of(form)[:_MAX_FIELDS]
    fields = [one for one in controls if _is_free(document, one)]
    if fields and (".val" in script or "value" in script):
        field = _named_in(script, fields)
        if field is not None:
            return str(field.get("name"))
    own = widget.element
    if own is None or own.tag != "input" or kind_of(own) != "hidden":
        return None
    return own.get("name") or None


def _is_free(document: Document, control: Element) -> bool:
    """Whether a script may put something into *control* that no reader is asked for."""
    if control.tag not in ("input", "textarea") or not control.get("name") or control.get("value"):
        return False
    return not asks_reader(control, document.visible)


def _named_in(script: str, fields: list[Element]) -> Element | None:
    """The one of *fields* that *script* sets, what sounds like an answer preferred."""
    lookups = list(_lookups(script))
    found = [*_chained(script, lookups, fields), *_by_variable(script, lookups, fields)]
    found.sort(key=lambda one: not _ANSWER.search(one[0]))
    return found[0][1] if found else None


def _lookups(script: str) -> Iterator[_Lookup]:
    for match in islice(_LOOKUP.finditer(script), _MAX_FINDINGS):
        selector = match["one"] or match["other"]
        before = script[max(0, match.start() - _BEFORE) : match.start()]
        name = _ASSIGNED.search(before)
        pattern = _ATTRIBUTES.get(match["how"], "{}")
        yield _Lookup(pattern.format(selector), name[1] if name else None, match.end())


def _chained(
    script: str, lookups: list[_Lookup], fields: list[Element]
) -> Iterator[tuple[str, Element]]:
    """Fields that are set where they are looked up, each with what they are set to."""
    for lookup in lookups:
        setting = _CHAINED.match(script, lookup.end)
        field = _selected(lookup.selector, fields) if setting else None
        if setting and field is not None and not _OWN.match(setting["given"]):
            yield setting["given"], field


def _by_variable(
    script: str, lookups: list[_Lookup], fields: list[Element]
) -> Iterator[tuple[str, Element]]:
    """Fields that are set by their own name, by a variable, or one after the other in a loop."""
    own = {name: field for field in fields[::-1] for name in (field.get("id"), field.get("name"))}
    held = {one.name: one.selector for one in lookups[::-1] if one.name}
    for setting in islice(_SET.finditer(script), _MAX_FINDINGS):
        name, given = setting["name"], setting["given"]
        if _OWN.match(given):
            continue
        if name in own:
            yield given, own[name]
        selectors = [held[name]] if name in held else [one.selector for one in lookups]
        field = next(
            (one for one in (_selected(css, fields) for css in selectors) if one is not None), None
        )
        if field is not None and (name in held or _ANSWER.search(given)):
            yield given, field


def _selected(selector: str, fields: list[Element]) -> Element | None:
    """The first of *fields* that the last compound of *selector* fits."""
    parts = list(_PART.finditer(selector.strip().rpartition(" ")[2]))
    return next((one for one in fields if parts and all(_fits(one, part) for part in parts)), None)


def _fits(field: Element, part: re.Match[str]) -> bool:
    if part["id"]:
        return bool(field.get("id") == part["id"])
    if part["css"]:
        return part["css"] in field.get("class", "").split()
    return bool(field.get(part["key"]) == (part["one"] or part["other"] or part["bare"]))
