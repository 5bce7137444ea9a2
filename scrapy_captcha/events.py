"""What happened in a crawl: each thing is published once, and heard by stats, log and signals.

A listener gets data and never the engine. One that raises is logged, and harms nothing else.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.http import Request

    from scrapy_captcha.errors import SolverError
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.money import Micros
    from scrapy_captcha.purchases import Fate

logger = logging.getLogger(__name__)


class Event:
    """Something that happened."""

    __slots__ = ()


class Events:
    """Hands each event to all listeners, in the order in which they began to listen."""

    def __init__(self, *listeners: Callable[[Event], object]) -> None:
        self._listeners = listeners

    def publish(self, event: Event) -> None:
        """*event* has happened."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("%r could not be handled", type(event).__name__)


@dataclass(frozen=True, slots=True)
class CaptchaDetected(Event):
    """A challenge page stands where the page of *request* should be."""

    request: Request
    captcha: Captcha


@dataclass(frozen=True, slots=True)
class SolutionRequested(Event):
    """A spider wants a solution of the captcha in a form."""

    request: Request
    captcha: Captcha


@dataclass(frozen=True, slots=True)
class CallFailed(Event):
    """The service, or the way to it, gave an error; a later call may make it good."""

    error: SolverError


@dataclass(frozen=True, slots=True)
class ProviderUnreachable(Event):
    """The provider of *error* has stopped to answer: pages wait *patience* seconds for it."""

    error: SolverError
    patience: float


@dataclass(frozen=True, slots=True)
class ProviderRecovered(Event):
    """*provider* answers again, after *seconds* without an answer."""

    provider: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskCreated(Event):
    """A task was bought; *task_id* as it may be shown, "" where it may not be."""

    request: Request
    captcha: Captcha
    provider: str
    task_id: str


@dataclass(frozen=True, slots=True)
class CaptchaSolved(Event):
    """A solution came back."""

    request: Request
    captcha: Captcha


@dataclass(frozen=True, slots=True)
class SolutionAccepted(Event):
    """The site gave the page for the solution."""

    request: Request


@dataclass(frozen=True, slots=True)
class PageShared(Event):
    """The page came without a solution of its own, after one for another page."""

    request: Request


@dataclass(frozen=True, slots=True)
class SolutionRejected(Event):
    """The site shows *name*, a captcha or a wall, in spite of the solution."""

    request: Request
    name: str


@dataclass(frozen=True, slots=True)
class BalanceKnown(Event):
    """The account at *provider* holds *balance*, in its own currency."""

    provider: str
    balance: float


@dataclass(frozen=True, slots=True)
class BalanceUnknown(Event):
    """A provider does not say what the account holds."""

    error: SolverError


@dataclass(frozen=True, slots=True)
class VerdictReported(Event):
    """A provider has taken note of what the site did with a solution."""


@dataclass(frozen=True, slots=True)
class SiteRejectsAll(Event):
    """*site* has rejected so many solutions that buying stops there for a while."""

    site: str


@dataclass(frozen=True, slots=True)
class SiteTakesNone(Event):
    """So many solutions could not be sent to *site* that buying stops there for a while."""

    site: str


@dataclass(frozen=True, slots=True)
class CookiesNotKept(Event):
    """*site* remembers no solution, since requests keep no cookies: *lost_by* says why."""

    site: str
    lost_by: str


@dataclass(frozen=True, slots=True)
class SolutionExpired(Event):
    """A token was not sent while it was good, and never will be."""

    captcha: Captcha


@dataclass(frozen=True, slots=True)
class RequestHeld(Event):
    """*request* waits for the captcha that it would only meet."""

    request: Request


@dataclass(frozen=True, slots=True)
class SubmissionFailed(Event):
    """A solution could not be sent to the site."""

    request: Request
    cause: Exception


@dataclass(frozen=True, slots=True)
class PurchaseRescheduled(Event):
    """The page waits *delay* seconds before a solution is bought again."""

    request: Request
    captcha: Captcha
    error: SolverError
    delay: float


@dataclass(frozen=True, slots=True)
class ProxyRotated(Event):
    """The page is fetched again through another proxy, as *error* is about its own."""

    request: Request
    captcha: Captcha
    error: SolverError


@dataclass(frozen=True, slots=True)
class ProxyCoolsDown(Event):
    """A proxy of the pool has failed a download, and is not used for a while."""

    request: Request
    proxy: str
    why: str


@dataclass(frozen=True, slots=True)
class ProxyRemoved(Event):
    """A proxy of the pool has failed a download, and is not used any more."""

    request: Request
    proxy: str
    why: str


@dataclass(frozen=True, slots=True)
class DownloadMoved(Event):
    """The page is fetched again through another proxy, as its own had failed."""


@dataclass(frozen=True, slots=True)
class ProxyPreferred(Event):
    """The page is fetched again through a proxy that draws fewer captchas."""

    request: Request


@dataclass(frozen=True, slots=True)
class ProxiesCoolDown(Event):
    """All proxies of the pool cool down for *site*."""

    site: str


@dataclass(frozen=True, slots=True)
class ProxiesUsedUp(Event):
    """No proxy of the pool will be used for *site* any more."""

    site: str


@dataclass(frozen=True, slots=True)
class BuyingStopped(Event):
    """Nothing is bought at the provider of *error* any more."""

    error: SolverError


@dataclass(frozen=True, slots=True)
class PageGivenUp(Event):
    """The page of *request* goes to its errback, for *reason*."""

    request: Request
    reason: str
    captcha: Captcha | None = None
    error: SolverError | None = None


@dataclass(frozen=True, slots=True)
class PagePassedOn(Event):
    """The captcha page itself goes to the spider, as ``CAPTCHA_ON_GIVE_UP`` says."""

    request: Request
    reason: str


@dataclass(frozen=True, slots=True)
class WallDetected(Event):
    """*name*, a bot wall without anything to solve, stands where the page should be."""

    request: Request
    name: str


@dataclass(frozen=True, slots=True)
class RedirectNotFollowed(Event):
    """After a solution the site redirects *request* to *host*, which is not its own."""

    request: Request
    host: str


@dataclass(frozen=True, slots=True)
class RobotsTxtUnreachable(Event):
    """*name*, a captcha or a wall, stands instead of the robots.txt that *request* is for."""

    request: Request
    name: str


@dataclass(frozen=True, slots=True)
class PageNotJudged(Event):
    """The page may be a captcha, but was not read for it: it is past the *bound*."""

    request: Request
    bound: str


@dataclass(frozen=True, slots=True)
class RequestNotSerializable(Event):
    """A page that waits cannot be written to the job directory, for *cause*."""

    request: Request
    cause: Exception


@dataclass(frozen=True, slots=True)
class MoneySpent(Event):
    """The crawl has come to *spent*, and to *per_accepted* for each solution that was accepted."""

    spent: Micros
    per_accepted: Micros | None


@dataclass(frozen=True, slots=True)
class PurchaseEnded(Event):
    """What was bought has come to its *fate*."""

    fate: Fate


@dataclass(frozen=True, slots=True)
class SiteEnded(Event):
    """What the crawl has come to at *site*."""

    site: str
    met: int
    bought: int
    accepted: int
    rejected: int
    money: Micros


@dataclass(frozen=True, slots=True)
class LimitReached(Event):
    """Nothing more is bought *where* there is a limit: *reason* says which."""

    reason: str
    where: str


@dataclass(frozen=True, slots=True)
class RequestParked(Event):
    """*count* requests are parked now."""

    count: int


@dataclass(frozen=True, slots=True)
class PagesLost(Event):
    """*count* pages waited when the crawl ended, and no other run will have them."""

    count: int


@dataclass(frozen=True, slots=True)
class TasksAbandoned(Event):
    """*count* tasks that may have been paid, for *money*, are not collected any more."""

    count: int
    money: Micros
