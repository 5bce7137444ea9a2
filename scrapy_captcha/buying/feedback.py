"""What the services hear of their solutions, where they take reports."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import DeferredList

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.buying.verdicts import Verdicts, is_about_solution
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.events import VerdictReported
from scrapy_captcha.requests import site_of
from scrapy_captcha.sessions.identities import seen_as

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from scrapy.http import Request, Response
    from twisted.internet.defer import Deferred

    from scrapy_captcha.models import Captcha, Solution
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.solver.client import SolverClient
    from scrapy_captcha.solver.ranking import Ranking


_KEPT = 10_000  # solutions of which the site has not said anything yet
_LAST_REPORTS = 1.0  # seconds for which the end of a crawl waits for reports


@dataclass(slots=True)
class _Sale:
    """A solution on its way.

    *seen* are the browsers and proxies that the site has seen on it, *retries* is how often the
    page had been retried before. *has_verdict*: the answer to the submission says all.
    """

    client: SolverClient
    captcha: Captcha
    solution: Solution
    at: float
    retries: object
    seen: set[Hashable] = field(default_factory=set)
    has_verdict: bool = False

    @property
    def place(self) -> Hashable:
        """The site and the kind, which take solutions in one way."""
        return site_of(urlsplit(self.captcha.url).hostname or ""), self.captcha.kind


class Feedback:
    """Reports to the services, each solution once: accepted, or rejected where that is about it.

    *cookies_for* tells which cookies are sent along with a request.
    """

    def __init__(
        self,
        ranking: Ranking,
        events: Events,
        cookies_for: Callable[[Request], bytes],
    ) -> None:
        self.ranking = ranking
        self._events = events
        self._cookies_for = cookies_for
        self._sold: Bounded[_Sale] = Bounded(_KEPT)
        self._verdicts: Verdicts[_Sale] = Verdicts()
        self._reports: set[Deferred[bool]] = set()

    def solved(
        self, name: str, captcha: Captcha, solution: Solution, client: SolverClient, ticket: Request
    ) -> None:
        """*client* has brought *solution*, which is *name* from now on, for *ticket*."""
        self.ranking.solved(client.provider.name, captcha.kind, solution.cost)
        sale = _Sale(client, captcha, solution, time.monotonic(), _retries(ticket))
        sale.seen.add(seen_as(ticket, solution.user_agent or ""))
        self._sold.put(name, sale)

    def sent(self, name: str, answer: Response, has_verdict: bool) -> None:
        """*answer* came for the submission of *name*; *has_verdict*: no other answer will."""
        sale = self._sold.get(name)
        if sale is not None and answer.request is not None:
            sale.seen.add(seen_as(answer.request))
            sale.has_verdict = has_verdict
            if not is_about_solution(answer.status, sale.seen):
                self.not_judged(name)

    def not_judged(self, name: str) -> None:
        """What the site did with the solution *name* says nothing about it."""
        self._sold.pop(name)

    def accepted(self, name: str, *, is_first: bool = False) -> None:
        """The site has accepted the solution *name*, which *is_first* for its page."""
        sale = self._sold.pop(name)
        if sale is not None:
            self._verdicts.accepted(sale.place, is_first=is_first)
            self._judged(sale, accepted=True)
            self._report(sale, accepted=True)

    def rejected(self, name: str, request: Request, status: int) -> None:
        """The site shows a captcha again, with *status*, in spite of *name*, for *request*.

        Its service hears of it only where that is certain to be about the solution.
        """
        sale = self._sold.pop(name)
        if sale is None or not self._is_about(sale, request, status):
            return
        self._judged(sale, accepted=False)
        for one in self._verdicts.rejected(sale.place, sale):
            self._report(one, accepted=False)

    async def close(self) -> None:
        """Gives the reports that are under way a second to arrive."""
        if self._reports:
            arrived = DeferredList(self._reports).addTimeout(_LAST_REPORTS, CLOCK)
            await maybe_deferred_to_future(arrived)

    def _is_about(self, sale: _Sale, request: Request, status: int) -> bool:
        if not sale.has_verdict:  # the request of the page depends on what the site remembers
            if _retries(request) != sale.retries or not self._cookies_for(request):
                return False
            sale.seen.add(seen_as(request))
        return is_about_solution(status, sale.seen)

    def _judged(self, sale: _Sale, *, accepted: bool) -> None:
        self.ranking.judged(sale.client.provider.name, sale.captcha.kind, accepted=accepted)

    def _report(self, sale: _Sale, *, accepted: bool) -> None:
        task_id, window = sale.solution.task_id, sale.client.provider.report_window
        is_late = window is not None and time.monotonic() - sale.at > window
        if task_id is None or is_late:
            return
        report = sale.client.report(task_id, sale.captcha.kind, accepted=accepted)
        self._reports.add(report)
        report.addCallback(self._reported, report)

    def _reported(self, noted: bool, report: Deferred[bool]) -> None:
        self._reports.discard(report)
        if noted:
            self._events.publish(VerdictReported())


def _retries(request: Request) -> object:
    """How often Scrapy has sent *request* again after an error; others may have put it there."""
    return request.meta.get("retry_times")
