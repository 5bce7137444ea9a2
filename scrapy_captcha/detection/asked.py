"""The captcha of a wall that services open as a whole, without a widget in the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scrapy_captcha.detection.datadome import captcha_url
from scrapy_captcha.models import Captcha, Kind

if TYPE_CHECKING:
    from scrapy_captcha.detection.document import Document

# Until 2018 Cloudflare asked for reCAPTCHA v1, which no service answers any more.
_FIRST_RECAPTCHA = re.compile(r"/recaptcha/api/challenge\?k=([A-Za-z0-9_-]{6,128})")


def whole_wall(document: Document, kind: Kind) -> Captcha:
    """What a service would be asked for so as to open the wall *document* of the kind *kind*."""
    url = captcha_url(document) if kind is Kind.DATADOME else None
    return Captcha(
        kind,
        document.url,
        _key(document) if kind is Kind.CLOUDFLARE_CHALLENGE else None,
        {"captcha_url": url} if url else {},
    )


def _key(document: Document) -> str | None:
    keys = (_FIRST_RECAPTCHA.search(url) for url in document.script_urls)
    return next((key[1] for key in keys if key), None)
