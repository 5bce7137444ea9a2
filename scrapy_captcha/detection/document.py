"""A parsed page as detection reads it: scripts, forms, what a reader sees. All of it bounded."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lxml import etree  # type: ignore[import-untyped]
from w3lib.encoding import html_to_unicode

from scrapy_captcha.detection.controls import asks_reader
from scrapy_captcha.detection.markers import holds, legible, parseable, suspicious
from scrapy_captcha.detection.reading import INERT, Reading, ancestors, read
from scrapy_captcha.detection.redirects import leads_elsewhere
from scrapy_captcha.detection.scripts import code
from scrapy_captcha.urls import joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parsel import Selector

    from scrapy_captcha.detection.page import Headers, Page
    from scrapy_captcha.detection.reading import Element

_HEAD = 4096  # bytes in which a page may name its encoding
_MAX_SCRIPT = 100_000
_MAX_SCRIPTS = 400_000
_MAX_CONTROLS = 200
_MAX_JSON = 65_536


class Document:
    """A page as detectors get it: a `Page` itself, its parts looked up when asked for.

    *page* is the original, in a crawl Scrapy's response. What its markup holds is parsed at most
    once, and not at all where it has more than *max_size* bytes or where a parser would need long.
    *wanted* is the URL that was asked for, None where nothing is known of redirects.
    """

    def __init__(self, page: Page, max_size: int, wanted: str | None = None) -> None:
        self.page = page
        self.max_size = max_size
        self.wanted = wanted

    @property
    def url(self) -> str:
        """The page's."""
        return self.page.url

    @property
    def status(self) -> int | None:
        """The page's."""
        return self.page.status

    @property
    def headers(self) -> Headers:
        """The page's."""
        return self.page.headers

    @property
    def selector(self) -> Selector:
        """The page's."""
        return self.page.selector

    @cached_property
    def body(self) -> bytes:
        """The page's bytes, as `legible` has them."""
        return legible(self.page.body)

    def holds(self, *words: str) -> bool:
        """Whether one of *words* stands in the bytes, which is quicker to know than where."""
        return holds(self.body, *(word.encode() for word in words))

    @cached_property
    def suspicious(self) -> bool:
        """Whether the bytes or headers hold a word of a captcha or a wall; costs microseconds."""
        return suspicious(self)

    @cached_property
    def redirected(self) -> bool:
        """Whether another page than the one that was asked for is here."""
        return self.wanted is not None and leads_elsewhere(self.wanted, self.url)

    @cached_property
    def json(self) -> Mapping[str, object] | None:
        """The JSON object that the page is; empty for other JSON; None where it is none at all."""
        if not self.body[:100].lstrip().startswith((b"{", b"[")):
            return None
        try:
            value = json.loads(self.body) if len(self.body) <= _MAX_JSON else None
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def header(self, name: str) -> str:
        """The header *name*, "" where it is missing."""
        value = self.headers.get(name)
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        return (text or "").strip()

    @cached_property
    def root(self) -> Element | None:
        """The root element of the page, None where it is no HTML or was not parsed."""
        if self.json is not None or len(self.page.body) > self.max_size:
            return None
        try:
            readable = parseable(self.body) and not self._is_punycode
            root = self.selector.root if readable else None
        except (LookupError, ValueError, RecursionError, etree.LxmlError):
            return None
        return root if getattr(root, "tag", None) == "html" else None

    @property
    def _is_punycode(self) -> bool:
        """Whether the page claims to be in punycode, for which Python needs quadratic time."""
        claim = self.header("Content-Type")
        return html_to_unicode(claim, self.page.body[:_HEAD])[0] == "punycode"

    def find(self, path: str, **variables: str) -> list[Any]:
        """What the XPath expression *path* selects; [] where there is no HTML."""
        if self.root is None:
            return []
        try:
            found = self.root.xpath(path, **variables)
        except ValueError:  # control characters in a variable: they are in no text that XPath knows
            return []
        return found if isinstance(found, list) else [found]

    @cached_property
    def base_url(self) -> str:
        """What relative URLs of the page are relative to."""
        for href in self.find("(//base/@href)[1]"):
            return self.absolute(self.url, str(href).strip())
        return self.url

    @staticmethod
    def absolute(base: str, url: str) -> str:
        """*url* joined to *base*; *base* where it cannot be."""
        try:
            return joined(base, url)
        except ValueError:
            return base

    @cached_property
    def script_urls(self) -> tuple[str, ...]:
        """The URLs of the scripts that the page loads, as written in it."""
        return tuple(str(src).strip()[:2000] for src in self.find("//script/@src")[:500])

    @cached_property
    def script(self) -> str:
        """The page's own scripts, one after the other; no JSON, no templates, no data."""
        texts: list[str] = []
        room = _MAX_SCRIPTS
        for element in self.find("//script[not(@src)]"):
            kind = element.get("type", "")[:99].lower()
            if not kind or "javascript" in kind or kind in ("module", "text/ecmascript"):
                text = (element.text or "")[: min(room, _MAX_SCRIPT)]
                texts.append(code(text))
                room -= len(text)
        return "\n".join(texts)

    @cached_property
    def reading(self) -> Reading:
        """How much there is to read; counting stops where a page is clearly content."""
        return Reading(0, 0) if self.root is None else read(self.root)

    @cached_property
    def forms(self) -> list[Element]:
        """The forms of the page, those in inert parts left out."""
        return [
            form
            for form in self.find("//form")[:50]
            if not any(one.tag in INERT for one in ancestors(form))
        ]

    @cached_property
    def _forms_by_id(self) -> dict[str, Element]:
        return {form.get("id"): form for form in reversed(self.forms) if form.get("id")}

    @cached_property
    def _by_id(self) -> dict[str, Element]:
        return {element.get("id"): element for element in reversed(self.find("//*[@id]"))}

    def with_id(self, name: str | None) -> Element | None:
        """The first element whose id is *name*; None where none has it."""
        return self._by_id.get(name) if name else None

    def form_of(self, element: Element) -> Element | None:
        """The form that *element* belongs to, by its ``form`` attribute or by where it stands."""
        owner = element.get("form")
        if owner is not None:
            return self._forms_by_id.get(owner)
        return next((one for one in ancestors(element) if one.tag == "form"), None)

    @cached_property
    def questions(self) -> list[Element]:
        """The visible fields that ask a reader to type or to choose something."""
        controls = self.find("//*[self::input or self::textarea or self::select]")[:_MAX_CONTROLS]
        return [control for control in controls if asks_reader(control)]
