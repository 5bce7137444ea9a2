"""Drives a provider's conversation over treq.

The API key is put into request bodies only.
"""

from __future__ import annotations

import json
import time
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import Agent
from twisted.web.http_headers import Headers

from scrapy_captcha.cancelling import cancellable
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Solution, are_few
from scrapy_captcha.providers import Reply
from scrapy_captcha.solver.breaker import Breaker, is_no_answer, is_outage
from scrapy_captcha.solver.redaction import repeats, scrub
from scrapy_captcha.solver.transport import (
    NETWORK_FAILURES,
    BoundedPool,
    PlainAgent,
    network_error,
    read_body,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from treq.client import HTTPClient

    from scrapy_captcha.cancelling import Cancellation
    from scrapy_captcha.providers import Body, Call, Provider, TaskId
    from scrapy_captcha.solver.outages import Outages

_T = TypeVar("_T")
_KEPT = ("solution", "taskId")  # of an answer, with all that is in them


class Caller:
    """Calls one account at one provider; all times in seconds.

    *timeout* is for one call, body included; *connections* are kept open; *on_error* is called with
    each error that the service or the network gave.
    """

    def __init__(
        self,
        provider: Provider,
        api_url: str,
        api_key: str,
        *,
        timeout: float,
        connections: int,
        on_error: Callable[[SolverError], None],
        outages: Outages,
    ) -> None:
        from twisted.internet import reactor

        self.provider = provider
        self.api_url = api_url.rstrip("/")
        self._api_key = api_key
        self._timeout = timeout
        self.on_error = on_error
        self._outages = outages
        self._breaker = Breaker()
        self._pool = BoundedPool(reactor)  # type: ignore[no-untyped-call]
        self._pool.maxPersistentPerHost = connections
        self._pool.retryAutomatically = False
        self._agent = PlainAgent(Agent(reactor, connectTimeout=timeout / 2, pool=self._pool))

    @cached_property
    def _http(self) -> HTTPClient:
        from treq.client import HTTPClient  # slow to import, and not always used

        return HTTPClient(self._agent)

    def __repr__(self) -> str:
        return f"<Caller of {self.provider.name} at {self.api_url}>"

    @property
    def is_in_doubt(self) -> bool:
        """Whether the last two calls or more were not answered."""
        return self._breaker.is_in_doubt

    def plain(self, text: str, secrets: Iterable[str] = ()) -> str:
        """*text* of the service as it may be shown; "" if it contains the key or *secrets*."""
        return scrub(text, (self._api_key, *secrets))

    def close_connections(self) -> Deferred[None]:
        """Closes the connections."""
        return cast("Deferred[None]", self._pool.closeCachedConnections())  # type: ignore[no-untyped-call]

    def drive(
        self,
        flow: Generator[Call, Body, _T],
        secrets: Iterable[str] = (),
        on_call: Callable[[Call], None] = lambda _call: None,
        on_answer: Callable[[bool], None] = lambda _is_one: None,
    ) -> Deferred[_T]:
        """Fires with the result of *flow*. Fails with SolverError, without any of *secrets* in it.

        *on_call* is called with each call before its waiting time, *on_answer* with whether the
        last call was answered.
        """
        return cancellable(partial(self._drive, flow, secrets, on_call, on_answer))

    async def _drive(
        self,
        flow: Generator[Call, Body, _T],
        secrets: Iterable[str],
        on_call: Callable[[Call], None],
        on_answer: Callable[[bool], None],
        cancellation: Cancellation,
    ) -> _T:
        noted: SolverError | None = None
        try:
            call = next(flow)
            while True:
                on_call(call)
                if cancellation.is_requested:
                    raise CancelledError
                await self._until_due(call, on_answer)
                try:
                    body = await self._ask(call, on_answer, cancellation)
                    self._refuse_secrets([body.get(key) for key in _KEPT], call.task_id, secrets)
                except SolverError as error:
                    error.possibly_paid = error.possibly_paid and call.buys
                    noted = self._note(error, secrets)
                    call = flow.throw(error)
                else:
                    call = flow.send(body)
        except StopIteration as stop:
            if isinstance(stop.value, Solution):
                self._refuse_solution(stop.value, secrets)
            return cast("_T", stop.value)
        except SolverError as error:
            if error is not noted:
                self._note(error, secrets)
            raise
        finally:
            flow.close()

    def probe(self, call: Call) -> Deferred[None]:
        """Makes *call*; fails with SolverError if the service cannot be reached."""
        return cancellable(partial(self._probe, call))

    async def _probe(self, call: Call, cancellation: Cancellation) -> None:
        try:
            await self._ask(call, lambda _is_answer: None, cancellation)
        except SolverError as error:
            error.possibly_paid = False
            if is_outage(error):
                raise self._note(error, ()) from None

    def _refuse_solution(self, solution: Solution, secrets: Iterable[str]) -> None:
        """Raises SolverError if secrets are in *solution*, which goes to the site and to disk."""
        cookies = dict(solution.cookies)
        words = [dict(solution.answers), solution.user_agent, cookies, solution.task_id]
        if are_few(cookies) and not repeats(words, (self._api_key, *secrets)):
            return
        error = SolverError(ErrorCode.BAD_REPLY, task_id=solution.task_id)
        error.possibly_paid = solution.task_id is None
        raise self._note(error, secrets)

    def _refuse_secrets(
        self, value: object, task_id: TaskId | None, secrets: Iterable[str]
    ) -> None:
        if repeats(value, (self._api_key, *secrets)):
            raise SolverError(ErrorCode.BAD_REPLY, task_id=task_id, possibly_paid=True)

    def _note(self, error: SolverError, secrets: Iterable[str]) -> SolverError:
        error.provider = self.provider.name
        error.message = ""  # it may contain any secret, in any encoding
        error.provider_code = self.plain(error.provider_code or "", secrets) or None
        self.on_error(error)
        return error

    async def _until_due(self, call: Call, on_answer: Callable[[bool], None]) -> None:
        await deferLater(CLOCK, call.after)
        if call.buys:  # the throttle decides when a purchase starts
            return
        while (wait := self._breaker.hold(time.monotonic())) > 0:
            on_answer(False)  # if the purchase times out now, its task was not polled
            await deferLater(CLOCK, wait)

    async def _ask(
        self, call: Call, on_answer: Callable[[bool], None], cancellation: Cancellation
    ) -> Body:
        is_answered = True
        try:
            body = self.provider.read(await self._reply(call, cancellation))
        except SolverError as error:
            is_answered = not is_no_answer(error)
            if is_answered:
                self._answered()
            elif self._breaker.lost(time.monotonic()):
                error.provider = self.provider.name
                self._outages.on_begin(error)
            raise
        except CancelledError:
            is_answered = False
            self._breaker.given_up()
            raise
        finally:
            on_answer(is_answered)
        self._answered()
        return body

    def _answered(self) -> None:
        seconds = self._breaker.service_answered(time.monotonic())
        if seconds is not None:
            self._outages.on_end(seconds)

    async def _reply(self, call: Call, cancellation: Cancellation) -> Reply:
        try:
            return await Deferred.fromCoroutine(self._exchange(call)).addTimeout(
                self._timeout, CLOCK, onTimeoutCancel=_no_answer
            )
        except NETWORK_FAILURES as error:
            if cancellation.is_requested:
                raise CancelledError from error
            raise network_error(error) from error

    async def _exchange(self, call: Call) -> Reply:
        response = await self._http.post(
            f"{self.api_url}/{call.path}",
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


def _no_answer(_result: object, _timeout: float) -> Failure:
    return Failure(SolverError(ErrorCode.TIMEOUT, possibly_paid=True))
