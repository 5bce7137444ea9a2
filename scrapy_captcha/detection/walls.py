"""Walls that are known by name: one row per mechanism of a vendor.

A row names where in a page its text stands. Every text belongs to the machinery of the wall itself
(the address of its script, a name in its code, its form), never to the wording for readers, which
site owners change and articles quote.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy_captcha.detection.document import Document


@dataclass(frozen=True, slots=True)
class Wall:
    """One way to recognise a wall: *text* (and *also* in the same string) stands in *place*.

    *long* walls may hold as much text as content does; all others are short pages.
    """

    name: str
    place: str
    text: str
    also: str = ""
    long: bool = False


# Of Cloudflare's error pages those that refuse a visitor; the others tell of a broken site.
_CLOUDFLARE_BANS = ["1005", "1006", "1007", "1008", "1009", "1010", "1012", "1015", "1020"]

WALLS = (
    Wall("cloudflare", "header cf-mitigated", "challenge", long=True),
    Wall("cloudflare", "script", "_cf_chl_opt", "cType", long=True),
    Wall("cloudflare", "script", "_cf_chl_opt", "cvId", long=True),
    Wall("cloudflare", "form", "/cdn-cgi/l/chk_jschl", long=True),
    Wall("cloudflare", "form", "/cdn-cgi/l/chk_captcha", long=True),
    Wall("cloudflare", "form id", "challenge-form ", "__cf_chl_", long=True),
    *(Wall("cloudflare_ban", "error", "cf-error-details", code) for code in _CLOUDFLARE_BANS),
    Wall("datadome", "script url", "ct.captcha-delivery.com/"),
    Wall("datadome", "script", "geo.captcha-delivery.com", "'rt'"),
    Wall("datadome", "frame", "geo.captcha-delivery.com/"),
    Wall("perimeterx", "element", "px-captcha"),
    Wall("perimeterx", "script", "captcha.js?a=c", "_pxUuid"),
    Wall("perimeterx", "script", "_pxCaptcha", "px_uuid"),
    Wall("perimeterx", "script", "_pxUuid", "_pxAppId"),
    Wall("amazon_waf", "header x-amzn-waf-action", "captcha", long=True),
    Wall("amazon_waf_silent", "header x-amzn-waf-action", "challenge", long=True),
    Wall("amazon_waf", "script url", ".captcha.awswaf.com/", "/captcha.js"),
    Wall("amazon_waf_silent", "script", "gokuProps"),
    Wall("amazon", "form", "/errors/validateCaptcha"),
    Wall("google_sorry", "form id", "captcha-form index "),
    Wall("yandex", "form", "/checkcaptcha?", "retpath="),
    Wall("imperva", "frame", "/_Incapsula_Resource", "WUDNSAI="),
    Wall("imperva", "script", "reeseSkipExpirationCheck"),
    Wall("imperva", "script", "onProtectionInitialized"),
    Wall("distil", "form id", "distilCaptchaForm"),
    Wall("distil", "form id", "distilUnblockForm"),
    Wall("distil", "refresh", "distil_r_"),
    Wall("akamai", "script url", "/_sec/cp_challenge/"),
    Wall("akamai", "script", "bm-verify", "/_sec/verify"),
    Wall("akamai", "element", "sec-if-cpt-container"),
    Wall("kasada", "script url", "/ips.js?"),
    Wall("kasada", "script", "KPSDK.scriptStart"),
    Wall("radware", "script", "sbbvscc"),
    Wall("radware", "script url", "captcha.perfdrive.com/"),
    Wall("sucuri", "script", "sucuri_cloudproxy_js"),
    Wall("sucuri", "stylesheet", "cdn.sucuri.net/sucuri-firewall-block"),
    Wall("siteground", "header sg-captcha", "challenge", long=True),
    Wall("siteground", "refresh", "/.well-known/sgcaptcha/"),
    Wall("siteground", "script", "/.well-known/sgcaptcha/"),
    Wall("anubis", "element", "anubis_challenge"),
    Wall("anubis", "script url", "/.within.website/x/cmd/anubis/"),
    Wall("go_away", "refresh", "/.well-known/.git.gammaspectra.live/"),
    Wall("bunkerweb", "link", "utm_source=bwantibot"),
    Wall("vercel", "header x-vercel-mitigated", "challenge", long=True),
    Wall("vercel", "script url", "/.well-known/vercel/security/"),
    Wall("fastly", "script url", "/_fs-ch-"),
    Wall("ddos_guard", "script url", "/.well-known/ddos-guard/js-challenge/"),
    Wall("ddos_guard", "script url", "check.ddos-guard.net/check.js"),
    Wall("qrator", "script url", "/__qrator/"),
    Wall("f5", "script", "bobcmd"),
    Wall("reblaze", "script", "rbzns", "winsocks"),
    Wall("imunify360", "form id", "wsidchk-form"),
    Wall("imunify360", "script", "wsidchk"),
    Wall("testcookie", "script", "slowAES.decrypt", "__test="),
    Wall("alibaba", "script", "acw_sc__v2", "arg1"),
    Wall("alibaba", "script", "/_____tmd_____/punish"),
    Wall("alibaba", "element", "aliyun_waf_"),
    Wall("alibaba", "script", "initAliyunCaptcha", "_waf_"),
    Wall("tencent", "script url", "/C2WF946J0/"),
    Wall("baidu", "script url", "wappass.baidu.com/static/captcha"),
    Wall("weibo", "script", "passport.weibo.com/visitor"),
    Wall("weibo", "script url", "/visitor/mini_original.js"),
    Wall("kissanime", "form", "/Special/AreYouHuman"),
    Wall("linkedin", "script", "/authwall?trk="),
)

# Answers to scripts: name of the wall, key of the JSON object, what its value holds.
JSON_WALLS = (
    ("datadome", "url", "captcha-delivery.com/"),
    ("perimeterx", "blockScript", "captcha"),
)

_MAX_CHARACTERS = 3000
_MAX_LINKS = 15
_MAX_JSON = 65_536


def _attributes(path: str) -> Callable[[Document], list[str]]:
    return lambda document: [str(value)[:4000] for value in document.find(path)[:2000]]


def _form_ids(document: Document) -> list[str]:
    return [f"{form.get('id', '')} {form.get('action', '')[:4000]} " for form in document.forms]


def _cloudflare_errors(document: Document) -> list[str]:
    found = document.find("//*[@id='cf-error-details']//h1//span/text()")
    return [f"cf-error-details {str(text)[:99]}" for text in found[:20]]


PLACES: Mapping[str, Callable[[Document], list[str]]] = {
    "script": lambda document: [document.script],
    "script url": lambda document: list(document.script_urls),
    "form": _attributes("//form/@action"),
    "form id": _form_ids,
    "error": _cloudflare_errors,
    "element": _attributes("//@id | //@class | //meta/@name"),
    "frame": _attributes("//iframe/@src"),
    "refresh": _attributes("//meta[@http-equiv]/@content"),
    "stylesheet": _attributes("//link/@href"),
    "link": _attributes("//a/@href"),
}


def find_wall(document: Document) -> Wall | None:
    """The first wall of the table that *document* is, None where it is none of them."""
    texts: dict[str, list[str]] = {}
    short: bool | None = None
    for wall in WALLS:
        if not _stands(document, wall, texts):
            continue
        if wall.long:
            return wall
        if short is None:
            reading = document.reading
            short = reading.characters <= _MAX_CHARACTERS and reading.links <= _MAX_LINKS
        if short:
            return wall
    return None


def _stands(document: Document, wall: Wall, texts: dict[str, list[str]]) -> bool:
    if wall.place.startswith("header "):
        return wall.text in document.header(wall.place[len("header ") :])
    if wall.place not in texts:
        texts[wall.place] = PLACES[wall.place](document)
    found = texts[wall.place]
    return any(wall.text in text and wall.also in text for text in found)


def find_json_wall(body: bytes) -> str | None:
    """The name of the wall that sent *body*, a JSON object, to a script; None for any other."""
    if len(body) > _MAX_JSON:
        return None
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name, key, text in JSON_WALLS:
        if isinstance(answer, dict) and text in str(answer.get(key, "")):
            return name
    return None
