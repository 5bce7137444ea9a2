"""Search forms, which sites show around whatever they serve."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scrapy_captcha.detection.controls import kind_of, typed

if TYPE_CHECKING:
    from scrapy_captcha.detection.document import Document
    from scrapy_captcha.detection.reading import Element

_NAME = re.compile(r"search|query|keywords?$|^[qs]$", re.IGNORECASE)


def is_search(document: Document, form: Element) -> bool:
    """Whether *form* does nothing but search: it sends one text, which is named so, with GET."""
    if form.get("method", "get").strip().lower() != "get":
        return False
    controls = document.controls_of(form)
    texts = [one for one in controls if typed(one) and kind_of(one) != "hidden"]
    return len(texts) == 1 and (
        kind_of(texts[0]) == "search" or _NAME.search(texts[0].get("name", "")[:100]) is not None
    )
