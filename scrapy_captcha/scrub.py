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
        forms = {secret, quote(secret, safe=""), b64encode(secret.encode()).decode().rstrip("=")}
        if any(part in folded for form in forms for part in _parts(form.lower())):
            return ""
    return text.encode("ascii", "backslashreplace").decode() if text.isprintable() else ascii(text)


def _parts(secret: str) -> Iterable[str]:
    if len(secret) <= _WINDOW:
        return [secret]
    return (secret[i : i + _WINDOW] for i in range(len(secret) - _WINDOW + 1))
