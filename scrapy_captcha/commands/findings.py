"""The findings of a check, a line each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from scrapy_captcha.text import printable


class Mark(Enum):
    """How good or bad a finding is; the value is its sign, and the sign in plain ASCII."""

    GOOD = ("✓", "ok")
    WARNING = ("!", "! ")
    BAD = ("✗", "X ")


@dataclass(frozen=True, slots=True)
class Finding:
    """*words* state the finding, *mend* advises what to do about it, "" for nothing."""

    mark: Mark
    words: str
    mend: str = ""

    def shown(self, encoding: str) -> str:
        """The finding as text of one line or two, in characters that *encoding* has."""
        fancy, plain = self.mark.value
        sign = fancy if _has_signs(encoding) else plain
        lines = [f"{sign} {printable(self.words)}"]
        if self.mend:
            lines.append(f"{' ' * len(sign)} -> {printable(self.mend)}")
        return "\n".join(lines).encode(encoding, "backslashreplace").decode(encoding)


def good(words: str) -> Finding:
    """A finding that all is as it should be."""
    return Finding(Mark.GOOD, words)


def warning(words: str, mend: str) -> Finding:
    """A finding of something that works, and may not be intended."""
    return Finding(Mark.WARNING, words, mend)


def bad(words: str, mend: str = "") -> Finding:
    """A finding of something that does not work."""
    return Finding(Mark.BAD, words, mend)


def _has_signs(encoding: str) -> bool:
    try:
        "".join(mark.value[0] for mark in Mark).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
