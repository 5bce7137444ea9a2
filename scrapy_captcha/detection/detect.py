"""The verdict on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.captchas import Captcha, Kind
from scrapy_captcha.detection.document import Document, enclosing_form, typed
from scrapy_captcha.detection.forms import answer_field, form_element, read_form
from scrapy_captcha.detection.markers import parseable, suspicious
from scrapy_captcha.detection.pictures import find_pictures
from scrapy_captcha.detection.scripted import (
    find_amazon_waf,
    find_funcaptcha,
    find_geetest,
    find_recaptcha_v3,
    find_yandex_check,
)
from scrapy_captcha.detection.verdict import Detection, Verdict
from scrapy_captcha.detection.walls import find_json_wall, find_wall
from scrapy_captcha.detection.widgets import find_widgets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrapy_captcha.detection.document import Element
    from scrapy_captcha.detection.page import Page
    from scrapy_captcha.detection.walls import Wall
    from scrapy_captcha.detection.widgets import Widget

# Whoever teaches detection a new kind adds a row here, or to the table of widgets.py.
# The order is that of preference on a page that shows several.
FINDERS: tuple[Callable[[Document], Iterator[Widget]], ...] = (
    find_widgets,
    find_funcaptcha,
    find_geetest,
    find_amazon_waf,
    find_yandex_check,
    find_pictures,
    find_recaptcha_v3,
)
# More than any wall says, less than content does.
_MAX_CHARACTERS = 1500
_MAX_LINKS = 10
_MAX_NAME = 256
# Shown to nobody, so no page's purpose unless the page holds nothing else.
_PASSIVE = frozenset((Kind.RECAPTCHA_V3, Kind.RECAPTCHA_V3_ENTERPRISE))
_REFUSALS = frozenset((401, 403, 405, 418, 429, 503))


def detect(page: Page, *, max_size: int = 2_000_000) -> Detection | None:
    """What *page* is, None for a page without a captcha and without a wall.

    Only a page whose bytes look suspicious is parsed, by its own ``selector``. Pages of more than
    *max_size* bytes, and markup that a parser would need long for, count as content. No page
    makes this raise.
    """
    body = page.body
    if not suspicious(page):
        return None
    if body[:100].lstrip().startswith((b"{", b"[")):
        name = find_json_wall(body)
        words = ("JSON answer of a wall",)
        return Detection(Verdict.BLOCK, name, None, words, 0.99) if name else None
    if len(body) > max_size or not parseable(body):
        return None
    return _judge(Document(page))


def _judge(document: Document) -> Detection | None:
    wall = find_wall(document)
    widget = next((one for find in FINDERS for one in find(document)), None)
    if widget is None or (wall and not _answerable(widget)):
        return _block(wall) if wall else None
    form = form_element(document, widget)
    reasons = _wall_words(wall) if wall else _standing_alone(document, widget, form)
    if not reasons and widget.kind in _PASSIVE:
        return None
    return Detection(
        Verdict.CHALLENGE if reasons else Verdict.WIDGET,
        widget.kind.value,
        _captcha(document, widget, form),
        (widget.evidence, *reasons),
        0.99 if wall else 0.9,
    )


def _answerable(widget: Widget) -> bool:
    """Whether a service could do something with *widget* inside a wall."""
    if widget.kind in _PASSIVE:
        return False
    return widget.key is not None or widget.kind in (Kind.IMAGE, Kind.YANDEX_SMARTCAPTCHA)


def _block(wall: Wall) -> Detection:
    return Detection(Verdict.BLOCK, wall.name, None, _wall_words(wall), 0.95)


def _wall_words(wall: Wall) -> tuple[str, ...]:
    return (f"wall of {wall.name}: {wall.text} in {wall.place}",)


def _standing_alone(document: Document, widget: Widget, form: Element | None) -> tuple[str, ...]:
    """Why *widget* stands instead of the content; () where it is a part of the page.

    A wall asks for nothing but the captcha, says little, and leads nowhere else.
    """
    for question in document.questions:
        mine = form is not None and enclosing_form(question) is form
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
    if document.page.status in _REFUSALS:
        return f"no form, but status {document.page.status}"
    if _noindex(document):
        return "no form, but not to be indexed"
    return "its script reloads the page" if "location.reload(" in document.script else None


def _noindex(document: Document) -> bool:
    robots = document.find("//meta[@name='robots' or @name='ROBOTS']/@content")
    return any("noindex" in str(content).lower() for content in robots)


def _captcha(document: Document, widget: Widget, form: Element | None) -> Captcha:
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
