"""The places in a page at which the texts of walls are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.detection.datadome import options as datadome_options
from scrapy_captcha.detection.scripts import calls
from scrapy_captcha.detection.walls import WALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.walls import Wall

_MAX_CHARACTERS = 3000
_MAX_LINKS = 15


def _attributes(path: str) -> Callable[[Document], list[str]]:
    return lambda document: [str(value)[:4000] for value in document.find(path)[:2000]]


def _names(document: Document) -> list[str]:
    """The ids and classes of elements, and what the head names."""
    held = document.find("//*[@id or @class or self::meta[@name]]")[:2000]
    names = [
        element.get(attribute, "")[:4000]
        for element in held
        for attribute in ("id", "class", "name")
        if attribute != "name" or element.tag == "meta"
    ]
    return [f" {name} " for name in names if name]


def _form_ids(document: Document) -> list[str]:
    return [f"{form.get('id', '')} {form.get('action', '')[:4000]} " for form in document.forms]


def _cloudflare_errors(document: Document) -> list[str]:
    found = document.find("//*[@id='cf-error-details']//h1//span/text()")
    return [f"cf-error-details {str(text)[:99]}" for text in found[:20]]


def _cloudflare_headlines(document: Document) -> list[str]:
    found = document.find("//*[@id='cf-error-details']//*/@data-translate")
    return [f"cf-error-details {str(name)[:99]}" for name in found[:20]]


def _options(document: Document) -> list[str]:
    """The options of a wall's script: the captcha that it shows, if any."""
    types = [
        f"_cf_chl_opt cType {call.options.get('ctype', '')} "
        for call in calls(document.script, ("_cf_chl_opt",), length=8000)
    ]
    datadome = datadome_options(document)
    words = " ".join(f"{name} {datadome.get(name, '')} " for name in ("rt", "t", "host"))
    return [*types, words] if datadome else types


PLACES: Mapping[str, Callable[[Document], list[str]]] = {
    "url": lambda document: [document.url],
    "script": lambda document: [document.script],
    "script url": lambda document: list(document.script_urls),
    "form": _attributes("//form/@action"),
    "form id": _form_ids,
    "hidden field": _attributes("//form//input[@type='hidden']/@name"),
    "error": _cloudflare_errors,
    "headline": _cloudflare_headlines,
    "options": _options,
    "element": _names,
    "frame": _attributes("//iframe/@src"),
    "refresh": _attributes("//meta[@http-equiv]/@content"),
    "stylesheet": _attributes("//link/@href"),
    "link": _attributes("//a/@href"),
}


# Each wall with the word of it that stands in the bytes of its page, which is quicker to know than
# where; none for those that are not in the markup.
_WORDS = tuple((wall, wall.text.split()[0].encode() if wall.in_markup else b"") for wall in WALLS)


def find_wall(document: Document) -> Wall | None:
    """The first wall of the table that *document* is, None where it is none of them."""
    texts: dict[str, list[str]] = {}
    for wall, word in _WORDS:
        if _fits(document, wall) and _stands(document, wall, word, texts):
            return wall
    return None


def _fits(document: Document, wall: Wall) -> bool:
    """Whether there is as much, or as little, to read as *wall* may show."""
    reading = document.reading
    if wall.bare:
        return not (reading.characters or reading.links or document.forms)
    return wall.long or (reading.characters <= _MAX_CHARACTERS and reading.links <= _MAX_LINKS)


def _stands(document: Document, wall: Wall, word: bytes, texts: dict[str, list[str]]) -> bool:
    if word and (document.root is None or document.body.rfind(word) < 0):
        return False
    if wall.place not in texts:
        texts[wall.place] = _texts(document, wall.place)
    return any(wall.text in text and wall.also in text for text in texts[wall.place])


def _texts(document: Document, place: str) -> list[str]:
    where, _, name = place.partition(" ")
    if where == "header":
        return [document.header(name).lower()]
    if where == "json":
        return [_member(document.json, name)[:4000]]
    return PLACES[place](document)


def _member(value: object, path: str) -> str:
    """The member of *value* at the dotted *path*, "" where there is none."""
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, dict) else ""
    return str(value)
