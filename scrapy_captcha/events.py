"""What happened in a crawl: plain data, published once, and heard by stats, log and signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.http import Request

    from scrapy_captcha.errors import SolverError
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.money import Micros
    from scrapy_captcha.purchases import Fate


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""


@dataclass(frozen=True, slots=True)
class RequestEvent(Event):
    """Something that happened to *request*."""

    request: Request


@dataclass(frozen=True, slots=True)
class CaptchaEvent(RequestEvent):
    """Something that happened to *request*, whose page is or contains *captcha*."""

    captcha: Captcha


@dataclass(frozen=True, slots=True)
class CaptchaDetected(CaptchaEvent):
    """A challenge page stands where the page of *request* should be."""


@dataclass(frozen=True, slots=True)
class SolutionRequested(CaptchaEvent):
    """A spider wants a solution of the captcha in a form."""


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
class TaskCreated(CaptchaEvent):
    """A task was bought; *task_id* as it may be shown, "" where it may not be."""

    provider: str
    task_id: str


@dataclass(frozen=True, slots=True)
class CaptchaSolved(CaptchaEvent):
    """A solution came back."""


@dataclass(frozen=True, slots=True)
class SolutionAccepted(RequestEvent):
    """The site gave the page for the solution."""


@dataclass(frozen=True, slots=True)
class PageShared(RequestEvent):
    """The page came without a solution of its own, after one for another page."""


@dataclass(frozen=True, slots=True)
class SolutionRejected(RequestEvent):
    """The site shows *name*, a captcha or a wall, in spite of the solution."""

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


class VerdictReported(Event):
    """A provider has taken note of what the site did with a solution."""


@dataclass(frozen=True, slots=True)
class SitePaused(Event):
    """Nothing is bought at *site* for a while, for *why*."""

    site: str
    why: str


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
class RequestHeld(RequestEvent):
    """*request* waits for the captcha that it would only meet."""


@dataclass(frozen=True, slots=True)
class SubmissionFailed(RequestEvent):
    """A solution could not be sent to the site."""

    cause: Exception


@dataclass(frozen=True, slots=True)
class PurchaseRescheduled(CaptchaEvent):
    """The page waits *delay* seconds before a solution is bought again."""

    error: SolverError
    delay: float


@dataclass(frozen=True, slots=True)
class ProxyRotated(CaptchaEvent):
    """The page is fetched again through another proxy, as *error* is about its own."""

    error: SolverError


@dataclass(frozen=True, slots=True)
class ProxyCoolsDown(RequestEvent):
    """A proxy of the pool has failed a download, and is not used for a while."""

    proxy: str
    why: str


@dataclass(frozen=True, slots=True)
class ProxyRemoved(RequestEvent):
    """A proxy of the pool has failed a download, and is not used any more."""

    proxy: str
    why: str


class DownloadMoved(Event):
    """The page is fetched again through another proxy, as its own had failed."""


@dataclass(frozen=True, slots=True)
class ProxyPreferred(RequestEvent):
    """The page is fetched again through a proxy that draws fewer captchas."""


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
class PageGivenUp(RequestEvent):
    """The page of *request* goes to its errback, for *reason*."""

    reason: str
    captcha: Captcha | None = None
    error: SolverError | None = None


@dataclass(frozen=True, slots=True)
class PagePassedOn(RequestEvent):
    """The captcha page itself goes to the spider, as ``CAPTCHA_ON_GIVE_UP`` says."""

    reason: str


@dataclass(frozen=True, slots=True)
class WallDetected(RequestEvent):
    """*name*, a bot wall without anything to solve, stands where the page should be."""

    name: str


@dataclass(frozen=True, slots=True)
class RedirectNotFollowed(RequestEvent):
    """After a solution the site redirects *request* to *host*, which is not its own."""

    host: str


@dataclass(frozen=True, slots=True)
class RobotsTxtUnreachable(RequestEvent):
    """*name*, a captcha or a wall, stands instead of the robots.txt that *request* is for."""

    name: str


@dataclass(frozen=True, slots=True)
class PageNotJudged(RequestEvent):
    """The page may be a captcha, but was not read for it: it is past the *bound*."""

    bound: str


@dataclass(frozen=True, slots=True)
class RequestNotSerializable(RequestEvent):
    """A page that waits cannot be written to the job directory, for *cause*."""

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
