"""Whether a captcha stands instead of the content or is a part of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from scrapy_captcha.detection.controls import is_preset, kind_of, typed
from scrapy_captcha.detection.page import REFUSALS
from scrapy_captcha.detection.searching import is_search

if TYPE_CHECKING:
    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element, Reading
    from scrapy_captcha.detection.widgets import ShownWidget

# More than any wall says, less than content does.
_MAX_CHARACTERS = 1000
_MAX_LINKS = 5
# Around a wall that is served in the layout of the site.
_MAX_LINKS_AROUND = 60
# Around one that stands where another page was asked for, or that refuses.
_MAX_CHARACTERS_INSTEAD = 3000
_MAX_LINKS_INSTEAD = 200
# Fields that are no controls of HTML: editors, and elements that a framework makes fields of.
_DRAWN = (
    "//*[@contenteditable or @role='textbox' or contains(name(), '-') and"
    " (contains(name(), 'input') or contains(name(), 'field') or contains(name(), 'textarea'))]"
)
_MAX_DRAWN = 50
_MAX_PARAMETERS = 20
_ADDRESS = re.compile(r"https?://|/\w")


def why_alone(document: Document, widget: ShownWidget, form: Element | None) -> tuple[str, ...]:
    """Why *widget*, to be sent with *form*, stands instead of the content; () where it does not.

    A wall asks for nothing but the captcha, says little, and leads nowhere else. The layout of the
    site around it may lead elsewhere and search, where the status refuses the page or where passing
    the captcha is what leads on, or back to this page. Where another page was asked for, or the
    status refuses, the captcha's own form is judged, whatever the layout asks besides.
    """
    instead = _stands_instead(document)
    asked = _asked(document, widget, form, instead=instead and form is not None)
    if not all(_searches(document, one, form) for one in asked):
        return ()
    reading = document.reading
    plain = reading.characters <= _MAX_CHARACTERS and reading.links <= _MAX_LINKS
    if not (plain and not asked):
        if widget.element is None or widget.parameters.get("invisible"):
            return ()
        if not (_fits_instead if instead else _fits_around)(reading):
            return ()
        if not (instead or document.leads_on or _returns(document, form)):
            return ()
    reason = _reason(document, form)
    if reason is None or _draws_fields(document):
        return ()
    return (reason, f"{reading.characters} visible characters", f"{reading.links} links")


def _stands_instead(document: Document) -> bool:
    """Whether this is not the page that was asked for, by its status or address."""
    return document.status in REFUSALS or document.redirected


def _fits_around(reading: Reading) -> bool:
    return reading.characters <= _MAX_CHARACTERS and reading.links <= _MAX_LINKS_AROUND


def _fits_instead(reading: Reading) -> bool:
    return reading.characters <= _MAX_CHARACTERS_INSTEAD and reading.links <= _MAX_LINKS_INSTEAD


def _asked(
    document: Document, widget: ShownWidget, form: Element | None, *, instead: bool
) -> list[Element]:
    """What the page asks for besides the captcha; of its own form only, where it is *instead*.

    What has an answer beforehand is not asked for there: a browser sends it as it is.
    """
    others = [one for one in document.questions if one is not widget.question]
    if instead:
        own = [one for one in others if document.form_of(one) is form]
        return [one for one in own if typed(one) or not is_preset(one)]
    return [one for one in others if _competes(document, one, form)]


def _competes(document: Document, question: Element, form: Element | None) -> bool:
    """Whether *question* is another one than the captcha's: typed, or to be sent with it."""
    return typed(question) or form is None or document.form_of(question) is form


def _searches(document: Document, question: Element, form: Element | None) -> bool:
    """Whether *question* belongs to a search form beside *form*."""
    own = document.form_of(question)
    return own is not None and own is not form and is_search(document, own)


def _returns(document: Document, form: Element | None) -> bool:
    """Whether *form* is sent to this page with its address, or with one that this address names.

    The address of a home page says nothing, as forms name it for other ends. Nor does that in a
    form which is sent elsewhere: it does something, and then leads back.
    """
    if form is None or not _is_sent_here(document, form):
        return False
    url = document.url.partition("#")[0]
    own = "/" + url.partition("//")[2].partition("/")[2]
    given = [value for _, value in parse_qsl(url.partition("?")[2])[:_MAX_PARAMETERS]]
    addresses = {value for value in given if _ADDRESS.match(value)}
    if own != "/":
        addresses.update((own, url))
    return any(
        kind_of(one) == "hidden" and one.get("value", "").strip() in addresses
        for one in document.controls_of(form)
    )


def _is_sent_here(document: Document, form: Element) -> bool:
    """Whether *form* is sent to the page that it is on, by the path."""
    action = form.get("action", "").strip()
    target = document.absolute(document.base_url, action) if action else document.url
    return _without_query(target) == _without_query(document.url)


def _without_query(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def _reason(document: Document, form: Element | None) -> str | None:
    """The sign that a page that asks for nothing else is no ordinary one; None without any."""
    if form is not None:
        return "the form asks for nothing else"
    # What shows nothing to a reader before its script has run is an application, not a wall.
    if document.reading.characters:
        if document.status in REFUSALS:
            return f"no form, but status {document.status}"
        if document.redirected:
            return "no form, but another page was asked for"
        if _noindex(document):
            return "no form, but not to be indexed"
    return "its script leads on" if document.leads_on else None


def _draws_fields(document: Document) -> bool:
    return any(document.visible(element) for element in document.find(_DRAWN)[:_MAX_DRAWN])


def _noindex(document: Document) -> bool:
    robots = document.find("//meta[@name='robots' or @name='ROBOTS']/@content")
    return any("noindex" in str(content).lower() for content in robots)
