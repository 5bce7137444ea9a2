"""The form that takes an answer, as a browser would submit it."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from lxml import html  # type: ignore[import-untyped]

from scrapy_captcha.detection.encoding import encoding_of, referrer_policy_of
from scrapy_captcha.detection.searching import is_search
from scrapy_captcha.models import KINDS, Form
from scrapy_captcha.urls import as_sent

if TYPE_CHECKING:
    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element
    from scrapy_captcha.detection.widgets import ShownWidget, Widget

_MAX_SIZE = 65_536
_MAX_CONTROLS = 500


def form_element(document: Document, widget: ShownWidget) -> Element | None:
    """The form that *widget* stands in; else the only form of the page, or the only visible one.

    A search form is not considered for a captcha outside of it.
    """
    if widget.element is not None:
        form = document.form_of(widget.element)
        if form is not None:
            return form
    forms = [form for form in document.forms if not is_search(document, form)]
    if len(forms) > 1:
        forms = [form for form in forms if document.visible(form)]
    return forms[0] if len(forms) == 1 else None


def read_form(
    document: Document, element: Element, widget: Widget, answer: str | None
) -> Form | None:
    """*element* as a form to submit, the fields of the answer left out.

    None where a browser would not send it over HTTP, or where it is too big to carry around.
    """
    # Start-up is most of what a crawl without captchas pays.
    from form2request import form2request  # type: ignore[import-untyped]

    controls = document.controls_of(element)
    if len(controls) > _MAX_CONTROLS or element.get("method", "").strip().lower() == "dialog":
        return None
    drop = {answer, *KINDS[widget.kind].answers} - {None}
    try:
        request = form2request(_flat_copy(document, element, controls), dict.fromkeys(drop))
    except (ValueError, TypeError, AttributeError, NotImplementedError, LookupError):
        return None
    parts = urlsplit(request.url)
    encoded = parts.query if request.method == "GET" else request.body.decode()
    url = parts._replace(query="" if request.method == "GET" else parts.query, fragment="").geturl()
    if parts.scheme not in ("http", "https") or len(encoded) + len(url) > _MAX_SIZE:
        return None
    fields = parse_qsl(encoded, keep_blank_values=True, errors="replace")
    encoding = encoding_of(document, element)
    policy = referrer_policy_of(document, element)
    return Form(_sent(url, encoding), request.method, tuple(fields), encoding, policy)


def _sent(url: str, encoding: str) -> str:
    """*url* as it is sent; as it is where it cannot be: such a URL has no origin."""
    for tried in (encoding, "utf-8"):  # the encoding of the page may lack a character
        with suppress(ValueError):
            return as_sent(url, tried)
    return url


def _flat_copy(document: Document, element: Element, controls: list[Element]) -> Element:
    """A form of nothing but *controls*, with an absolute action, in a document of its own.

    Parts that a browser ignores are left out, and so are the encodings that form2request refuses:
    the fields stay the same whatever their encoding.
    """
    copy = html.document_fromstring("<form></form>", base_url=document.url).forms[0]
    alive = [control for control in controls if not _dead(document, control)]
    button = next(filter(_submits, alive), None)
    action = _attribute("action", element, button)
    # An empty action is the page itself, not its base.
    copy.set("action", document.absolute(document.base_url, action) if action else document.url)
    copy.set("method", "post" if _attribute("method", element, button) == "post" else "get")
    for control in alive:
        if control is button or (control.get("name") and not _submits(control)):
            _copy_control(copy, control)
    return copy


def _attribute(name: str, element: Element, button: Element | None) -> str:
    """The attribute *name* of a form, as the pressed button may change it."""
    changed = button.get("form" + name) if button is not None else None
    value = str(changed or element.get(name, "")).strip()
    return value.lower() if name == "method" else value


def _submits(control: Element) -> bool:
    kind = control.get("type", "submit" if control.tag == "button" else "text").strip().lower()
    return control.tag in ("input", "button") and kind in ("submit", "image")


def _dead(document: Document, control: Element) -> bool:
    return "disabled" in control.attrib or any(
        one.tag in ("noscript", "select", "template")
        for one in islice(document.ancestors(control), 1, None)
    )


def _copy_control(form: Element, control: Element) -> None:
    kept = {name: control.get(name) for name in ("name", "type", "value", "checked", "multiple")}
    kept = {name: value for name, value in kept.items() if value is not None}
    copy = form.makeelement(control.tag, kept)
    form.append(copy)
    if control.tag == "textarea":
        copy.text = "".join(control.itertext())[:_MAX_SIZE]
    elif control.tag == "select":
        for option in control.xpath(".//option[not(@disabled)]")[:500]:
            attributes = {name: option.get(name) for name in ("value", "selected")}
            one = copy.makeelement("option", {k: v for k, v in attributes.items() if v is not None})
            one.text = option.text
            copy.append(one)
