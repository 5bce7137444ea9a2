"""The built-in detectors: walls by name, and captchas that a page shows.

A detector is a function that classifies a page, as far as it can. It is called for every page, so
it has to be quick on pages that do not concern it: ``document.body`` costs nothing, anything that
is parsed does. The built-in detectors check ``document.suspicious`` first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from scrapy_captcha.detection.answers import answer_field
from scrapy_captcha.detection.asked import whole_wall
from scrapy_captcha.detection.document import Document
from scrapy_captcha.detection.forms import form_element, read_form
from scrapy_captcha.detection.pictures import find_pictures
from scrapy_captcha.detection.places import find_wall
from scrapy_captcha.detection.scripted import (
    find_adlinkfly,
    find_amazon_waf,
    find_funcaptcha,
    find_geetest,
    find_recaptcha_v3,
    find_yandex_check,
)
from scrapy_captcha.detection.standing import why_alone
from scrapy_captcha.detection.unnamed import find_unnamed
from scrapy_captcha.detection.unsold import find_unsold
from scrapy_captcha.detection.verdict import Detection, Verdict
from scrapy_captcha.detection.widgets import find_widgets
from scrapy_captcha.models import Captcha, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scrapy_captcha.detection.reading import Element
    from scrapy_captcha.detection.widgets import Widget

    Finder = Callable[[Document], Iterator[Widget]]

Detector = Callable[[Document], Detection | None]

# For a new kind, add a row here, or to the table of widgets.py.
# The order is that of preference on a page that shows several.
FINDERS: tuple[Finder, ...] = (
    find_widgets,
    find_funcaptcha,
    find_geetest,
    find_amazon_waf,
    find_yandex_check,
    find_adlinkfly,
)
_MAX_NAME = 256
# Invisible to readers, so no page's purpose unless its script waits for them to go on.
_PASSIVE = frozenset((Kind.RECAPTCHA_V3, Kind.RECAPTCHA_V3_ENTERPRISE))


def walls(document: Document) -> Detection | None:
    """Walls that are known by name; a challenge where a service could answer what is on them."""
    wall = find_wall(document) if document.suspicious else None
    if wall is None:
        return None
    finders: tuple[Finder, ...] = (*FINDERS, find_pictures, partial(find_unnamed, known=True))
    shown = (one for find in finders for one in find(document))
    widget = next(filter(_answerable, shown), None)
    words = [wall.words]
    if widget is not None:
        captcha = captcha_of(document, widget, form_element(document, widget))
        words.insert(0, widget.evidence)
    elif wall.kind is not None:
        captcha = whole_wall(document, wall.kind)
    else:
        return Detection(Verdict.BLOCK, wall.name, None, (wall.words,), 0.95)
    return Detection(Verdict.CHALLENGE, captcha.kind.value, captcha, tuple(words), 0.99)


def _answerable(widget: Widget) -> bool:
    """Whether a service could do something with *widget* inside a wall."""
    return widget.key is not None or widget.kind in (Kind.IMAGE, Kind.YANDEX_SMARTCAPTCHA)


def widgets(document: Document) -> Detection | None:
    """Captchas of vendors, in an element of the page or in a call of its script."""
    return _shown(document, *FINDERS)


def pictures(document: Document) -> Detection | None:
    """Pictures with a text field; pictures without a name only if they are all of the page."""
    named = _shown(document, find_pictures)
    unnamed = _shown(document, find_unnamed) if named is None else None
    return unnamed if unnamed and unnamed.verdict is Verdict.CHALLENGE else named


def scores(document: Document) -> Detection | None:
    """ReCAPTCHA v3, which shows nothing: a challenge or nothing at all, never a widget."""
    return _shown(document, find_recaptcha_v3)


def unsold(document: Document) -> Detection | None:
    """Captchas that no service answers: blocks, where they stand instead of the page."""
    if not document.suspicious or document.root is None:
        return None
    shown = next(find_unsold(document), None)
    reasons = shown and why_alone(document, shown, form_element(document, shown))
    if not (shown and reasons):
        return None
    return Detection(Verdict.BLOCK, shown.name, None, (shown.evidence, *reasons), 0.9)


# Their names are used in the setting that adds, replaces or removes detectors.
DETECTORS: Mapping[str, Detector] = {
    "walls": walls,
    "widgets": widgets,
    "pictures": pictures,
    "scores": scores,
    "unsold": unsold,
}


def _shown(document: Document, *finders: Finder) -> Detection | None:
    if not document.suspicious or document.root is None:
        return None
    widget = next((one for find in finders for one in find(document)), None)
    if widget is None:
        return None
    form = form_element(document, widget)
    reasons = why_alone(document, widget, form)
    if widget.kind in _PASSIVE and not (reasons and document.leads_on):
        return None
    return Detection(
        Verdict.CHALLENGE if reasons else Verdict.WIDGET,
        widget.kind.value,
        captcha_of(document, widget, form),
        (widget.evidence, *reasons),
        0.9,
    )


def captcha_of(document: Document, widget: Widget, form: Element | None) -> Captcha:
    """*widget*, which stands in *document*, with what *form* would send."""
    answer = answer_field(document, widget, form)
    if answer is not None and not (len(answer) <= _MAX_NAME and answer.isprintable()):
        answer = None
    return Captcha(
        widget.kind,
        document.url,
        widget.key,
        widget.parameters,
        widget.image,
        read_form(document, form, widget, answer) if form is not None else None,
        answer,
    )
