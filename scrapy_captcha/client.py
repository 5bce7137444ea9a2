"""The non-blocking client: drives a provider's conversation over treq.

Knows the API key and lets it out into request bodies only.
"""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit
from uuid import uuid4

from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers

from scrapy_captcha.admission import Admission
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.gate import Gate
from scrapy_captcha.policy import Attempts, Drop, Policy, Reschedule, StopBuying
from scrapy_captcha.providers import Order, Reply
from scrapy_captcha.scrub import scrub
from scrapy_captcha.transport import NETWORK_FAILURES, PlainAgent, network_error, read_body

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable

    from twisted.internet.interfaces import IReactorTime

    from scrapy_captcha.captchas import Captcha, Solution
    from scrapy_captcha.providers import Body, Call, Provider, TaskId

_T = TypeVar("_T")

# What is said about a site key at a site holds for as long as anybody asks.
_LASTING = frozenset({ErrorCode.PROVIDER_SITEKEY, ErrorCode.PROVIDER_DOMAIN})


class SolverClient:
    """Buys solutions at one provider; all times in seconds.

    At most *concurrent_solves* purchases run at once, the others queue in order. *on_error* is
    called with each error that the service or the network gave, those included that a repeated poll
    made good. Needs a running reactor. Deferreds that it returns can be cancelled.
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
    ) -> None:
        from twisted.internet import reactor

        self.provider = provider
        self._api_url = api_url.rstrip("/")
        self._api_key = api_key
        self._policy = policy or Policy()
        self._http_timeout = http_timeout
        self._solve_timeout = solve_timeout
        self._on_error = on_error
        self._clock = cast("IReactorTime", reactor)
        self._pool = HTTPConnectionPool(reactor)
        self._pool.maxPersistentPerHost = concurrent_solves
        self._pool.retryAutomatically = False
        agent = Agent(reactor, connectTimeout=http_timeout, pool=self._pool)
        self._http = HTTPClient(PlainAgent(agent))
        self._hopeless: dict[tuple[str | None, str | None], SolverError] = {}
        self._gate = Gate(concurrent_solves)
        self._admission = Admission(self._gate, self._clock)
        self._under_way: set[Deferred[Any]] = set()

    def __repr__(self) -> str:
        return f"<SolverClient {self.provider.name} at {self._api_url}>"

    def buy(
        self, order: Order, on_task: Callable[[TaskId], None] = lambda _id: None
    ) -> Deferred[Solution]:
        """One purchase, queued until the provider may be asked. Fails with SolverError.

        *on_task* is told the id of the task, once, as soon as there is one.
        """
        return self._start(self._buy(order, on_task))

    def solve(self, captcha: Captcha, **order: Any) -> Deferred[Solution]:
        """A solution of *captcha*: buys as often as the policy allows, waiting as it says.

        Further arguments are those of `Order`. Fails with SolverError, the last one.
        """
        return self._start(self._solve(captcha, order))

    def stop(self, error: SolverError) -> None:
        """Buys nothing more; every purchase from now on fails as *error* did."""
        self._gate.stop(error)
        self._admission.close()

    def balance(self) -> Deferred[float]:
        """The account's balance in its own currency. Fails with SolverError."""
        return self._start(self._converse(self.provider.balance(), (), lambda _call: None))

    def close(self) -> Deferred[None]:
        """Cancels all that is under way and closes the connections."""
        for deferred in list(self._under_way):
            deferred.cancel()
        self._admission.close()
        return cast("Deferred[None]", self._pool.closeCachedConnections())

    def _start(self, story: Coroutine[Deferred[Any], Any, _T]) -> Deferred[_T]:
        deferred = Deferred.fromCoroutine(story)
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
                order["task_id"] = error.task_id if error.code is ErrorCode.TIMEOUT else None
                if not error.possibly_paid:
                    purchase_id = new_purchase_id()
                await deferLater(self._clock, decision.delay)

    async def _buy(
        self, order: Order, on_task: Callable[[TaskId], None] = lambda _id: None
    ) -> Solution:
        await self._admission.enter()
        try:
            self._refuse_hopeless(order.captcha)
            solution = await self._until_deadline(order, on_task)
        except SolverError as error:
            self._learn(order.captcha, error)
            raise
        else:
            self._gate.went_well()
            return solution
        finally:
            self._admission.leave()

    def _until_deadline(
        self, order: Order, on_task: Callable[[TaskId], None]
    ) -> Deferred[Solution]:
        sent: list[Call] = []

        def on_call(call: Call) -> None:
            is_news = not sent or sent[0].task_id != call.task_id
            sent[:] = [call]
            if call.task_id is not None and is_news:
                on_task(call.task_id)

        def timed_out(_result: object, _timeout: float) -> Failure:
            task_id = sent[0].task_id if sent else None
            error = SolverError(
                ErrorCode.TIMEOUT,
                provider=self.provider.name,
                task_id=task_id,
                possibly_paid=bool(sent) and task_id is None,
            )
            self._on_error(error)
            return Failure(error)

        story = self._converse(self.provider.solve(order), _secrets(order), on_call)
        deferred = Deferred.fromCoroutine(story)
        return deferred.addTimeout(self._solve_timeout, self._clock, onTimeoutCancel=timed_out)

    async def _converse(
        self,
        flow: Generator[Call, Body, _T],
        secrets: Iterable[str],
        on_call: Callable[[Call], None],
    ) -> _T:
        """Drives *flow* to its end; *on_call* is told each call before its waiting time."""
        noted: SolverError | None = None
        try:
            call = next(flow)
            while True:
                on_call(call)
                await deferLater(self._clock, call.after)
                try:
                    body = await self._ask(call)
                except SolverError as error:
                    noted = self._note(error, secrets)
                    call = flow.throw(error)
                else:
                    call = flow.send(body)
        except StopIteration as stop:
            return cast("_T", stop.value)
        except SolverError as error:
            if error is not noted:
                self._note(error, secrets)
            raise
        finally:
            flow.close()

    def _note(self, error: SolverError, secrets: Iterable[str]) -> SolverError:
        hidden = (self._api_key, *secrets)
        error.provider = self.provider.name
        error.message = scrub(error.message, hidden)
        error.provider_code = scrub(error.provider_code or "", hidden) or None
        self._on_error(error)
        return error

    async def _ask(self, call: Call) -> Body:
        try:
            reply = await Deferred.fromCoroutine(self._exchange(call)).addTimeout(
                self._http_timeout, self._clock, onTimeoutCancel=_no_answer
            )
        except NETWORK_FAILURES as error:
            raise network_error(error) from error
        return self.provider.read(reply)

    async def _exchange(self, call: Call) -> Reply:
        response = await self._http.post(
            f"{self._api_url}/{call.path}",
            data=json.dumps(self.provider.authenticated(call.payload, self._api_key)).encode(),
            headers=Headers(
                {"Content-Type": ["application/json"]} | {k: [v] for k, v in call.headers.items()}
            ),
            allow_redirects=False,
            unbuffered=True,
        )
        headers = {
            name.decode("latin-1").lower(): values[-1].decode("latin-1")
            for name, values in response.headers.getAllRawHeaders()
        }
        return Reply(response.code, headers, await read_body(response), time.time())

    def _refuse_hopeless(self, captcha: Captcha) -> None:
        known = self._hopeless.get(_place(captcha))
        if known is not None:
            raise known.again()

    def _learn(self, captcha: Captcha, error: SolverError) -> None:
        match self._policy.decide(error, Attempts(), jitter=0.5):
            case Drop() if error.code in _LASTING:
                self._hopeless[_place(captcha)] = error
            case StopBuying():
                self.stop(error)
            case Reschedule(delay, shut=True):
                self._gate.shut(time.monotonic() + delay)


def new_purchase_id() -> str:
    """A name for one purchase that nobody else has."""
    return uuid4().hex


def _place(captcha: Captcha) -> tuple[str | None, str | None]:
    return urlsplit(captcha.url).hostname, captcha.site_key


def _secrets(order: Order) -> tuple[str, ...]:
    return (order.proxy.username, order.proxy.password) if order.proxy else ()


def _no_answer(_result: object, _timeout: float) -> Failure:
    return Failure(SolverError(ErrorCode.TIMEOUT, possibly_paid=True))
