"""Whether a redirect has led to another page, or to the same one at its proper address."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_MAX_URL = 8192
# The parts of a path that name no page: a language, and what stands for the page of a folder.
_LANGUAGE = re.compile(r"^/[a-z]{2}(?:[_-][a-z]{2,4})?(?=/|$)")
_INDEX = re.compile(r"/(?:index|default|home)?(?:\.\w{2,5})?$")


def leads_elsewhere(wanted: str, url: str) -> bool:
    """Whether *url* is another page than *wanted*.

    Scheme, ``www.``, query, language, letter case, a slash at the end, and a title that is added
    to the last part of the path make no other page.
    """
    try:
        before, after = _page(wanted), _page(url)
    except ValueError:
        return False
    if before[0] != after[0]:
        return True
    old, new = before[1], after[1]
    return new != old and not (old and new.startswith((f"{old}-", f"{old}_", f"{old}.")))


def _page(url: str) -> tuple[str, str]:
    parts = urlsplit(url[:_MAX_URL])
    path = _INDEX.sub("", unquote(parts.path).lower())
    return (parts.netloc.lower().removeprefix("www."), _LANGUAGE.sub("", path, count=1))
