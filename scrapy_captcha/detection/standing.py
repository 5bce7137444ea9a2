"""Whether a captcha stands instead of the content or is a part of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scrapy_captcha.detection.document import typed
from scrapy_captcha.detection.page import REFUSALS

if TYPE_CHECKING:
    from scrapy_captcha.detection.document import Document, Element
    from scrapy_captcha.detection.widgets import Widget

# More than any wall says, less than content does.
_MAX_CHARACTERS = 1500
_MAX_LINKS = 10
# How a script gets to the page behind it.
_LEADS_ON = re.compile(r"\blocation(?:\.(?:reload|replace|assign)\(|(?:\.href)? ?= ?[^=\s])")


def why_alone(document: Document, widget: Widget, form: Element | None) -> tuple[str, ...]:
    """Why *widget*, to be sent with *form*, stands instead of the content; () where it does not.

    A wall asks for nothing but the captcha, says little, and leads nowhere else.
    """
    for question in document.questions:
        mine = form is not None and document.form_of(question) is form
        if question is not widget.question and (typed(question) or mine):
            return ()
    reading = document.reading
    if reading.characters > _MAX_CHARACTERS or reading.links > _MAX_LINKS:
        return ()
    reason = "the form asks for nothing else" if form is not None else _refusal(document)
    if reason is None:
        return ()
    return (reason, f"{reading.characters} visible characters", f"{reading.links} links")


def _refusal(document: Document) -> str | None:
    """How a page without a form tells that it is no ordinary one."""
    if document.status in REFUSALS:
        return f"no form, but status {document.status}"
    if _noindex(document):
        return "no form, but not to be indexed"
    return "its script leads on" if _LEADS_ON.search(document.script) else None


def _noindex(document: Document) -> bool:
    robots = document.find("//meta[@name='robots' or @name='ROBOTS']/@content")
    return any("noindex" in str(content).lower() for content in robots)
