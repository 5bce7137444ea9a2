"""The local solver: its account, its tasks and its record, without any I/O."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scrapy_captcha.captchas import Kind
from scrapy_captcha.errors import ErrorCode

from .script import Reply, Script
from .tasks import RefusedError, read_order, solution_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .script import Answer
    from .tasks import JsonObject, Order
    from .tokens import TokenBook

_FIRST_TASK_ID = 74_000_000_001  # beyond 32 bits, as real services have it


@dataclass(frozen=True, slots=True)
class SolverOptions:
    """What the local solver is like.

    * *solve_time*: seconds from purchase to solution, or a function of the task
    * *price*: of a task; *balance*: of the account, in the same currency
    * *capacity*: how many tasks may be unsolved at once, None without limit; one more is answered
      CAPACITY with *retry_after* seconds
    * *token_life*: seconds from solution to expiry
    * *user_agent*: what a solution says it is bound to, None to say nothing
    """

    api_key: str = "sandbox-key"
    solve_time: float | Callable[[Mapping[str, object]], float] = 0.0
    price: float = 0.002
    balance: float = 10.0
    capacity: int | None = None
    retry_after: float = 5
    token_life: float = 120.0
    user_agent: str | None = None


@dataclass(slots=True)
class Call:
    """A call as it came in.

    * *at*: monotonic seconds
    * *payload*: without the key; None when the body was no JSON object
    * *authorized*: whether the key was right, None without a key
    * *task_id*, *url*: of the task that the call is about, None and "" when there is none
    * *status*: of the answer, None when none was sent
    """

    method: str
    at: float
    payload: JsonObject | None
    headers: Mapping[str, str]
    authorized: bool | None
    task_id: int | None = None
    url: str = ""
    status: int | None = None


@dataclass(slots=True)
class _Task:
    id: int
    order: Order
    ready_at: float
    solution: JsonObject | None = None


@dataclass
class Solver:
    """The service behind the API. What it did stands in its public attributes.

    * *calls*: every call; *polls*: how many ``getTaskResult`` per task id
    * *created*: tasks made, each charged at once; *resent*: purchases that were answered with the
      task that their ``Idempotency-Key`` had already bought; *delivered*: solutions handed out
    * *balance*, *spent*: money left and gone
    """

    options: SolverOptions
    book: TokenBook
    calls: list[Call] = field(default_factory=list)
    polls: Counter[int] = field(default_factory=Counter)
    created: int = 0
    resent: int = 0
    delivered: int = 0

    def __post_init__(self) -> None:
        self._script = Script()
        self._tasks: dict[int, _Task] = {}
        self._bought: dict[str, int] = {}
        self._ids = itertools.count(_FIRST_TASK_ID)

    @property
    def spent(self) -> float:
        """The price of all tasks made."""
        return round(self.created * self.options.price, 6)

    @property
    def balance(self) -> float:
        """What is left of the account."""
        return round(self.options.balance - self.spent, 6)

    @property
    def open_tasks(self) -> int:
        """How many tasks are being solved now."""
        now = self.book.clock()
        return sum(task.ready_at > now for task in self._tasks.values())

    def script(self, *rules: Answer) -> None:
        """Answer otherwise than usual: the first rule that matches a call holds and is used up."""
        self._script.add(*rules)

    def clear_script(self) -> None:
        """Answer as usual from now on."""
        self._script.clear()

    def receive(self, method: str, payload: object, headers: Mapping[str, str]) -> Call:
        """Record a call; *payload* is the decoded body, *headers* have lower-case names."""
        fields = dict(payload) if isinstance(payload, dict) else None
        key = fields.pop("clientKey", None) if fields else None
        authorized = None if key is None else key == self.options.api_key
        call = Call(method, self.book.clock(), fields, headers, authorized)
        task = self._task(fields or {})
        if task:
            call.task_id, call.url = task.id, task.order.url
        elif fields and isinstance(fields.get("task"), dict):
            call.url = str(fields["task"].get("websiteURL", ""))
        self.calls.append(call)
        return call

    def rule_for(self, call: Call) -> Answer | None:
        """The scripted answer to *call*, None for the usual one."""
        return self._script.take(call.method, call.url)

    def answer(self, call: Call) -> Reply:
        """Carry *call* out and answer as usual."""
        methods: Mapping[str, Callable[[Call, JsonObject], JsonObject]] = {
            "createTask": self._create_task,
            "getTaskResult": self._task_result,
            "getBalance": self._get_balance,
        }
        try:
            if call.method not in methods:
                return RefusedError(ErrorCode.METHOD_INVALID, "No such method").answer.reply()
            return Reply.of({"errorId": 0, **methods[call.method](call, _authorized(call))})
        except RefusedError as refused:
            return refused.answer.reply()

    def _get_balance(self, _call: Call, _payload: JsonObject) -> JsonObject:
        return {"balance": self.balance}

    def _create_task(self, call: Call, payload: JsonObject) -> JsonObject:
        key = call.headers.get("idempotency-key", "")
        if key in self._bought:
            self.resent += 1
            call.task_id = self._bought[key]
            return {"taskId": call.task_id}
        order = read_order(payload.get("task"))
        if self.balance < self.options.price:
            raise RefusedError(ErrorCode.BALANCE_EMPTY, "Account balance is zero or negative")
        if self.options.capacity is not None and self.open_tasks >= self.options.capacity:
            raise RefusedError(ErrorCode.CAPACITY, "No workers free", self.options.retry_after)
        call.task_id = self._make_task(order, payload["task"])
        if key:
            self._bought[key] = call.task_id
        return {"taskId": call.task_id}

    def _make_task(self, order: Order, task: Mapping[str, object]) -> int:
        takes = self.options.solve_time
        seconds = takes(task) if callable(takes) else takes
        task_id = next(self._ids)
        self._tasks[task_id] = _Task(task_id, order, self.book.clock() + seconds)
        self.created += 1
        return task_id

    def _task_result(self, _call: Call, payload: JsonObject) -> JsonObject:
        if "taskId" not in payload:
            raise RefusedError(ErrorCode.INPUT_MISSING, "taskId is required")
        task = self._task(payload)
        if task is None:
            raise RefusedError(ErrorCode.NOT_FOUND, "Task not found or expired")
        self.polls[task.id] += 1
        if self.book.clock() < task.ready_at:
            return {"status": "processing"}
        if task.solution is None:
            task.solution = self._solve(task)
            self.delivered += 1
        return {
            "status": "ready",
            "solution": task.solution,
            "cost": f"{self.options.price:.5f}",
        }

    def _task(self, payload: JsonObject) -> _Task | None:
        task_id = payload.get("taskId")
        return self._tasks.get(task_id) if isinstance(task_id, int) else None

    def _solve(self, task: _Task) -> JsonObject:
        order = task.order
        if order.kind is not Kind.IMAGE:
            answers = self.book.mint(
                order.kind,
                order.site_key,
                order.url,
                challenge=order.challenge,
                born=task.ready_at,
            )
            return solution_of(order.kind, answers, self.options.user_agent)
        text = self.book.read_picture(order.picture)
        if text is None:
            raise RefusedError(ErrorCode.UNSOLVABLE, "Not solved after several attempts")
        return {"text": text}


def _authorized(call: Call) -> JsonObject:
    if call.payload is None:
        raise RefusedError(ErrorCode.INPUT_BAD_TYPE, "The body is not a JSON object")
    if call.authorized is None:
        raise RefusedError(ErrorCode.INPUT_MISSING, "clientKey is required")
    if not call.authorized:
        raise RefusedError(ErrorCode.AUTH_INVALID, "API key not found or invalid")
    return call.payload
