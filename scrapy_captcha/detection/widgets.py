"""Captchas that stand in a page as an element, or that its script renders: one row per vendor."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Protocol

from scrapy_captcha.detection.scripts import calls, literal
from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element
    from scrapy_captcha.models import Scalar

_SITE_KEY = re.compile(r"[A-Za-z0-9_-]{6,128}")
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_RENDERED_KEY = re.compile(r"[?&]render=([A-Za-z0-9_-]{6,128})")
_EXECUTES = re.compile(r"\bgrecaptcha\.(?:enterprise\.)?execute\(")
_ACTION = re.compile(r"action[\"']?\s{0,9}:\s{0,9}[\"']([\w/]{1,100})[\"']")
_MAX_ELEMENTS = 40


@dataclass(frozen=True, slots=True)
class Widget:
    """A captcha as it was found. *element* holds it, None if that is unknown."""

    kind: Kind
    evidence: str
    element: Element | None = None
    key: str | None = None
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    answer_field: str | None = None
    image: str | None = None
    question: Element | None = None


class ShownWidget(Protocol):
    """A captcha in a page, whether a service could answer it or not."""

    @property
    def element(self) -> Element | None:
        """As in `Widget`."""

    @property
    def question(self) -> Element | None:
        """The field that a reader fills in."""

    @property
    def parameters(self) -> Mapping[str, Scalar]:
        """As in `Widget`."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """How one vendor's widget looks.

    * *css*: classes of the element that holds it
    * *render*: beginnings of the script calls that put it into an element
    * *key*: the shape of the vendor's site keys; decides when classes and keys disagree
    * *config*: the script's variable that configures elements without options of their own
    * *answer_option*: the option that renames the field of the answer
    * *options*: option of the widget (``data-`` attribute or in the script) -> our parameter
    """

    kind: Kind
    css: tuple[str, ...]
    render: tuple[str, ...]
    key: re.Pattern[str]
    options: Mapping[str, str] = field(default_factory=dict)
    answer_option: str = ""
    config: str | None = None


VENDORS = (
    Vendor(
        Kind.RECAPTCHA_V2,
        ("g-recaptcha",),
        ("grecaptcha.render(", "grecaptcha.enterprise.render("),
        re.compile(r"6[LM][A-Za-z0-9_-]{38}"),
        {"s": "data_s", "action": "action", "size": "invisible"},
    ),
    Vendor(
        Kind.HCAPTCHA,
        ("h-captcha",),
        ("hcaptcha.render(",),
        re.compile(_UUID),
        {"rqdata": "enterprise_payload", "size": "invisible"},
    ),
    Vendor(
        Kind.TURNSTILE,
        ("cf-turnstile",),
        ("turnstile.render(",),
        re.compile(r"[0-3]x[A-Za-z0-9_-]{20,60}"),
        {"action": "action", "cdata": "cdata", "chlpagedata": "page_data"},
        "response-field-name",
    ),
    Vendor(
        Kind.FRIENDLY_CAPTCHA,
        ("frc-captcha",),
        ("friendlyChallenge.WidgetInstance(", "FriendlyCaptchaSDK.createWidget("),
        re.compile(r"FC[A-Z0-9]{14}"),
        {},
        "solution-field-name",
    ),
    Vendor(
        Kind.YANDEX_SMARTCAPTCHA,
        ("smart-captcha",),
        ("smartCaptcha.render(",),
        re.compile(r"ysc1_[A-Za-z0-9_]{10,80}"),
        {"invisible": "invisible"},
    ),
    Vendor(
        Kind.MTCAPTCHA,
        ("mtcaptcha",),
        ("mtcaptcha.renderUI(",),
        re.compile(r"MTPublic-[A-Za-z0-9_-]{6,40}"),
        {"action": "action"},
        config="mtcaptchaConfig",
    ),
)
_CSS = {name: vendor for vendor in VENDORS for name in vendor.css}
# A union would take time that grows with the square of what it holds.
_HELD = "//*[@data-sitekey or {}]".format(
    " or ".join(f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')" for name in _CSS)
)


def clean_key(key: str | None) -> str | None:
    """*key* where it is one that a service can be asked with, else None."""
    return key if key and _SITE_KEY.fullmatch(key) else None


def find_widgets(document: Document) -> Iterator[Widget]:
    """The visible widgets of *document*, the ones in the markup first."""
    held = document.find(_HELD) if document.holds("data-sitekey", *_CSS) else []
    nearby = cache(partial(_key_nearby, document))
    for element in held[:_MAX_ELEMENTS]:
        if (
            element.tag != "script"
            and document.visible(element)
            and (vendor := _vendor_of(element))
        ):
            given = _configured(document, vendor) | _data_options(element)
            given["sitekey"] = given.get("sitekey") or nearby(vendor.key) or ""
            yield _widget(document, vendor, given, element, "element")
    for vendor in VENDORS:
        for call in calls(document.script, vendor.render):
            element = document.with_id(call.target)
            if call.options.get("sitekey") and (element is None or document.visible(element)):
                yield _widget(
                    document, _by_key(call.key) or vendor, call.options, element, "script"
                )


def _vendor_of(element: Element) -> Vendor | None:
    classes = element.get("class", "").split()
    named = next((_CSS[name] for name in classes if name in _CSS), None)
    return _by_key(element.get("data-sitekey")) or named


def _by_key(key: str | None) -> Vendor | None:
    """The vendor that gives out keys like *key*."""
    return next((row for row in VENDORS if key and row.key.fullmatch(key.strip())), None)


def _data_options(element: Element) -> dict[str, str]:
    """The ``data-`` attributes of *element*, without that prefix."""
    return {
        str(name)[5:]: str(value).strip()
        for name, value in element.attrib.items()
        if str(name).startswith("data-")
    }


def _configured(document: Document, vendor: Vendor) -> dict[str, str]:
    """The options of an element that leaves them to the page's script, as MTCaptcha's does."""
    if vendor.config is None:
        return {}
    return next((dict(call.options) for call in calls(document.script, (vendor.config,))), {})


def _widget(
    document: Document,
    vendor: Vendor,
    options: Mapping[str, str],
    element: Element | None,
    where: str,
) -> Widget:
    widget = Widget(
        vendor.kind,
        f"{vendor.css[0]} {where}",
        element,
        clean_key(options.get("sitekey")),
        parameters(options, vendor.options),
        options.get(vendor.answer_option) or None,
    )
    refine = _REFINE.get(vendor.kind)
    return refine(document, widget) if refine else widget


def parameters(options: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Scalar]:
    """The *options* of a widget under our names; values that are no plain text are left out."""
    found: dict[str, Scalar] = {}
    for option, name in names.items():
        value = options.get(option, "")
        if name == "invisible":
            if value in ("invisible", "true"):
                found[name] = True
        elif 0 < len(value) <= 4096 and value.isascii() and value.isprintable():
            found[name] = value
    return found


def _key_nearby(document: Document, shape: re.Pattern[str]) -> str | None:
    """The key that a script, or the frame for readers without scripts, gives instead."""
    frames = document.find("//iframe/@src")[:100]
    for text in document.find("//script/@data-sitekey")[:100] + frames:
        key = str(text)[:400].rpartition("k=")[2].partition("&")[0]
        if shape.fullmatch(key):
            return key
    key = literal(document.script, "sitekey") or ""
    return key if shape.fullmatch(key) else None


def _refine_recaptcha(document: Document, widget: Widget) -> Widget:
    """Tell apart the versions and editions of reCAPTCHA that share one element and key shape."""
    found = dict(widget.parameters)
    if widget.element is not None and widget.element.tag in ("button", "input"):
        found["invisible"] = True
    if any("recaptcha.net/" in url for url in document.script_urls):
        found["api_domain"] = "www.recaptcha.net"
    third = widget.key is not None and widget.key == rendered_key(document)
    if third:
        found.pop("invisible", None)
        found |= executed_action(document)
    return replace(widget, kind=recaptcha(document, third=third), parameters=found)


def executed_action(document: Document) -> dict[str, Scalar]:
    """The action that the page's script executes reCAPTCHA with; {} where it names none."""
    call = _EXECUTES.search(document.script)
    action = _ACTION.search(document.script, call.end(), call.end() + 600) if call else None
    return {"action": action[1]} if action else {}


def rendered_key(document: Document) -> str | None:
    """The key that the page loads reCAPTCHA v3 for, None where it does not."""
    for url in document.script_urls:
        match = _RENDERED_KEY.search(url) if "recaptcha/" in url else None
        if match and match[1] not in ("explicit", "onload"):
            return match[1]
    return None


def recaptcha(document: Document, *, third: bool) -> Kind:
    """The kind of a reCAPTCHA, by its version and by the script that the page loads."""
    enterprise = any("/recaptcha/enterprise.js" in url for url in document.script_urls)
    if enterprise or "grecaptcha.enterprise." in document.script:
        return Kind.RECAPTCHA_V3_ENTERPRISE if third else Kind.RECAPTCHA_V2_ENTERPRISE
    return Kind.RECAPTCHA_V3 if third else Kind.RECAPTCHA_V2


def _refine_friendly(document: Document, widget: Widget) -> Widget:
    """The second version of Friendly Captcha has another name for its field."""
    second = any("friendlycaptcha/sdk" in url for url in document.script_urls)
    if second and widget.answer_field is None:
        return replace(widget, answer_field="frc-captcha-response")
    return widget


_REFINE = {
    Kind.RECAPTCHA_V2: _refine_recaptcha,
    Kind.FRIENDLY_CAPTCHA: _refine_friendly,
}
