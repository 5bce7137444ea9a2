"""The non-blocking client of one solver service."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import deferLater

from scrapy_captcha.clock import CLOCK
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.policy import Attempts, Policy, Reschedule
from scrapy_captcha.providers import Order, Provider
from scrapy_captcha.solver.admission import Admission
from scrapy_captcha.solver.breaker import changes_nothing
from scrapy_captcha.solver.caller import Caller
from scrapy_captcha.solver.outages import Outages
from scrapy_captcha.solver.purchaser import Purchaser
from scrapy_captcha.solver.redaction import secrets_of
from scrapy_captcha.solver.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from scrapy_captcha.models import Captcha, Kind, Solution
    from scrapy_captcha.providers import Body, Call, TaskId

_T = TypeVar("_T")


class SolverClient:
    """Buys solutions at one provider; all times in seconds.

    At most *concurrent_solves* purchases run at once, the others queue in order. *on_error* is
    called with each error of the service or the network, even if a later poll succeeds. Needs a
    running reactor. The Deferreds that it returns can be cancelled. Raises TypeError if *provider*
    is no provider, ValueError if *api_url* is no HTTP URL.
    """

    def __init__(
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
        outages: Outages | None = None,
    ) -> None:
        outages = outages or Outages()
        self.provider = provider
        self._caller = Caller(
            provider,
            api_url,
            api_key,
            timeout=http_timeout,
            connections=concurrent_solves,
            on_error=on_error,
            outages=outages,
        )
        _refuse_misuse(provider, api_url)
        self._policy = policy or Policy()
        self._throttle = Throttle(
            concurrent_solves, has_rivals=outages.has_rivals, patience=outages.patience
        )
        self._admission = Admission(self._throttle, CLOCK)
        self._purchaser = Purchaser(
            self._caller,
            self._throttle,
            self._admission,
            self._policy,
            timeout=solve_timeout,
            has_rivals=outages.has_rivals,
        )
        self._under_way: set[Deferred[Any]] = set()

    def __repr__(self) -> str:
        return f"<SolverClient {self.provider.name} at {self._caller.api_url}>"

    @property
    def refusal(self) -> SolverError | None:
        """The error with which purchases fail without a call; None if the service may be called."""
        return self._throttle.refusal(time.monotonic())

    @property
    def is_stopped(self) -> bool:
        """Whether buying has stopped for good."""
        return self._throttle.is_stopped

    @property
    def delay(self) -> float:
        """The seconds for which no purchase may start."""
        return self._throttle.wait(time.monotonic())

    @property
    def is_open(self) -> bool:
        """Whether a purchase may start now, or as soon as others have ended."""
        return self.delay == 0 and not self._throttle.is_crowded()

    @property
    def is_free(self) -> bool:
        """Whether a purchase may start now."""
        return self.delay == 0 and self._throttle.has_room() and not self._admission

    def was_out_since(self, at: float) -> bool:
        """Whether an outage has ended after *at*, a time of the monotonic clock."""
        return self._throttle.outage_ended_at > at

    def enter(self, site: str = "") -> Deferred[bool]:
        """Queues for a `purchase`: fires with True when it may start, with False if it may not.

        Each True requires one `leave`. Cancelling it gives up the place in the queue. If purchases
        for several sites wait, the sites take turns.
        """
        return self._admission.enter(site)

    def leave(self) -> None:
        """Ends a purchase that has entered."""
        self._admission.leave()

    def buy(
        self, order: Order, on_task: Callable[[TaskId], None] = lambda _id: None
    ) -> Deferred[Solution]:
        """One purchase, queued until the provider may be called. Fails with SolverError.

        *on_task* is called once, with the id of the task as soon as there is one.
        """
        return self._start(self._buy(order, on_task))

    def purchase(
        self, order: Order, on_task: Callable[[TaskId], None] = lambda _id: None
    ) -> Deferred[Solution]:
        """As `buy`, for a purchase that has entered already."""
        return self._start(self._purchaser.purchase(order, on_task))

    def plain(self, task_id: TaskId, order: Order) -> str:
        """*task_id* as it may be logged: "" if it contains the key or a secret of *order*."""
        return self._caller.plain(str(task_id), secrets_of(order))

    def solve(self, captcha: Captcha, **order: Any) -> Deferred[Solution]:
        """A solution of *captcha*, with the retries and delays of the policy.

        Further arguments are those of `Order`. Fails with the SolverError of the last attempt.
        """
        return self._start(self._solve(captcha, order))

    def stop(self, error: SolverError) -> None:
        """Stops buying for good; all further purchases fail with *error*.

        Tasks under way are collected, unless *error* means that the account is closed.
        """
        self._purchaser.stop_buying(error)

    def report(self, task_id: TaskId, kind: Kind, *, accepted: bool) -> Deferred[bool]:
        """Reports a solution to the provider as accepted or not, if it takes reports.

        Fires with whether the provider has taken the report; never fails.
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
        self._admission.cancel_timers()
        return self._caller.close_connections()

    def _start(self, coroutine: Coroutine[Deferred[Any], Any, _T]) -> Deferred[_T]:
        return self._remembered(Deferred.fromCoroutine(coroutine))

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
            return await self._purchaser.purchase(order, on_task)
        finally:
            self.leave()


def _refuse_misuse(provider: object, api_url: str) -> None:
    if not isinstance(provider, Provider):
        raise TypeError(
            f"provider={provider!r}: give an instance, such as Unified(poll_interval=3)"
        )
    if not api_url.startswith(("https://", "http://")):
        shown = api_url.rpartition("@")[2]
        raise ValueError(
            f"api_url={shown!r}: write the base URL of the API, such as https://api.example.com"
        )


def new_purchase_id() -> str:
    """A unique id for one purchase."""
    return uuid4().hex
