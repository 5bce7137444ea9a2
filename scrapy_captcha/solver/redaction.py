"""Keeps secrets out of texts from outside."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scrapy_captcha.providers import Order

_WINDOW = 6  # characters of a secret that already say too much
_LONG_WINDOW = 12  # the same where long random texts are searched
_BESIDE = re.compile(r"[^a-z0-9]+")


def scrub(text: str, secrets: Iterable[str]) -> str:
    """*text* as printable ASCII; "" if it contains part of a secret in any usual encoding."""
    folded = text.lower()
    for secret in filter(None, secrets):
        forms = {secret, secret[::-1], quote(secret, safe=""), *_base64(secret)}
        if any(part in folded for form in forms for part in _parts(form.lower())):
            return ""
    return text.encode("ascii", "backslashreplace").decode() if text.isprintable() else ascii(text)


def repeats(value: object, secrets: Iterable[str]) -> bool:
    """Whether a string in *value*, which is nested plain data, contains one of *secrets*.

    They are found in any usual encoding, and in part if they are long. A secret of a few characters
    has to be the whole string.
    """
    strings = list(_strings(value))
    folded = "\n".join(strings).lower()
    joined = _BESIDE.sub("", folded)
    for secret in filter(None, secrets):
        if len(secret) < _WINDOW:
            if secret in strings:
                return True
            continue
        plain = _BESIDE.sub("", secret.lower())
        forms = {secret, secret[::-1], quote(secret, safe=""), secret.encode().hex()}
        parts = {part for form in forms for part in _parts(form.lower(), _LONG_WINDOW)}
        if any(part in folded for part in parts | {b.lower() for b in _base64(secret)}):
            return True
        if len(plain) >= _WINDOW and plain in joined:
            return True
    return False


def _strings(value: object) -> Iterator[str]:
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, (list, tuple)):
            left += one
        elif isinstance(one, str):
            yield one
        elif type(one) is int:
            yield str(one)


def _base64(secret: str) -> Iterable[str]:
    """The forms of *secret* in base64, at any offset."""
    for before in range(3):
        encoded = b64encode(bytes(before) + secret.encode()).decode().rstrip("=")
        yield encoded[(0, 2, 3)[before] : -1 or None]


def _parts(secret: str, window: int = _WINDOW) -> Iterable[str]:
    if len(secret) <= window:
        return [secret]
    return (secret[i : i + window] for i in range(len(secret) - window + 1))


def secrets_of(order: Order) -> tuple[str, ...]:
    """The secrets in *order*: user name and password of the proxy, and the cookies."""
    proxy = (order.proxy.username, order.proxy.password) if order.proxy else ()
    values = (part.partition("=")[2].strip() for part in order.cookies.split(";"))
    return (*proxy, order.cookies, *values)
