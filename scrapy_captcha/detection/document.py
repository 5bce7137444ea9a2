"""A parsed page as detection reads it: scripts, forms, what a reader sees. All of it bounded."""

from __future__ import annotations

import json
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from lxml import etree  # type: ignore[import-untyped]
from w3lib.encoding import html_to_unicode

from scrapy_captcha.detection.controls import asks_reader
from scrapy_captcha.detection.markers import holds, legible, parseable, suspicious
from scrapy_captcha.detection.passing import leads_on
from scrapy_captcha.detection.reading import INERT, Reading, ancestors, hides, read
from scrapy_captcha.detection.redirects import leads_elsewhere
from scrapy_captcha.detection.scripts import code
from scrapy_captcha.detection.steps import Steps
from scrapy_captcha.urls import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parsel import Selector

    from scrapy_captcha.detection.page import Headers, Page
    from scrapy_captcha.detection.reading import Element

_HEAD = 4096  # bytes in which a page may name its encoding
_MAX_SCRIPT = 100_000
_MAX_SCRIPTS = 400_000
_MAX_CONTROLS = 200
_CONTROLS = ("input", "select", "textarea", "button")
_MAX_CONTROLS_APART = 501
_MAX_JSON = 65_536


class Document:
    """A page as detectors get it: a `Page` itself, its parts looked up when asked for.

    *page* is the original, in a crawl Scrapy's response. What its markup holds is parsed at most
    once, and not at all where it has more than *max_size* bytes or where a parser would need long.
    *wanted* is the URL that was asked for, None where nothing is known of redirects. *unjudged* is
    the bound for which markup was not read, None where it was: ``size``, ``markup``, ``encoding``
    or ``steps``. What reads markup raises `TooManyStepsError` where a page needs too much work.
    """

    def __init__(self, page: Page, max_size: int, wanted: str | None = None) -> None:
        self.page = page
        self.max_size = max_size
        self.wanted = wanted
        self.unjudged: str | None = None
        self._steps = Steps()
        self._shown: dict[Element, bool] = {}
        self._owners: dict[Element, Element | None] = {}

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
        if self.json is not None:
            return None
        try:
            self.unjudged = self._bound_reached()
            root = None if self.unjudged else self.selector.root
        except (LookupError, ValueError, RecursionError, etree.LxmlError):
            self.unjudged = "encoding"
            return None
        return root if getattr(root, "tag", None) == "html" else None

    def _bound_reached(self) -> str | None:
        if len(self.page.body) > self.max_size:
            return "size"
        if not parseable(self.body):
            return "markup"
        return "encoding" if self._is_punycode else None

    @cached_property
    def _nodes(self) -> int:
        return self.body.count(b"<")

    @property
    def _is_punycode(self) -> bool:
        """Whether the page claims to be in punycode, for which Python needs quadratic time."""
        claim = self.header("Content-Type")
        return html_to_unicode(claim, self.page.body[:_HEAD])[0] == "punycode"

    def find(self, path: str, **variables: str) -> list[Any]:
        """What the XPath expression *path* selects; [] where there is no HTML."""
        if self.root is None:
            return []
        self._steps.spend(10 + self._nodes // 2)
        try:
            found = self.root.xpath(path, **variables)
        except ValueError:  # control characters in a variable: they are in no text that XPath knows
            return []
        found = found if isinstance(found, list) else [found]
        self._steps.spend(len(found))
        return found

    def ancestors(self, element: Element) -> Iterator[Element]:
        """*element* and what encloses it, to a bounded depth."""
        for one in ancestors(element):
            self._steps.spend(1)
            yield one

    def visible(self, element: Element) -> bool:
        """Whether a reader would see *element*, by the markup."""
        chain = self._chain(element, self._shown)
        parent = chain[-1].getparent() if chain else None
        shown = parent is None or self._shown[parent]
        for one in reversed(chain):
            shown = shown and one.tag not in INERT and not hides(one)
            self._shown[one] = shown
        return self._shown[element]

    def _chain(self, element: Element, known: Mapping[Element, object]) -> list[Element]:
        """*element* and what encloses it, up to what is *known*."""
        chain = []
        one = element
        while one is not None and one not in known:
            chain.append(one)
            one = one.getparent()
        self._steps.spend(1 + len(chain))
        return chain

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
                self._steps.spend(1 + len(text) // 64)
        return "\n".join(texts)

    @cached_property
    def reading(self) -> Reading:
        """How much there is to read; counting stops where a page is clearly content."""
        return Reading(0, 0) if self.root is None else read(self.root, self._steps)

    @cached_property
    def forms(self) -> list[Element]:
        """The forms of the page, without the ones in inert parts."""
        return [
            form
            for form in self.find("//form")[:50]
            if not any(one.tag in INERT for one in self.ancestors(form))
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
        chain = self._chain(element, self._owners)
        parent = chain[-1].getparent() if chain else None
        form = None if parent is None else self._owners[parent]
        for one in reversed(chain):
            form = one if one.tag == "form" else form
            self._owners[one] = form
        return self._owners[element]

    @cached_property
    def _controls(self) -> list[Element]:
        found = self.find("//*[self::input or self::select or self::textarea or self::button]")
        self._steps.spend(10 * len(found))
        return found

    @cached_property
    def _controls_by_form(self) -> Mapping[Element | None, list[Element]]:
        by_form: dict[Element | None, list[Element]] = {}
        for control in self._controls:
            by_form.setdefault(self.form_of(control), []).append(control)
        return by_form

    def controls_of(self, form: Element) -> list[Element]:
        """The controls that belong to *form*, in the order of the page."""
        found = self._controls_by_form.get(form)
        if found is None:  # of another document: a user may give a form that was parsed apart
            return list(islice(form.iter(*_CONTROLS), _MAX_CONTROLS_APART))
        return found

    @cached_property
    def questions(self) -> list[Element]:
        """The visible fields that ask a reader to type or to choose something."""
        fields = [one for one in self._controls if one.tag != "button"][:_MAX_CONTROLS]
        return [one for one in fields if asks_reader(one, self.visible)]

    @cached_property
    def leads_on(self) -> bool:
        """As `passing.leads_on`."""
        return leads_on(self)
