"""The protocol that most services speak: createTask, getTaskResult and getBalance.

A custom service is a subclass with a name, a base URL and the tables that differ.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, ClassVar, cast

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import is_task_id
from scrapy_captcha.providers.base import Call, Provider
from scrapy_captcha.providers.meanings import COMMON, NOT_READY, read_vendor_error
from scrapy_captcha.providers.polling import Polling, PollingRules
from scrapy_captcha.providers.solutions import read_balance, read_duration, read_solution

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from scrapy_captcha.models import Kind
    from scrapy_captcha.providers.base import Body, Flow, Order, Reply, TaskId
    from scrapy_captcha.providers.meanings import Meanings

# What a poll can say without the task being over.
_POLL_AGAIN = frozenset({ErrorCode.NETWORK, ErrorCode.TIMEOUT, ErrorCode.BAD_REPLY})
_BUSY_POLLS = 2  # CAPACITY in answer to a poll is about the poll; after so many, about the task
_NONSENSE = 4  # unintelligible answers in a row of a working service
_AFTER_FAILURE = 5.0  # seconds before another try, after a task that failed without an error code


class CreateTask(Provider):
    """A service at which a task is created, polled until it is done, and paid per solution.

    * *errors*: the service's codes -> what they mean
    * *rules*: how often a task may be polled
    * *reports*: (kind, whether the site accepted) -> path of the call that reports it
    """

    errors: ClassVar[Meanings] = COMMON
    rules: ClassVar[PollingRules] = PollingRules()
    reports: ClassVar[Mapping[tuple[Kind, bool], str]] = {}

    def __init__(self, *, poll_interval: float) -> None:
        super().__init__(poll_interval=max(poll_interval, self.rules.interval))
        self._polling = Polling(max(poll_interval, self.rules.first), self.poll_interval)

    def authenticated(self, payload: Body, api_key: str) -> Body:
        """*payload* with the key as ``clientKey``."""
        return {"clientKey": api_key, **payload}

    def read(self, reply: Reply) -> Body:
        """The JSON object of a 2xx answer without an error code."""
        body = reply.json()
        error = read_vendor_error(reply, body, self.errors)
        if error is not None and error.provider_code in NOT_READY:
            return {"status": "processing"}
        if error is None and isinstance(body, dict):
            return body
        raise error or SolverError(ErrorCode.BAD_REPLY, http_status=reply.status)

    def solve(self, order: Order) -> Flow:
        """Collects the task that was paid for earlier, or buys; lost polls are repeated."""
        if order.task_id is not None:
            try:
                return (yield from self._collect(order, order.task_id))
            except SolverError as error:
                if error.code is not ErrorCode.NOT_FOUND or order.collect_only:
                    raise
        task = {"task": self.task(order)}
        body = yield Call("createTask", task, self.purchase_headers(order), buys=True)
        task_id = _task_id(body)
        if body.get("status") == "ready":
            return read_solution(order.captcha.kind, body, task_id)
        if task_id is None:
            raise SolverError(ErrorCode.BAD_REPLY, possibly_paid=True)
        return (yield from self._collect(order, task_id, new=True))

    def balance(self) -> Generator[Call, Body, float]:
        """One call of getBalance."""
        body = yield Call("getBalance", {})
        balance = read_balance(body.get("balance"))
        if balance is None:
            raise SolverError(ErrorCode.BAD_REPLY)
        return balance

    def probe(self) -> Call:
        """Polls a task that does not exist: a service that does not answer is not to be paid."""
        return Call("getTaskResult", {"taskId": 0})

    def report(
        self, task_id: TaskId, kind: Kind, *, accepted: bool
    ) -> Generator[Call, Body, bool] | None:
        """One call, by the table; False where the service refuses it, too late for instance."""
        path = self.reports.get((kind, accepted))
        if path is None:
            return None
        return self._report(Call(path, self.report_payload(task_id, accepted), task_id=task_id))

    def report_payload(self, task_id: TaskId, accepted: bool) -> Body:
        """The payload of a report."""
        return {"taskId": task_id}

    def purchase_headers(self, order: Order) -> Mapping[str, str]:
        """Additional headers of createTask."""
        return {}

    def _report(self, call: Call) -> Generator[Call, Body, bool]:
        try:
            yield call
        except SolverError:
            return False
        return True

    def _collect(self, order: Order, task_id: TaskId, *, new: bool = False) -> Flow:
        kind = order.captcha.kind
        waits = self._polling.waits(kind) if new else self._polling.steadily()
        not_yet = elapsed = pause = 0.0
        trouble = _Trouble()
        for wait in islice(waits, self.rules.polls):
            after = max(wait, pause)
            elapsed += after
            try:
                body = yield _poll(task_id, after)
            except SolverError as error:
                error.task_id, error.possibly_paid = task_id, False
                if trouble.is_too_much(error):
                    raise
                pause = error.retry_after or 0.0
                continue
            if body.get("status") == "ready":
                if new:
                    self._learn(kind, body, not_yet, elapsed)
                return read_solution(kind, body, task_id)
            if body.get("status") == "failed":
                raise _failed(task_id)
            not_yet, pause, trouble.nonsense = elapsed, 0.0, 0
        raise SolverError(ErrorCode.PROVIDER_TIMEOUT, retryable=True, task_id=task_id)

    def _learn(self, kind: Kind, body: Body, not_yet: float, elapsed: float) -> None:
        known = read_duration(body)
        if known is not None:
            not_yet = elapsed = min(max(known, not_yet), elapsed)
        self._polling.observe(kind, not_yet, elapsed)


def _poll(task_id: TaskId, after: float) -> Call:
    return Call("getTaskResult", {"taskId": task_id}, after=after, task_id=task_id)


def _task_id(body: Body) -> TaskId | None:
    task_id = body.get("taskId")
    return cast("TaskId", task_id) if is_task_id(task_id) else None


class _Trouble:
    """Counts the errors of polls of one task."""

    def __init__(self) -> None:
        self.busy = self.nonsense = 0

    def is_too_much(self, error: SolverError) -> bool:
        """Counts *error*; whether it means that the task has failed, and not the poll alone."""
        broken = error.http_status is not None and error.http_status >= 500
        self.busy += error.code is ErrorCode.CAPACITY
        self.nonsense += error.code is ErrorCode.BAD_REPLY and not broken
        if error.code is ErrorCode.CAPACITY:
            return self.busy > _BUSY_POLLS
        if error.code is ErrorCode.UNKNOWN and broken:
            return False
        return error.code not in _POLL_AGAIN or self.nonsense > _NONSENSE


def _failed(task_id: TaskId) -> SolverError:
    return SolverError(
        ErrorCode.UNSOLVABLE, retryable=True, retry_after=_AFTER_FAILURE, task_id=task_id
    )
