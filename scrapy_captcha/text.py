"""Makes texts from outside safe to show: on one line, without control characters."""

from __future__ import annotations

import re

_LONGEST = 2_000
_LONGEST_WORD = 64
_NOT_IN_WORDS = re.compile(r"[^A-Za-z0-9_]+")


def printable(text: str, longest: int = _LONGEST) -> str:
    """*text* with control characters, line ends and direction marks escaped, cut at *longest*."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    escaped = (one if one.isprintable() else _escape(one) for one in text)
    return "".join(escaped)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def word(text: object) -> str:
    """*text* as a word for stats and reasons: letters, digits and ``_``; "unnamed" if empty."""
    words = _NOT_IN_WORDS.sub("_", str(text)[: 4 * _LONGEST_WORD]).strip("_")
    return words[:_LONGEST_WORD] or "unnamed"
