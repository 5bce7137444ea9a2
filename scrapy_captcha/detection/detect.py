"""Detection: the verdict on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.detection.detectors import DETECTORS
from scrapy_captcha.detection.document import Document
from scrapy_captcha.detection.steps import TooManyStepsError
from scrapy_captcha.detection.verdict import Detection, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.detection.detectors import Detector
    from scrapy_captcha.detection.page import Page

MAX_SIZE = 1_000_000


def detect(
    page: Page,
    *,
    max_size: int = MAX_SIZE,
    detectors: Mapping[str, Detector] = DETECTORS,
    wanted: str | None = None,
) -> Detection | None:
    """What *page* is, None for a page without a captcha and without a wall.

    The *detectors* are asked in their order; the first challenge or block counts, else the first
    widget. Only a page whose bytes look suspicious is parsed for the built-in ones, by its own
    ``selector``. Markup of more than *max_size* bytes, or that a parser would need long for, counts
    as content. *wanted* is the URL that was asked for: where redirects led elsewhere, a captcha is
    more likely to stand instead of the content. No page makes the built-in detectors raise. Raises
    TypeError for what another detector answers that is neither a Detection nor None.
    """
    return judge(Document(page, max_size, wanted), detectors)


def judge(document: Document, detectors: Mapping[str, Detector] = DETECTORS) -> Detection | None:
    """As `detect`, of a page that is a *document* already.

    Where that needs more work than any page should, it is None, and ``document.unjudged`` is set.
    """
    if detectors is DETECTORS and not document.suspicious:
        return None
    try:
        return _strongest(document, detectors)
    except TooManyStepsError:
        document.unjudged = "steps"
        return None


def _strongest(document: Document, detectors: Mapping[str, Detector]) -> Detection | None:
    widget = None
    for name, detector in detectors.items():
        found = detector(document)
        if found is None:
            continue
        if not isinstance(found, Detection):
            raise TypeError(f"the detector {name!r} gave {found!r}: return a Detection or None")
        if found.verdict is not Verdict.WIDGET:
            return found
        widget = widget or found
    return widget
