"""The verdicts of detection, and what they are based on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from scrapy_captcha.text import printable, word

if TYPE_CHECKING:
    from scrapy_captcha.models import Captcha

_LONGEST_EVIDENCE = 200
_MOST_EVIDENCE = 20


class Verdict(str, Enum):
    """What a page with a captcha or a bot wall is.

    * CHALLENGE: it stands instead of the content, and a solver service can answer it
    * BLOCK: it stands instead of the content, and nothing on it can be answered by such a service
    * WIDGET: content or an ordinary form that merely contains a captcha
    """

    CHALLENGE = "challenge"
    BLOCK = "block"
    WIDGET = "widget"


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found on a page, and why.

    * *name*: the captcha's kind, or the name of the wall; what is no letter, digit or ``_`` is made
      ``_``, and it is cut at 64, since it becomes a part of stats and reasons
    * *captcha*: None for blocks
    * *evidence*: the grounds of the verdict, in words; made printable and cut at 200 characters
    * *confidence*: from 0 to 1
    """

    verdict: Verdict
    name: str
    captcha: Captcha | None
    evidence: tuple[str, ...]
    confidence: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", word(self.name))
        evidence = (
            printable(str(one), _LONGEST_EVIDENCE) for one in self.evidence[:_MOST_EVIDENCE]
        )
        object.__setattr__(self, "evidence", tuple(evidence))
