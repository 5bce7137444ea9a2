"""Answers of sites to solutions: the page itself, or a text after which the page is to be fetched.

Whether an answer at another URL is the page, only other answers can show: a text that several
pages get is a thank-you or an error, and texts that differ from page to page are the pages.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum

_MOST_SITES = 1024
_MOST_TEXTS = 64  # of one site
_SEVERAL = ""  # instead of the page that a text answered for


class Opinion(Enum):
    """Whether an answer is the page."""

    PAGE = "it is"
    OTHER = "it is not: several pages got it"
    UNKNOWN = "nothing to compare it with"


@dataclass(slots=True)
class _SiteAnswers:
    gives_pages: bool = False
    pages: OrderedDict[int, str] = field(default_factory=OrderedDict)  # by text
    repeated: set[int] = field(default_factory=set)  # texts that one page got twice


class Answers:
    """Remembers the texts of a site's answers, and the pages that they answered for."""

    def __init__(self) -> None:
        self._sites: OrderedDict[str, _SiteAnswers] = OrderedDict()

    def heard(self, site: str, page: str, text: int) -> None:
        """Notes that *site* has answered the solution for *page* with *text*."""
        row = self._row(site)
        first = row.pages.setdefault(text, page)
        if first != page:
            row.pages[text] = _SEVERAL
        while len(row.pages) > _MOST_TEXTS:
            old, _ = row.pages.popitem(last=False)
            row.repeated.discard(old)

    def opinion(self, site: str, page: str, text: int) -> Opinion:
        """Whether *text*, which *site* gave for *page*, is that page."""
        row = self._row(site)
        if row.pages.get(text) == _SEVERAL:
            return Opinion.OTHER
        if row.gives_pages or any(other not in (page, _SEVERAL) for other in row.pages.values()):
            return Opinion.PAGE
        return Opinion.UNKNOWN

    def is_repeated(self, site: str, text: int) -> bool:
        """Whether *text* has failed to open its page before; notes that it has failed now."""
        row = self._row(site)
        before = text in row.repeated
        row.repeated.add(text)
        return before

    def gives_pages(self, site: str) -> bool:
        """Whether answers of *site* are known to be its pages."""
        return site in self._sites and self._sites[site].gives_pages

    def learn_pages(self, site: str) -> None:
        """Notes that an answer of *site* was the page."""
        self._row(site).gives_pages = True

    def _row(self, site: str) -> _SiteAnswers:
        """The record of *site*; the least recently used one is dropped for it."""
        row = self._sites.setdefault(site, _SiteAnswers())
        self._sites.move_to_end(site)
        if len(self._sites) > _MOST_SITES:
            self._sites.popitem(last=False)
        return row
