"""Makes single purchases at one provider, and learns from how they end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from twisted.python.failure import Failure

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.policy import Attempts, Drop, Reschedule, StopBuying
from scrapy_captcha.solver.breaker import is_closed, is_failure, is_outage
from scrapy_captcha.solver.redaction import secrets_of
from scrapy_captcha.solver.tracking import TrackedPurchase

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from scrapy_captcha.models import Captcha, Solution
    from scrapy_captcha.policy import Policy
    from scrapy_captcha.providers import Order, TaskId
    from scrapy_captcha.solver.admission import Admission
    from scrapy_captcha.solver.caller import Caller
    from scrapy_captcha.solver.throttle import Throttle

_MOST_KEYS = 10_000  # site keys whose refusal is remembered

# A site key that is refused for a site is refused for the whole crawl.
_LASTING = frozenset({ErrorCode.PROVIDER_SITEKEY, ErrorCode.PROVIDER_DOMAIN})


class Purchaser:
    """Makes purchases that *admission* has let in; each takes *timeout* seconds at most.

    *throttle* learns from each error. With *has_rivals*, purchases that wait are turned away as
    soon as the service backs off.
    """

    def __init__(
        self,
        caller: Caller,
        throttle: Throttle,
        admission: Admission,
        policy: Policy,
        *,
        timeout: float,
        has_rivals: bool,
    ) -> None:
        self._caller = caller
        self._throttle = throttle
        self._admission = admission
        self._policy = policy
        self._timeout = timeout
        self._has_rivals = has_rivals
        self._hopeless: Bounded[SolverError] = Bounded(_MOST_KEYS)
        self._driven: set[Deferred[Solution]] = set()

    async def purchase(self, order: Order, on_task: Callable[[TaskId], None]) -> Solution:
        """The solution; raises SolverError. *on_task* is called once, with the id of the task."""
        try:
            self._refuse_hopeless(order.captcha)
            await self._probe()
            solution = await self._until_deadline(order, on_task)
        except SolverError as error:
            self._learn(order.captcha, error)
            raise
        else:
            self._throttle.went_well(time.monotonic())
            return solution

    def stop_buying(self, error: SolverError) -> None:
        """Buys nothing more, as `SolverClient.stop` says."""
        self._throttle.stop(error)
        self._admission.turn_away()
        if is_closed(error):
            driven, self._driven = self._driven, set()
            for deferred in driven:
                CLOCK.callLater(0, deferred.cancel)  # not inside the end of another purchase

    async def _probe(self) -> None:
        """Finds out by a call that costs nothing whether a purchase would be answered."""
        if not self._throttle.is_to_be_probed:
            return
        await self._caller.probe(self._caller.provider.probe())
        self._throttle.was_reached()
        if self._throttle.stopped is not None:
            raise self._throttle.stopped.again()

    def _until_deadline(
        self, order: Order, on_task: Callable[[TaskId], None]
    ) -> Deferred[Solution]:
        tracked = TrackedPurchase(self._caller.provider.name, on_task)

        def timed_out(_result: object, _timeout: float) -> Failure:
            error = tracked.late()
            self._caller.on_error(error)
            return Failure(error)

        def ended(result: Solution | Failure) -> Solution | Failure:
            if deferred in self._driven:
                self._driven.discard(deferred)
                return result
            return Failure(self._closed(tracked)) if isinstance(result, Failure) else result

        deferred = self._caller.drive(
            self._caller.provider.solve(order), secrets_of(order), tracked.asks, tracked.heard
        ).addCallback(tracked.solved)
        deferred.addTimeout(self._timeout, CLOCK, onTimeoutCancel=timed_out)
        self._driven.add(deferred)
        return deferred.addBoth(ended)

    def _closed(self, tracked: TrackedPurchase) -> SolverError:
        """For a purchase that was ended, or never begun, because the account is closed."""
        assert self._throttle.stopped is not None  # noqa: S101 - that has ended it
        return tracked.ended_by(self._throttle.stopped.again())

    def _refuse_hopeless(self, captcha: Captcha) -> None:
        known = self._hopeless.get(_place(captcha))
        if known is not None:
            raise known.again()

    def _learn(self, captcha: Captcha, error: SolverError) -> None:
        if error.refused:
            return
        now = time.monotonic()
        if is_failure(error):
            is_alone = not (self._throttle.is_failing or self._caller.is_in_doubt)
            error.in_outage = is_outage(error) and not is_alone
            if self._throttle.failed(error, now):
                self._turn_away()
        elif error.code is not ErrorCode.TIMEOUT:
            self._throttle.service_answered(now)
        match self._policy.decide(error, Attempts(), jitter=0.5):
            case Drop() if error.code in _LASTING:
                self._hopeless.put(_place(captcha), error.again())
            case StopBuying():
                self.stop_buying(error)
            case Reschedule(delay, holds_all=True):
                self._throttle.back_off(time.monotonic() + delay)
                self._turn_away()

    def _turn_away(self) -> None:
        is_refused = self._throttle.refusal(time.monotonic()) is not None
        if self._has_rivals or is_refused:
            self._admission.turn_away()


def _place(captcha: Captcha) -> tuple[str | None, str | None]:
    return urlsplit(captcha.url).hostname, captcha.site_key
