"""Captchas that have no element of their own: each is found by what its vendor's script needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy_captcha.detection.scripts import calls, literal
from scrapy_captcha.detection.widgets import (
    Widget,
    clean_key,
    executed_action,
    parameters,
    recaptcha,
    rendered_key,
)
from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy_captcha.detection.document import Document

_EXECUTED_KEY = re.compile(r"\s{0,9}[\"']([A-Za-z0-9_-]{6,128})[\"']")
_ARKOSE_KEY = re.compile(r"/v2/([0-9A-Fa-f-]{36})/")
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]{6,4096}")
_ADLINKFLY = {
    "recaptcha": (Kind.RECAPTCHA_V2, "recaptcha_site_key"),
    "hcaptcha_checkbox": (Kind.HCAPTCHA, "hcaptcha_checkbox_site_key"),
}
_GEETEST_V3 = {"challenge": "challenge", "api_server": "api_server", "apiserver": "api_server"}


def find_geetest(document: Document) -> Iterator[Widget]:
    """GeeTest: version 3 has ``gt`` and a challenge for one visit, version 4 an id."""
    for call in calls(document.script, ("initGeetest4(",)):
        key = clean_key(call.options.get("captchaid"))
        yield Widget(Kind.GEETEST_V4, "script calls initGeetest4", key=key)
    for call in calls(document.script, ("initGeetest(",)):
        key = clean_key(call.options.get("gt") or literal(document.script, "gt"))
        found = parameters(call.options, _GEETEST_V3)
        yield Widget(Kind.GEETEST_V3, "script calls initGeetest", key=key, parameters=found)


def find_funcaptcha(document: Document) -> Iterator[Widget]:
    """Arkose: the key stands in an element, in a script's address, or in the call."""
    held = document.find("//*[@data-pkey]") if document.holds("data-pkey") else []
    for element in held[:5]:
        if document.visible(element):
            key = clean_key(element.get("data-pkey").strip())
            found = parameters({"blob": element.get("data-blob", "")}, {"blob": "blob"})
            yield Widget(Kind.FUNCAPTCHA, "element with data-pkey", element, key, found)
    for url in document.script_urls:
        key_in_url = _ARKOSE_KEY.search(url)
        if "arkoselabs.com/" in url and key_in_url:
            host = {"api_server": urlsplit(document.absolute(document.url, url)).hostname or ""}
            blob = {"blob": literal(document.script, "blob") or ""}
            found = parameters(host | blob, {"api_server": "api_server", "blob": "blob"})
            yield Widget(Kind.FUNCAPTCHA, "script of Arkose", None, key_in_url[1], found)
    for call in calls(document.script, ("new FunCaptcha(", "new ArkoseEnforcement(")):
        key = clean_key(call.options.get("public_key"))
        yield Widget(Kind.FUNCAPTCHA, "script calls FunCaptcha", key=key)


def find_adlinkfly(document: Document) -> Iterator[Widget]:
    """AdLinkFly, which shorteners of links run: a bundle shows what ``app_vars`` names."""
    held = (
        document.find("//*[@id='captchaShortlink']") if document.holds("captchaShortlink") else []
    )
    for call in calls(document.script, ("app_vars",), length=8000):
        kind, option = _ADLINKFLY.get(call.options.get("captcha_type", ""), (None, ""))
        if held and kind and document.visible(held[0]):
            key = clean_key(call.options.get(option))
            yield Widget(kind, "captcha of AdLinkFly", held[0], key)


def find_amazon_waf(document: Document) -> Iterator[Widget]:
    """Amazon WAF: ``gokuProps`` and two scripts; without ``captcha.js`` nothing is asked."""
    for _ in calls(document.script, ("AwsWafCaptcha.renderCaptcha(",)):
        yield Widget(Kind.AMAZON_WAF, "script calls AwsWafCaptcha")
    scripts = {url.partition("?")[0].rpartition("/")[2]: url for url in document.script_urls}
    if "gokuProps" not in document.script or ".captcha.awswaf.com/" not in scripts.get(
        "captcha.js", ""
    ):
        return
    for call in calls(document.script, ("gokuProps",), length=8000):
        key = call.options.get("key", "")
        given = dict(call.options) | {"challenge": scripts.get("challenge.js", "")}
        given["captcha"] = scripts["captcha.js"]
        names = {"iv": "iv", "context": "context"}
        names |= {"challenge": "challenge_script", "captcha": "captcha_script"}
        # Amazon's key is base64 and much longer than the keys of the others.
        clean = key if _BASE64.fullmatch(key) else None
        yield Widget(
            Kind.AMAZON_WAF,
            "gokuProps and captcha.js",
            key=clean,
            parameters=parameters(given, names),
        )
        return


def find_yandex_check(document: Document) -> Iterator[Widget]:
    """Yandex's own check page shows SmartCaptcha without a key."""
    if not document.holds("/checkcaptcha"):
        return
    path = "//form[contains(@action, '/checkcaptcha')]"
    for form in document.find(path + "[.//*[contains(@class, 'CheckboxCaptcha')]]")[:1]:
        yield Widget(Kind.YANDEX_SMARTCAPTCHA, "form posts to /checkcaptcha", form)


def find_recaptcha_v3(document: Document) -> Iterator[Widget]:
    """ReCAPTCHA v3 shows nothing: a script executes it with a key."""
    for name in ("grecaptcha.execute(", "grecaptcha.enterprise.execute("):
        at = document.script.find(name)
        text = document.script[at + len(name) :][:600] if at >= 0 else ""
        given = _EXECUTED_KEY.match(text)
        key = given[1] if given else rendered_key(document)
        if text and key:
            kind, found = recaptcha(document, third=True), executed_action(document)
            yield Widget(kind, "script executes reCAPTCHA", key=key, parameters=found)
