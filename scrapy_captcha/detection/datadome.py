"""The options of DataDome's wall, and the address of the captcha that its script shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.detection.document import Document

_DD = re.compile(r"\bdd\s{0,9}=\s{0,9}\{([^{}]{1,4000})\}")
_PAIR = re.compile(r"[\"'](\w{1,20})[\"']\s{0,9}:\s{0,9}(?:'([^']*)'|\"([^\"]*)\"|(\d{1,20}))")
_HOST = re.compile(r"[a-z0-9-]{1,63}\.captcha-delivery\.com")
_URL = re.compile(rf"https://{_HOST.pattern}/captcha/\?[!-~]{{1,4000}}")
_COOKIE = re.compile(r"\bdatadome=([!-:<-~]{1,1000})")


def options(document: Document) -> Mapping[str, str]:
    """The members of the script's variable ``dd``; {} where the page is no wall of DataDome."""
    for match in _DD.finditer(document.script):
        pairs = {name: one or two or number for name, one, two, number in _PAIR.findall(match[1])}
        if "rt" in pairs and _HOST.fullmatch(pairs.get("host", "")):
            return pairs
    return {}


def captcha_url(document: Document) -> str | None:
    """The address of the frame that shows the captcha, as DataDome's script puts it together."""
    given = str((document.json or {}).get("url", ""))
    for url in (given, *map(str, document.find("//iframe/@src")[:20])):
        if _URL.fullmatch(url):
            return url
    found = options(document)
    if not found:
        return None
    cookie = _COOKIE.search(document.header("Set-Cookie"))
    query = {
        "initialCid": found.get("cid"),
        "hash": found.get("hsh"),
        "cid": found.get("cookie") or (cookie[1] if cookie else None),
        "t": found.get("t"),
        "referer": document.url,
        "s": found.get("s"),
        "e": found.get("e"),
        "b": found.get("b"),
        "dm": "cd",
    }
    known = {name: value for name, value in query.items() if value}
    return f"https://{found['host']}/captcha/?{urlencode(known)}"
