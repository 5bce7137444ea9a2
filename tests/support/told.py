"""What makes a text one that helps whoever has made a mistake."""

from __future__ import annotations

from crawling import API_KEY

PASSWORD = "hunter22"
# A word of each mend; what is told is told in these.
_MENDS = ("write ", "did you mean ", "set ", "remove ", "return ", "give ", "leave ", "put ")


def is_told_well(text: str) -> bool:
    """Whether it says what to do, in one line, and tells no secret."""
    secret = API_KEY in text or PASSWORD in text
    return any(mend in text for mend in _MENDS) and "\n" not in text and not secret
