"""The forecast of a dry run: what a crawl would buy, from the captchas that it meets.

In a dry run no captcha is opened: a site that one solution opens shows as many captchas as one that
needs a solution for each page. They differ in this: a site that is closed as a whole lets no page
through once it has begun to ask, a site with captchas before some pages does. A site with a captcha
before each page looks closed as a whole: then the user's setting (``CAPTCHA_SCOPE``) is needed, and
the forecast gives a lower and an upper bound.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scrapy_captcha.models import KINDS
from scrapy_captcha.settings.choices import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy_captcha.models import Kind
    from scrapy_captcha.money import Micros

_OPEN_ENOUGH = 0.05  # share of free pages among captchas from which a site asks page by page
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated cost of a site.

    *captchas*: met; *solves*: likely to be bought, for *money* together; *fewest*, *most*: their
    bounds, if they are not known better; *widgets*: pages that merely contain a captcha, with
    *examples* of their URLs.
    """

    captchas: int = 0
    solves: int = 0
    fewest: int = 0
    most: int = 0
    money: Micros = 0
    widgets: int = 0
    examples: tuple[str, ...] = ()


@dataclass(slots=True)
class _Session:
    met: Counter[Kind] = field(default_factory=Counter)
    free: int = 0


@dataclass(slots=True)
class _SiteCounts:
    sessions: defaultdict[str, _Session] = field(default_factory=lambda: defaultdict(_Session))
    widgets: int = 0
    examples: list[str] = field(default_factory=list)


class Forecast:
    """Counts the captchas that a dry run meets."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._sites: defaultdict[str, _SiteCounts] = defaultdict(_SiteCounts)

    def count_captcha(self, site: str, session: str, kind: Kind) -> None:
        """Notes that a page of *session* showed a captcha that would have been solved."""
        self._sites[site].sessions[session].met[kind] += 1

    def free(self, site: str, session: str) -> None:
        """Notes that a page of *session* came without a captcha."""
        known = self._sites.get(site)
        if known is not None and session in known.sessions:  # it has begun to ask
            known.sessions[session].free += 1

    def widget(self, site: str, url: str) -> None:
        """Notes that a page merely contained a captcha."""
        known = self._sites[site]
        known.widgets += 1
        if len(known.examples) < _EXAMPLES:
            known.examples.append(url)

    def estimates(self, price: Callable[[Kind], Micros]) -> dict[str, Estimate]:
        """The estimates by site; *price* gives the price of a solve of each kind."""
        return {name: self._estimate(site, price) for name, site in sorted(self._sites.items())}

    def _estimate(self, site: _SiteCounts, price: Callable[[Kind], Micros]) -> Estimate:
        sessions = site.sessions.values()
        likely = [self._likely(session, price) for session in sessions]
        captchas = sum(session.met.total() for session in sessions)
        return Estimate(
            captchas,
            sum(solves for solves, _ in likely),
            captchas if self._scope is Scope.PAGE else len(sessions),
            len(sessions) if self._scope is Scope.SITE else captchas,
            sum(money for _, money in likely),
            site.widgets,
            tuple(site.examples),
        )

    def _likely(self, session: _Session, price: Callable[[Kind], Micros]) -> tuple[int, Micros]:
        if self._is_opened_by_one(session):
            return 1, max(price(kind) for kind in session.met)
        return session.met.total(), sum(price(kind) * n for kind, n in session.met.items())

    def _is_opened_by_one(self, session: _Session) -> bool:
        if self._scope is not Scope.AUTO:
            return self._scope is Scope.SITE
        if all(KINDS[kind].cookie for kind in session.met):
            return True
        return session.free <= _OPEN_ENOUGH * (session.free + session.met.total())
