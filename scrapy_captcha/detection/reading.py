"""The visible text and links of a page, by its markup."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from lxml import etree  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy_captcha.detection.steps import Steps

# lxml comes without types.
Element = Any

# What stands in these is no part of the page that a reader sees.
INERT = frozenset(("head", "iframe", "noembed", "noframes", "noscript", "script", "style", "svg"))
INERT |= {"template", "textarea", "xmp"}
# Values are found first, as a pattern that may begin with many letters is slow on long styles.
_HIDING_VALUE = re.compile(r":\s{0,9}(?:(none)|(hidden)|-\d{3})")
_HIDING_NAMES = (
    re.compile(r"\b(?:left|top)\s*$"),
    re.compile(r"display\s*$"),
    re.compile(r"visibility\s*$"),
)
_LONGEST_NAME = 20
_MOST_VALUES = 8

_MAX_DEPTH = 256
_MAX_ELEMENTS = 20_000
_MAX_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader finds on a page: *characters* of visible text, and *links* elsewhere."""

    characters: int
    links: int


def ancestors(element: Element) -> Iterator[Element]:
    """*element* and what encloses it, to a bounded depth."""
    for _ in range(_MAX_DEPTH):
        if element is None:
            return
        yield element
        element = element.getparent()


def hides(element: Element) -> bool:
    """Whether *element* hides what stands in it."""
    attributes = element.attrib
    style = attributes.get("style")
    if not style:
        return "hidden" in attributes
    style = style[:1000].lower()
    return "hidden" in attributes or any(
        _HIDING_NAMES[value.lastindex or 0].search(
            style[max(0, value.start() - _LONGEST_NAME) : value.start()]
        )
        for value in islice(_HIDING_VALUE.finditer(style), _MOST_VALUES)
    )


def read(root: Element, steps: Steps) -> Reading:
    """How much there is to read below *root*; counting stops where a page is clearly content."""
    characters = links = seen = 0
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for seen, (event, element) in enumerate(walk):
        if event == "start":
            if element.tag in INERT or hides(element):
                walk.skip_subtree()
            elif element.text:
                characters += len(" ".join(element.text.split()))
            links += element.tag == "a" and _leads_away(element.get("href", ""))
        elif element.tail and element is not root:
            characters += len(" ".join(element.tail.split()))
        if characters > _MAX_TEXT or seen > 2 * _MAX_ELEMENTS:
            break
    steps.spend(2 * seen)
    return Reading(characters, links)


def text_of(root: Element, limit: int) -> str:
    """What a reader sees below *root*, up to some *limit* of characters."""
    found: list[str] = []
    room = limit
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for seen, (event, element) in enumerate(walk):
        text = element.text if event == "start" else None
        if event == "start" and element is not root and (element.tag in INERT or hides(element)):
            walk.skip_subtree()
            text = None
        elif event != "start" and element is not root:
            text = element.tail
        if text:
            found.append(" ".join(text[:room].split()))
            room -= len(found[-1])
        if room <= 0 or seen > _MAX_ELEMENTS:
            break
    return " ".join(found)


def _leads_away(href: str) -> bool:
    return bool(href) and not href.lstrip()[:11].lower().startswith(("#", "javascript:", "mailto:"))
