"""Counts and logs what happens to captchas: the one place that touches Scrapy's stats."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from scrapy_captcha.errors import ERRORS, ErrorCode
from scrapy_captcha.money import amount, shown
from scrapy_captcha.purchases import Fate
from scrapy_captcha.reporting.reasons import REASONS
from scrapy_captcha.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Request

    from scrapy_captcha.errors import SolverError
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.money import Micros
    from scrapy_captcha.reporting.figures import Row

logger = logging.getLogger(__name__)

_ADVICE = {
    ErrorCode.AUTH_INVALID: "check its key in CAPTCHA_API_KEY or CAPTCHA_KEYS",
    ErrorCode.AUTH_FORBIDDEN: "ask the service, which may want to know your IP address",
    ErrorCode.BALANCE_EMPTY: "top the account up",
}
_MOST_NAMES = 20  # of unknown errors that are logged
_UNTOLD = frozenset({Fate.UNUSED, Fate.FAILED})  # no other call tells of them


class Tally:
    """Scrapy's stats under ``captcha/``, and one log line for each thing that happens.

    A line names what there is of provider, code, kind and URL; never a key, a password or a token.
    *on_dropped* is told each request that is given up, and why.
    """

    def __init__(
        self,
        crawler: Crawler,
        on_dropped: Callable[[Request, str], None] = lambda _request, _reason: None,
    ) -> None:
        self._crawler = crawler
        self._on_dropped = on_dropped
        self._unknown: set[str] = set()
        self._is_unserializable_told = False
        self._without_proxy: set[tuple[str, bool]] = set()

    def detected(self, request: Request, captcha: Captcha) -> None:
        """A challenge page stands where the page of *request* should be."""
        self._count("detected", captcha.kind.value)
        self._log(logging.DEBUG, "Met a captcha (%(kind)s): %(request)s", request, captcha)

    def asked(self, request: Request, captcha: Captcha) -> None:
        """A spider asks for a solution of the captcha in a form."""
        self._inc("asked_count")
        self._log(logging.DEBUG, "Asked for a captcha (%(kind)s): %(request)s", request, captcha)

    def error(self, error: SolverError) -> None:
        """The service, or the way to it, gave an error; a later call may have made it good."""
        self._inc(f"error_count/{error.code.value}")
        if error.possibly_paid:
            self._inc("possibly_paid_count")
        unknown = error.provider_code if error.code is ErrorCode.UNKNOWN else None
        if unknown and unknown not in self._unknown and len(self._unknown) < _MOST_NAMES:
            self._unknown.add(unknown)
            self._log(
                logging.WARNING,
                "%(provider)s gave an error of an unknown name: %(unknown)s",
                error=error,
                unknown=unknown,
            )

    def outage(self, error: SolverError, patience: float) -> None:
        """The provider of *error* has stopped to answer: pages wait *patience* seconds for it."""
        self._log(
            logging.ERROR,
            "%(provider)s cannot be reached: %(error)s. Pages with captchas wait for it, "
            "for up to %(patience).0f s (CAPTCHA_OUTAGE_PATIENCE), where no other provider is left",
            error=error,
            patience=patience,
        )

    def recovered(self, provider: str, seconds: float) -> None:
        """*provider* answers again, after *seconds* without an answer."""
        self._log(
            logging.INFO,
            "%(at)s answers again, after %(seconds).0f s",
            at=provider,
            seconds=seconds,
        )

    def task(self, request: Request, captcha: Captcha, provider: str, task_id: str) -> None:
        """A task was bought; *task_id* as it may be shown, "" where it may not be."""
        self._inc("task_count")
        self._log(
            logging.DEBUG,
            "Captcha (%(kind)s) is task %(task)s at %(at)s: %(request)s",
            request,
            captcha,
            task=task_id or "-",
            at=provider,
        )

    def solved(self, request: Request, captcha: Captcha) -> None:
        """A solution came back."""
        self._inc("solved_count")
        self._log(logging.DEBUG, "Captcha (%(kind)s) solved: %(request)s", request, captcha)

    def accepted(self, request: Request) -> None:
        """The site gave the page for the solution."""
        self._inc("accepted_count")
        self._log(logging.DEBUG, "Solution accepted: %(request)s", request)

    def shared(self, request: Request) -> None:
        """The page came without a solution of its own, after one for another page."""
        self._inc("shared_count")
        self._log(logging.DEBUG, "Opened by the solution of another page: %(request)s", request)

    def rejected(self, request: Request, name: str) -> None:
        """The site shows *name*, a captcha or a wall, in spite of the solution."""
        self._inc("rejected_count")
        self._log(
            logging.INFO,
            "Solution rejected, the site shows %(name)s: %(request)s",
            request,
            name=name,
        )

    def balance(self, provider: str, balance: float) -> None:
        """The account at *provider* holds *balance*, in its own currency."""
        level, advice = logging.INFO, ""
        if balance <= 0:
            level, advice = logging.WARNING, f": {_ADVICE[ErrorCode.BALANCE_EMPTY]}"
        text = f"Balance at %(at)s: %(balance)s{advice}"
        self._log(level, text, at=provider, balance=round(balance, 6))

    def unknown_balance(self, error: SolverError) -> None:
        """A provider does not say what the account holds."""
        self._log(logging.INFO, "Balance at %(provider)s unknown: %(error)s", error=error)

    def reported(self) -> None:
        """The provider has taken note of what the site did with a solution."""
        self._inc("report_count")

    def wall(self, site: str) -> None:
        """*site* has rejected so many solutions that nothing is bought there for a while."""
        self._log(
            logging.WARNING,
            "%(site)s rejects every solution: nothing is bought there for ten minutes",
            site=site,
        )

    def undelivered(self, site: str) -> None:
        """So many solutions could not be sent to *site* that buying stops there for a while."""
        self._log(
            logging.WARNING,
            "Three solutions in a row could not be sent to %(site)s: nothing is bought there for "
            "ten minutes",
            site=site,
        )

    def no_cookies(self, site: str, lost_by: str) -> None:
        """*site* remembers no solution, since requests keep no cookies: *lost_by* says why."""
        self._log(
            logging.WARNING,
            "Two solutions have opened nothing at %(site)s, and %(lost_by)s: a site remembers a "
            "solution by a cookie. Nothing more is bought there",
            site=site,
            lost_by=lost_by,
        )

    def expired(self, captcha: Captcha) -> None:
        """A token was not sent while it was good, and never will be."""
        self._inc("expired_count")
        self._log(
            logging.INFO,
            "Solution (%(kind)s) not sent, older than CAPTCHA_TOKEN_LIFE",
            captcha=captcha,
        )

    def held(self, request: Request) -> None:
        """*request* waits for the captcha that it would only meet."""
        self._inc("held_count")
        self._log(logging.DEBUG, "Held back while its session is solved: %(request)s", request)

    def not_submitted(self, request: Request, error: Exception) -> None:
        """A solution could not be sent to the site."""
        self._inc("submission_error_count")
        self._log(
            logging.INFO,
            "Solution not sent, %(type)s: %(request)s",
            request,
            type=type(error).__name__,
        )

    def rescheduled(
        self, request: Request, captcha: Captcha, error: SolverError, delay: float
    ) -> None:
        """The page waits *delay* seconds before it is tried again."""
        self._count("reschedule", error.code.value)
        self._log(
            logging.INFO,
            "Captcha (%(kind)s) not solved by %(provider)s, trying again in %(delay).1f s: "
            "%(error)s: %(request)s",
            request,
            captcha,
            error,
            delay=delay,
        )

    def rotated(self, request: Request, captcha: Captcha, error: SolverError) -> None:
        """The page is fetched again through another proxy."""
        self._inc("proxy_rotation_count")
        self._log(
            logging.INFO,
            "Captcha (%(kind)s) not solved by %(provider)s, trying another proxy: "
            "%(error)s: %(request)s",
            request,
            captcha,
            error,
        )

    def proxy_failed(self, request: Request, proxy: str, why: str, *, is_out: bool) -> None:
        """A proxy of the pool has failed a download, for good where it *is_out*."""
        self._log(
            logging.ERROR if is_out else logging.INFO,
            "The proxy %(proxy)s is not used any more (%(why)s): %(request)s"
            if is_out
            else "The proxy %(proxy)s has failed and cools down (%(why)s): %(request)s",
            request,
            proxy=proxy,
            why=why,
        )

    def moved(self) -> None:
        """The page is fetched again through another proxy, as its own had failed."""
        self._inc("proxy_rotation_count")

    def rotated_before_paying(self, request: Request) -> None:
        """The page is fetched again through a proxy that draws fewer captchas."""
        self._inc("proxy_rotation_count")
        self._inc("rotated_before_paying_count")
        self._log(logging.DEBUG, "Trying a proxy with fewer captchas: %(request)s", request)

    def no_proxy(self, site: str, *, is_over: bool) -> None:
        """No proxy of the pool may be used for *site*, for good where it *is_over*; said once."""
        if (site, is_over) in self._without_proxy:
            return
        self._without_proxy.add((site, is_over))
        self._log(
            logging.WARNING,
            "CAPTCHA_PROXIES has no proxy left for %(site)s: CAPTCHA_ON_NO_PROXY says what becomes "
            "of its pages"
            if is_over
            else "All of CAPTCHA_PROXIES rest for %(site)s: more of them would help",
            site=site,
        )

    def stopped(self, error: SolverError) -> None:
        """Nothing is bought at the provider of *error* any more."""
        advice = f": {_ADVICE[error.code]}" if error.code in _ADVICE else ""
        self._log(
            logging.ERROR,
            f"Nothing more is bought at %(provider)s, %(error)s{advice}. "
            "Pages with captchas are dropped where no other provider is left",
            error=error,
        )

    def dropped(
        self,
        request: Request,
        reason: str,
        captcha: Captcha | None = None,
        error: SolverError | None = None,
    ) -> None:
        """The page is given up."""
        self._count("dropped", reason)
        self._on_dropped(request, reason)
        said = "%(provider)s: %(error)s" if error else "%(meaning)s"
        kind = " (%(kind)s)" if captcha else ""
        self._log(
            logging.WARNING,
            f"Dropped for its captcha{kind}, %(reason)s ({said}): %(request)s",
            request,
            captcha,
            error,
            reason=reason,
            meaning=_meaning(reason),
        )

    def passed(self, request: Request, reason: str) -> None:
        """The captcha page itself goes to the spider, as ``CAPTCHA_ON_GIVE_UP`` says."""
        self._count("passed", reason)
        self._log(
            logging.WARNING,
            "Passed on with its captcha, %(reason)s (%(meaning)s): %(request)s",
            request,
            reason=reason,
            meaning=_meaning(reason),
        )

    def blocked(self, request: Request, name: str) -> None:
        """A bot wall without anything to solve stands where the page should be."""
        self._inc(f"blocked_count/{name}")
        self._log(logging.INFO, "Blocked by %(name)s: %(request)s", request, name=name)

    def not_followed(self, request: Request, host: str) -> None:
        """After a solution the site redirects *request* to *host*, which is not its own."""
        self._log(
            logging.INFO,
            "Not followed to %(host)s, outside allowed_domains or the site of the captcha: "
            "%(request)s",
            request,
            host=host,
        )

    def without_rules(self, request: Request, name: str) -> None:
        """*name*, a captcha or a wall, stands instead of the robots.txt that *request* is for."""
        self._inc("robots_txt_count")
        self._log(
            logging.WARNING,
            "robots.txt counts as unreachable, the site shows %(name)s: %(request)s",
            request,
            name=name,
        )

    def unjudged(self, request: Request, bound: str) -> None:
        """The page may be a captcha, but was not read for it: it is past the *bound*."""
        self._inc("unjudged_count")
        self._log(
            logging.INFO,
            "Not searched for a captcha, for its %(bound)s: %(request)s",
            request,
            bound=bound,
        )

    def unserializable(self, request: Request, error: Exception) -> None:
        """A page that waits cannot be written to the job directory; the first is named."""
        if not self._is_unserializable_told:
            self._is_unserializable_told = True
            self._log(
                logging.WARNING,
                "Cannot be written to JOBDIR, and is lost if the crawl stops while it waits for "
                "its captcha (others are counted only): %(request)s: %(reason)s",
                request,
                reason=error,
            )
        self._inc("unserializable_count")

    def spent(self, total: Row) -> None:
        """*total* is what the crawl has come to."""
        self._set("spent", amount(total.money))
        if total.per_accepted is not None:
            self._set("cost_per_accepted", amount(total.per_accepted))

    def ended(self, fate: Fate, total: Row) -> None:
        """What was bought has come to its *fate*."""
        if fate in _UNTOLD:
            self._inc(f"{fate.value}_count")
        self.spent(total)

    def site(self, site: str, row: Row) -> None:
        """*row* is what the crawl has come to at *site*."""
        self._set(f"site/{site}/met_count", row.met)
        self._set(f"site/{site}/task_count", row.bought)
        self._set(f"site/{site}/accepted_count", row.accepted)
        self._set(f"site/{site}/rejected_count", row.rejected)
        self._set(f"site/{site}/spent", amount(row.money))

    def limited(self, reason: str, where: str) -> None:
        """Nothing more is bought, *where* there is a limit; said once for each."""
        self._log(
            logging.WARNING,
            "Nothing more is bought %(where)s, %(reason)s: pages with captchas are dropped",
            reason=reason,
            where=where,
        )

    def parked(self, count: int) -> None:
        """*count* requests are parked now."""
        self._crawler.stats.max_value("captcha/parked_max", count)

    def lost(self, count: int) -> None:
        """*count* pages waited when the crawl ended, and no other run will have them."""
        self._crawler.stats.inc_value("captcha/lost_count", count)

    def abandoned(self, count: int, money: Micros) -> None:
        """*count* tasks that may have been paid, for *money*, are not collected any more."""
        self._crawler.stats.inc_value("captcha/abandoned_count", count)
        self._log(
            logging.WARNING,
            "%(count)d tasks that were paid for are abandoned as the crawl ends, %(money)s: set "
            "JOBDIR to a directory, and the next run collects them",
            count=count,
            money=shown(money),
        )

    def _count(self, what: str, detail: str) -> None:
        self._inc(f"{what}_count")
        self._inc(f"{what}_count/{detail}")

    def _set(self, name: str, value: float) -> None:
        self._crawler.stats.set_value(f"captcha/{printable(name)}", value)

    def _inc(self, name: str) -> None:
        self._crawler.stats.inc_value(f"captcha/{printable(name)}")

    def _log(
        self,
        level: int,
        message: str,
        request: Request | None = None,
        captcha: Captcha | None = None,
        error: SolverError | None = None,
        **more: Any,
    ) -> None:
        words = {
            "request": request,
            "kind": captcha and captcha.kind.value,
            "provider": error and error.provider,
            "error": error,
            **more,
        }
        words = {name: _shown(value) for name, value in words.items()}
        logger.log(level, message, words, extra={"spider": self._crawler.spider})


def _shown(value: object) -> object:
    """*value* for the log: numbers as they are, all else without what a terminal would obey."""
    return value if isinstance(value, int | float) else printable(str(value))


def _meaning(reason: str) -> str:
    if reason in ErrorCode.__members__:
        return ERRORS[ErrorCode(reason)].meaning
    return REASONS.get(reason, "a bot wall")
