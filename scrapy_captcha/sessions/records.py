"""The records of a site, and of a session: a site, a cookie jar and a proxy, named by a string.

There is one of each, in the tables of `Sites`. Times are seconds on any clock that only goes
forward.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from scrapy_captcha.sessions.manners import Manners
from scrapy_captcha.settings.choices import Scope
from scrapy_captcha.state import KEY, CaptchaState

if TYPE_CHECKING:
    from scrapy.http import Request
    from twisted.internet.interfaces import IDelayedCall

    from scrapy_captcha.requests import Served
    from scrapy_captcha.sessions.manners import Flight
    from scrapy_captcha.state import Stage


@dataclass(slots=True)
class LearnedSite:
    """What a site has shown: *found_by_page* counts how often its solutions opened one page."""

    scope: Scope = Scope.AUTO
    found_by_page: int = 0
    manners: Manners = field(default_factory=Manners)


@dataclass(slots=True)
class Session:
    """The state of the session *name* at *site*.

    * *is_led*: whether one page has the turn; *sends*: whether its solution is on its way
    * *lends*: whether that page waits to buy, and a solution that is there may go first
    * *watch*: the check, to come, of whether that page is lost
    * *opened*: when; *free*: how many pages have come without a solution since
    * *captchas*: pages in a row that showed one; *shown*: when the last of them did
    * *failures*: leaders in a row that were given up
    * *companion*: the solution that was last sent beside that of the page that has the turn
    * *flights*: by name, the solutions on their way
    """

    site: str
    name: str
    is_led: bool = False
    sends: bool = False
    lends: bool = False
    watch: IDelayedCall | None = None
    opened: float = inf
    free: int = 0
    captchas: int = 0
    shown: float = -inf
    failures: int = 0
    companion: str = ""
    flights: dict[str, Flight] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Showing:
    """When a page of *session* that shows a captcha was asked for, and came.

    * *is_latest*: whether no other captcha of the session has come in between
    * *served*: the cookies that the page was served under
    """

    session: str
    site: str
    asked_at: float
    at: float
    is_latest: bool
    served: Served = frozenset()


def note(ticket: Request, stage: Stage | None = None, **changes: Any) -> None:
    """Changes the `CaptchaState` of *ticket*: its *stage*, if one is given, and the fields in
    *changes*.
    """
    state = CaptchaState.of(ticket.meta)
    ticket.meta[KEY] = state.to(stage or state.stage, **changes).to_meta()
