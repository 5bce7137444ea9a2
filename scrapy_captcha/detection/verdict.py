"""What detection answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy_captcha.captchas import Captcha


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

    * *name*: the captcha's kind, or the name of the wall; letters, digits and ``_`` only
    * *captcha*: None for blocks
    * *evidence*: what the verdict rests on, in words; printable and short
    * *confidence*: from 0 to 1
    """

    verdict: Verdict
    name: str
    captcha: Captcha | None
    evidence: tuple[str, ...]
    confidence: float
