"""Captchas that a user declares, and captchas that a user asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scrapy_captcha.detection.detectors import FINDERS, captcha_of
from scrapy_captcha.detection.forms import form_element
from scrapy_captcha.detection.page import REFUSALS
from scrapy_captcha.detection.pictures import find_pictures
from scrapy_captcha.detection.scripted import find_recaptcha_v3
from scrapy_captcha.detection.standing import why_alone
from scrapy_captcha.detection.steps import TooManyStepsError
from scrapy_captcha.detection.verdict import Detection, Verdict
from scrapy_captcha.detection.widgets import Widget

if TYPE_CHECKING:
    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element
    from scrapy_captcha.models import Captcha, Kind


@dataclass(frozen=True, slots=True)
class Declared:
    """A user's declaration of the captcha of a page; it wins over what is found."""

    kind: Kind | None = None
    site_key: str | None = None

    def met(self, document: Document, found: Detection | None) -> Detection | None:
        """What *document* is, where detection says *found*.

        A wall is the captcha that is declared. So is a page where nothing is found, if it mentions
        captchas or refuses, and stands alone as a wall does; any other is content.
        """
        walled = found is not None and found.verdict is not Verdict.WIDGET
        try:
            reasons = () if walled else self._why_alone(document)
            captcha = self.known(document, found.captcha if found else None)
        except TooManyStepsError:
            document.unjudged = "steps"
            return found
        if captcha is None or not (walled or reasons):
            return found
        words = ("declared", *(found.evidence if found else ()), *reasons)
        return Detection(Verdict.CHALLENGE, captcha.kind.value, captcha, words, 0.9)

    def known(self, document: Document, found: Captcha | None) -> Captcha | None:
        """*found*, or what *document* must hold, as declared; None when the kind is unknown."""
        kind = self.kind or (found.kind if found else None)
        key = self.site_key or (found.site_key if found else None)
        if kind is None:
            return None
        if found is not None and found.kind is kind:
            return replace(found, site_key=key)
        widget = Widget(kind, "declared", key=key)
        return captcha_of(document, widget, form_element(document, widget))

    def _why_alone(self, document: Document) -> tuple[str, ...]:
        if self.kind is None or not (document.suspicious or document.status in REFUSALS):
            return ()
        widget = Widget(self.kind, "declared")
        return why_alone(document, widget, form_element(document, widget))


def contained(document: Document) -> Captcha | None:
    """The first captcha of *document*, one that shows nothing (reCAPTCHA v3) included.

    Raises `TooManyStepsError`, as the others here, where the page needs too much work.
    """
    finders = (*FINDERS, find_pictures, find_recaptcha_v3)
    widget = next((one for find in finders for one in find(document)), None)
    if widget is None:
        return None
    return captcha_of(document, widget, form_element(document, widget))


def answered_in(document: Document, captcha: Captcha, form: Element) -> Captcha:
    """*captcha* with its answer in the element *form* of *document*."""
    widget = Widget(captcha.kind, "", answer_field=captcha.answer_field)
    return replace(captcha, form=captcha_of(document, widget, form).form)
