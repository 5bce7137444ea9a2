"""The non-blocking client of one solver service: when it is asked, and what is learned from it."""

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
        return self._start(self._purchaser.purchase(order, on_task))

    def plain(self, task_id: TaskId, order: Order) -> str:
        """*task_id* as it may be logged: "" where it repeats the key or a secret of *order*."""
        return self._caller.plain(str(task_id), secrets_of(order))

    def solve(self, captcha: Captcha, **order: Any) -> Deferred[Solution]:
        """A solution of *captcha*: buys as often as the policy allows, waiting as it says.

        Further arguments are those of `Order`. Fails with SolverError, the last one.
        """
        return self._start(self._solve(captcha, order))

    def stop(self, error: SolverError) -> None:
        """Buys nothing more; every purchase from now on fails as *error* did.

        What is under way goes on to be collected, unless *error* says that the account is closed.
        """
        self._purchaser.stop(error)

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
            return await self._purchaser.purchase(order, on_task)
        finally:
            self.leave()


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
