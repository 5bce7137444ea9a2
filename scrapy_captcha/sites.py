"""What is learned of sites: whether a solution opens the site or only a page, and who solves.

A session is a site, a cookie jar and a proxy, named by a string. Times are seconds on any clock
that only goes forward.
"""

from __future__ import annotations

from enum import Enum
from math import isfinite


class Scope(str, Enum):
    """What a solution opens: the words of ``CAPTCHA_SCOPE``."""

    AUTO = "auto"
    SITE = "site"
    PAGE = "page"


class Turn(Enum):
    """What a page that shows a captcha does."""

    LEAD = "solves for its session"
    FOLLOW = "waits for the one that solves for its session"
    AGAIN = "is fetched again: its session was opened after it had been asked for"
    ALONE = "solves for itself"


_SHUT_AFTER = 3  # pages in a row that show a captcha
_HOPELESS_AFTER = 3  # pages in a row that led and were given up


class Sites:
    """Who solves for which session. With *scope* AUTO each site's own is learned.

    A page that still shows a captcha though it was asked for after another page of its session had
    been opened says that solutions open single pages; one that opens without a solution of its own
    says the opposite. Where solutions open the site, a session that is led and shows nothing but
    captchas is shut: a new page of it would only meet one more. Elsewhere free pages may stand
    behind guarded ones, and nobody is to wait for those.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._page_by_page: set[str] = set()
        self._open_as_a_whole: set[str] = set()
        self._led: set[str] = set()
        self._opened: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._in_a_row: dict[str, int] = {}

    @property
    def have_met_captchas(self) -> bool:
        """Whether `free` has anything to learn from."""
        return bool(self._in_a_row)

    def met(self, session: str) -> None:
        """A page of *session* shows a captcha."""
        self._in_a_row[session] = self._in_a_row.get(session, 0) + 1

    def free(self, session: str) -> None:
        """A page of *session* has come."""
        self._in_a_row.pop(session, None)

    def is_shut(self, site: str, session: str) -> bool:
        """Whether a new page of *session*, at *site*, would only meet the captcha being solved."""
        opens_as_a_whole = self._scope is Scope.SITE or site in self._open_as_a_whole
        is_led = opens_as_a_whole and session in self._led
        return is_led and self._in_a_row.get(session, 0) >= _SHUT_AFTER

    def turn(self, site: str, session: str, asked_at: float) -> Turn:
        """What a page of *site* does that was asked for at *asked_at* and shows a captcha.

        An infinite *asked_at* is unknown.
        """
        if asked_at >= self._opened.get(session, float("inf")):
            self._shows_a_captcha_once_more(site, session)
        if self._scope is Scope.PAGE or site in self._page_by_page or self._is_hopeless(session):
            return Turn.ALONE
        if session in self._led:
            return Turn.FOLLOW
        if session in self._opened and isfinite(asked_at):
            return Turn.AGAIN
        self._led.add(session)
        return Turn.LEAD

    def is_known(self, site: str) -> bool:
        """Whether it has been learned, or set, what solutions open at *site*."""
        learned = site in self._page_by_page or site in self._open_as_a_whole
        return learned or self._scope is not Scope.AUTO

    def lead(self, session: str) -> None:
        """Somebody solves for *session*, or finds out whether it is open."""
        self._led.add(session)

    def is_led(self, session: str) -> bool:
        """Whether a page solves for *session*."""
        return session in self._led

    def opened(self, session: str, now: float) -> None:
        """The site has accepted a solution for *session*; nobody leads there any more."""
        self._led.discard(session)
        self._in_a_row.pop(session, None)
        self._failures.pop(session, None)
        self._opened.setdefault(session, now)  # the first: what was asked for since is evidence

    def left(self, session: str) -> None:
        """The one that led *session* has gone elsewhere."""
        self._led.discard(session)

    def failed(self, session: str) -> None:
        """The one that led *session* has given up."""
        self._led.discard(session)
        self._failures[session] = self._failures.get(session, 0) + 1

    def opened_to_all(self, site: str) -> None:
        """A page of *site* has come without a solution of its own, after one for another page."""
        self._open_as_a_whole.add(site)
        self._page_by_page.discard(site)

    def _is_hopeless(self, session: str) -> bool:
        """Whether so many in a row have failed for all that each is to try for itself."""
        return self._failures.get(session, 0) >= _HOPELESS_AFTER

    def _shows_a_captcha_once_more(self, site: str, session: str) -> None:
        del self._opened[session]  # it was page by page, or it has run out
        if self._scope is Scope.AUTO and site not in self._open_as_a_whole:
            self._page_by_page.add(site)
