"""Reports solutions to the services that take reports."""

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


_KEPT = 10_000  # solutions that the site has not judged yet
_LAST_REPORTS = 1.0  # seconds that the end of a crawl waits for reports


@dataclass(slots=True)
class _Sale:
    """A solution whose outcome is not known yet.

    *seen*: the browsers and proxies that the site has seen; *retries*: how often the page had been
    retried before; *has_verdict*: whether the answer to the submission decides.
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
        """The site and the kind, for which solutions are handled alike."""
        return site_of(urlsplit(self.captcha.url).hostname or ""), self.captcha.kind


class Feedback:
    """Reports each solution to its service once, as accepted, or as rejected if that is certain.

    *cookies_for* returns the cookies that are sent with a request.
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
        """Notes *solution* of *client* for *ticket*, under *name*."""
        self.ranking.learn_price(client.provider.name, captcha.kind, solution.cost)
        sale = _Sale(client, captcha, solution, time.monotonic(), _retries(ticket))
        sale.seen.add(seen_as(ticket, solution.user_agent or ""))
        self._sold.put(name, sale)

    def sent(self, name: str, answer: Response, has_verdict: bool) -> None:
        """Notes *answer* to the submission of *name*; with *has_verdict*, no other answer comes."""
        sale = self._sold.get(name)
        if sale is not None and answer.request is not None:
            sale.seen.add(seen_as(answer.request))
            sale.has_verdict = has_verdict
            if not is_about_solution(answer.status, sale.seen):
                self.not_judged(name)

    def not_judged(self, name: str) -> None:
        """Forgets the solution *name*, which the site has not judged."""
        self._sold.pop(name)

    def accepted(self, name: str, *, is_first: bool = False) -> None:
        """Reports the solution *name* as accepted; *is_first*: whether it is its page's first."""
        sale = self._sold.pop(name)
        if sale is not None:
            self._verdicts.prove(sale.place, is_first=is_first)
            self._judged(sale, accepted=True)
            self._report(sale, accepted=True)

    def rejected(self, name: str, request: Request, status: int) -> None:
        """Notes that *request*, sent with the solution *name*, got a captcha again, with *status*.

        It is reported only if the solution is certain to be the cause.
        """
        sale = self._sold.pop(name)
        if sale is None or not self._is_about(sale, request, status):
            return
        self._judged(sale, accepted=False)
        for one in self._verdicts.reportable(sale.place, sale):
            self._report(one, accepted=False)

    async def until_reported(self) -> None:
        """Waits up to a second for the reports that are under way."""
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
    """The ``retry_times`` of *request*, which any component may have set."""
    return request.meta.get("retry_times")
