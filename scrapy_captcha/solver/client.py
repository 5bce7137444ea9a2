"""The non-blocking client of one solver service: when it is asked, and what is learned from it."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.policy import Attempts, Drop, Policy, Reschedule, StopBuying
from scrapy_captcha.providers import Order, Provider
from scrapy_captcha.solver.admission import Admission
from scrapy_captcha.solver.breaker import changes_nothing, is_closed, is_failure, is_outage
from scrapy_captcha.solver.caller import Caller
from scrapy_captcha.solver.throttle import PATIENCE, Throttle
from scrapy_captcha.solver.tracking import TrackedPurchase

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from scrapy_captcha.models import Captcha, Kind, Solution
    from scrapy_captcha.providers import Body, Call, TaskId

_T = TypeVar("_T")

_MOST_KEYS = 10_000  # site keys whose refusal is remembered

# What is said about a site key at a site holds for as long as anybody asks.
_LASTING = frozenset({ErrorCode.PROVIDER_SITEKEY, ErrorCode.PROVIDER_DOMAIN})


class SolverClient:
    """Buys solutions at one provider; all times in seconds.

    At most *concurrent_solves* purchases run at once, the others queue in order. *on_error* is
    called with each error that the service or the network gave, those included that a repeated poll
    made good; *on_outage* with the error at which an outage begins, *on_recovery* with the seconds
    that it has taken. Purchases wait for a service that does not answer, for *outage_patience*.
    With *has_rivals* nobody waits while the service wants to be left alone, but all are
    turned away. Needs a running reactor. Deferreds that it returns can be cancelled. Raises
    TypeError or ValueError for a provider or an URL that cannot be meant.
    """

    def __init__(  # noqa: PLR0913 - options that are given by name
        self,
        provider: Provider,
        *,
        api_url: str,
        api_key: str,
        policy: Policy | None = None,
        http_timeout: float = 20.0,
        solve_timeout: float = 180.0,
        concurrent_solves: int = 16,
        on_error: Callable[[SolverError], None] = lambda _error: None,
        has_rivals: bool = False,
        outage_patience: float = PATIENCE,
        on_outage: Callable[[SolverError], None] = lambda _error: None,
        on_recovery: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self.provider = provider
        self._caller = Caller(
            provider,
            api_url,
            api_key,
            timeout=http_timeout,
            connections=concurrent_solves,
            on_error=on_error,
            on_outage=on_outage,
            on_recovery=on_recovery,
        )
        _refuse_misuse(provider, api_url)
        self._policy = policy or Policy()
        self._solve_timeout = solve_timeout
        self._on_error = on_error
        self._has_rivals = has_rivals
        self._hopeless: Bounded[SolverError] = Bounded(_MOST_KEYS)
        self._throttle = Throttle(
            concurrent_solves, has_rivals=has_rivals, patience=outage_patience
        )
        self._admission = Admission(self._throttle, CLOCK)
        self._under_way: set[Deferred[Any]] = set()
        self._driven: set[Deferred[Solution]] = set()

    def __repr__(self) -> str:
        return f"<SolverClient {self.provider.name} at {self._caller.api_url}>"

    @property
    def refusal(self) -> SolverError | None:
        """With what a purchase fails without asking the service, None when that may be asked."""
        return self._throttle.refusal(time.monotonic())

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is bought any more."""
        return self._throttle.is_stopped

    @property
    def shut_for(self) -> float:
        """Seconds for which the service wants to be left alone."""
        return self._throttle.wait(time.monotonic())

    @property
    def is_open(self) -> bool:
        """Whether a purchase may be made now, or once those have ended that usually go before."""
        return self.shut_for == 0 and not self._throttle.is_crowded()

    @property
    def is_free(self) -> bool:
        """Whether a purchase may be made now."""
        return self.shut_for == 0 and self._throttle.has_room() and not self._admission

    def was_out_since(self, at: float) -> bool:
        """Whether an outage has ended after *at*, a time of the monotonic clock."""
        return self._throttle.was_shut_until > at

    def enter(self, site: str = "") -> Deferred[bool]:
        """Queues for a `purchase`: fires with True when it may start, with False when it may not.

        Every True wants one `leave`. Cancelling it gives the place in the queue up. Where
        purchases for several sites wait, the sites take turns.
        """
        return self._admission.enter(site)

    def leave(self) -> None:
        """Whoever has entered is through with it."""
        self._admission.leave()

    def buy(
        self, order: Order, on_task: Callable[[TaskId], None] = lambda _id: None
    ) -> Deferred[Solution]:
        """One purchase, queued until the provider may be asked. Fails with SolverError.

        *on_task* is told the id of the task, once, as soon as there is one.
        """
        return self._start(self._buy(order, on_task))

    def purchase(
        self, order: Order, on_task: Callable[[TaskId], None] = lambda _id: None
    ) -> Deferred[Solution]:
        """One purchase for somebody who has entered; else as `buy`."""
        return self._start(self._purchase(order, on_task))

    def plain(self, task_id: TaskId, order: Order) -> str:
        """*task_id* as it may be logged: "" where it repeats the key or a secret of *order*."""
        return self._caller.plain(str(task_id), _secrets(order))

    def solve(self, captcha: Captcha, **order: Any) -> Deferred[Solution]:
        """A solution of *captcha*: buys as often as the policy allows, waiting as it says.

        Further arguments are those of `Order`. Fails with SolverError, the last one.
        """
        return self._start(self._solve(captcha, order))

    def stop(self, error: SolverError) -> None:
        """Buys nothing more; every purchase from now on fails as *error* did.

        What is under way goes on to be collected, unless *error* says that the account is closed.
        """
        self._throttle.stop(error)
        self._admission.turn_away()
        if is_closed(error):
            driven, self._driven = self._driven, set()
            for deferred in driven:
                CLOCK.callLater(0, deferred.cancel)  # not inside the end of another purchase

    def report(self, task_id: TaskId, kind: Kind, *, accepted: bool) -> Deferred[bool]:
        """Tells the provider what the site did with a solution, where it wants to know.

        Fires with whether it has taken note; never fails.
        """
        flow = self.provider.report(task_id, kind, accepted=accepted)
        if flow is None or self.is_stopped:
            return succeed(False)
        return self._start(self._report(flow))

    async def _report(self, flow: Generator[Call, Body, bool]) -> bool:
        with suppress(SolverError, CancelledError):
            return await self._caller.drive(flow)
        return False

    def balance(self) -> Deferred[float]:
        """The account's balance in its own currency. Fails with SolverError."""
        return self._remembered(self._caller.drive(self.provider.balance()))

    def close(self) -> Deferred[None]:
        """Cancels all that is under way and closes the connections."""
        for deferred in list(self._under_way):
            deferred.cancel()
        self._admission.close()
        return self._caller.close()

    def _start(self, story: Coroutine[Deferred[Any], Any, _T]) -> Deferred[_T]:
        return self._remembered(Deferred.fromCoroutine(story))

    def _remembered(self, deferred: Deferred[_T]) -> Deferred[_T]:
        self._under_way.add(deferred)
        deferred.addBoth(self._forget, deferred)
        return deferred

    def _forget(self, result: _T, deferred: Deferred[Any]) -> _T:
        self._under_way.discard(deferred)
        return result

    async def _solve(self, captcha: Captcha, order: dict[str, Any]) -> Solution:
        attempts, purchase_id = Attempts(), new_purchase_id()
        while True:
            try:
                return await self._buy(Order(captcha, purchase_id, **order))
            except SolverError as error:
                decision = self._policy.decide(error, attempts, jitter=random.random())
                if not isinstance(decision, Reschedule):
                    raise
                attempts = attempts.after(error)
                if not changes_nothing(error):
                    is_late = error.code is ErrorCode.TIMEOUT
                    order["task_id"] = error.task_id if is_late else None
                    purchase_id = purchase_id if error.possibly_paid else new_purchase_id()
                await deferLater(CLOCK, decision.delay)

    async def _buy(
        self, order: Order, on_task: Callable[[TaskId], None] = lambda _id: None
    ) -> Solution:
        may_start = False
        while not may_start:
            if self.refusal is not None:
                raise self.refusal.again()
            may_start = await self.enter()
        try:
            return await self._purchase(order, on_task)
        finally:
            self.leave()

    async def _purchase(self, order: Order, on_task: Callable[[TaskId], None]) -> Solution:
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

    async def _probe(self) -> None:
        """Finds out by a call that costs nothing whether a purchase would be answered."""
        if not self._throttle.is_to_be_probed:
            return
        await self._caller.probe(self.provider.probe())
        self._throttle.was_reached()
        if self._throttle.stopped is not None:
            raise self._throttle.stopped.again()

    def _until_deadline(
        self, order: Order, on_task: Callable[[TaskId], None]
    ) -> Deferred[Solution]:
        errand = TrackedPurchase(self.provider.name, on_task)

        def timed_out(_result: object, _timeout: float) -> Failure:
            error = errand.late()
            self._on_error(error)
            return Failure(error)

        def ended(result: Solution | Failure) -> Solution | Failure:
            if deferred in self._driven:
                self._driven.discard(deferred)
                return result
            return Failure(self._closed(errand)) if isinstance(result, Failure) else result

        deferred = self._caller.drive(
            self.provider.solve(order), _secrets(order), errand.asks, errand.heard
        ).addCallback(errand.solved)
        deferred.addTimeout(self._solve_timeout, CLOCK, onTimeoutCancel=timed_out)
        self._driven.add(deferred)
        return deferred.addBoth(ended)

    def _closed(self, errand: TrackedPurchase) -> SolverError:
        """For an *errand* that was ended, or never begun, as the account is closed."""
        assert self._throttle.stopped is not None  # noqa: S101 - that has ended it
        return errand.ended_by(self._throttle.stopped.again())

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
                self._was_shut()
        elif error.code is not ErrorCode.TIMEOUT:
            self._throttle.answered(now)
        match self._policy.decide(error, Attempts(), jitter=0.5):
            case Drop() if error.code in _LASTING:
                self._hopeless.put(_place(captcha), error.again())
            case StopBuying():
                self.stop(error)
            case Reschedule(delay, shut=True):
                self._throttle.shut(time.monotonic() + delay)
                self._was_shut()

    def _was_shut(self) -> None:
        if self._has_rivals or self.refusal is not None:
            self._admission.turn_away()


def _refuse_misuse(provider: object, api_url: str) -> None:
    if not isinstance(provider, Provider):
        raise TypeError(
            f"provider={provider!r}: give one that is made, as Unified(poll_interval=3)"
        )
    if not api_url.startswith(("https://", "http://")):
        shown = api_url.rpartition("@")[2]
        raise ValueError(
            f"api_url={shown!r}: write the base URL of the API, such as https://api.example.com"
        )


def new_purchase_id() -> str:
    """A name for one purchase that nobody else has."""
    return uuid4().hex


def _place(captcha: Captcha) -> tuple[str | None, str | None]:
    return urlsplit(captcha.url).hostname, captcha.site_key


def _secrets(order: Order) -> tuple[str, ...]:
    proxy = (order.proxy.username, order.proxy.password) if order.proxy else ()
    values = (part.partition("=")[2].strip() for part in order.cookies.split(";"))
    return (*proxy, order.cookies, *values)
