"""The statuses of pages that are behind no captcha, by site: pure bookkeeping."""

from __future__ import annotations

from collections import deque

from scrapy_captcha.bounded import Bounded

_REFUSALS = frozenset({401, 403, 407, 429})  # never what a site's pages are
_RECENT = 8  # free pages of a site
_MOST_SITES = 1024


class Statuses:
    """Knows the sites at which a client error is the usual status of a page."""

    def __init__(self) -> None:
        self._sites: Bounded[deque[int]] = Bounded(_MOST_SITES)

    def are_noted(self, status: int) -> bool:
        """Whether a free page with *status* is worth noting: at most sites none is an error."""
        return _is_possible(status) or len(self._sites) > 0

    def free(self, site: str, status: int) -> None:
        """Notes that *site* has served a page with *status* that was behind no captcha."""
        recent = self._sites.get(site)
        if recent is None and _is_possible(status):
            recent = self._sites.put(site, deque(maxlen=_RECENT))
        if recent is not None:
            recent.append(status)

    def are_usual(self, site: str, status: int) -> bool:
        """Whether the last pages of *site* without a captcha all had *status*, an error."""
        recent = self._sites.get(site) if _is_possible(status) else None
        return recent is not None and len(recent) == _RECENT and set(recent) == {status}


def _is_possible(status: int) -> bool:
    return 400 <= status < 500 and status not in _REFUSALS
