"""Keeps secrets out of texts that strangers wrote."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

_WINDOW = 6  # characters of a secret that already say too much


def scrub(text: str, secrets: Iterable[str]) -> str:
    """*text* as printable ASCII, "" when it holds part of a secret in any usual encoding."""
    folded = text.lower()
    for secret in filter(None, secrets):
        forms = {secret, quote(secret, safe=""), *_base64(secret)}
        if any(part in folded for form in forms for part in _parts(form.lower())):
            return ""
    return text.encode("ascii", "backslashreplace").decode() if text.isprintable() else ascii(text)


def _base64(secret: str) -> Iterable[str]:
    """What *secret* looks like in base64, whatever stands before and behind it."""
    for before in range(3):
        encoded = b64encode(bytes(before) + secret.encode()).decode().rstrip("=")
        yield encoded[(0, 2, 3)[before] : -1 or None]


def _parts(secret: str) -> Iterable[str]:
    if len(secret) <= _WINDOW:
        return [secret]
    return (secret[i : i + _WINDOW] for i in range(len(secret) - _WINDOW + 1))
