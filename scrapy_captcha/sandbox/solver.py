"""The local solver: its account, its tasks and its record, without any I/O."""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind

from .account import ClientAccount
from .calls import ReceivedCall
from .dialects import DIALECTS
from .purchases import Report, SoldTask
from .script import HttpReply, Script
from .tasks import RefusedError, Trouble, solution_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .dialects import Dialect
    from .options import SolverOptions
    from .script import Answer
    from .tasks import JsonObject, TaskOrder
    from .tokens import TokenBook

_FIRST_TASK_ID = 74_000_000_001  # beyond 32 bits, as real services have it


@dataclass
class Solver:
    """The service behind the API. What it did stands in its public attributes.

    * *calls*: every call; *polls*: how many ``getTaskResult`` per task id
    * *created*: tasks made, each charged at once; *resent*: purchases that were answered with the
      task that their ``Idempotency-Key`` had already bought; *delivered*: solutions handed out
    * *reports*: what was said of solutions, where the dialect knows reports
    * *balance*, *spent*: money left and gone, without what was *refunded*
    """

    options: SolverOptions
    book: TokenBook
    dialect: Dialect = DIALECTS["unified"]
    calls: list[ReceivedCall] = field(default_factory=list)
    polls: Counter[int | str] = field(default_factory=Counter)
    created: int = 0
    resent: int = 0
    delivered: int = 0
    reports: list[Report] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._script = Script()
        self._purchases: dict[int | str, SoldTask] = {}
        self._bought: dict[str, int | str] = {}
        self._numbers = itertools.count(_FIRST_TASK_ID)
        self._account = ClientAccount(self.options.balance)

    @property
    def spent(self) -> float:
        """The price of all tasks made, without what was refunded."""
        return self._account.spent

    @property
    def refunded(self) -> float:
        """What was paid back, for tasks not solved and for reports."""
        return self._account.refunded

    @property
    def balance(self) -> float:
        """What is left of the account."""
        return self._account.balance

    @property
    def open_tasks(self) -> int:
        """How many tasks are being solved now."""
        now = self.book.clock()
        return sum(purchase.ready_at > now for purchase in self._purchases.values())

    def script(self, *rules: Answer) -> None:
        """Answer otherwise than usual: the first rule that matches a call holds and is used up.

        Raises ValueError for an error that the dialect has no word for.
        """
        for rule in rules:
            if rule.error and rule.status is None and not self.dialect.own_code(rule.error):
                raise ValueError(f"{self.dialect.name} has no word for {rule.error!r}")
        self._script.append(*rules)

    def clear_script(self) -> None:
        """Answer as usual from now on."""
        self._script.clear()

    def receive(self, method: str, payload: object, headers: Mapping[str, str]) -> ReceivedCall:
        """Record a call; *payload* is the decoded body, *headers* have lower-case names."""
        fields = dict(payload) if isinstance(payload, dict) else None
        key = fields.pop("clientKey", None) if fields else None
        authorized = None if key is None else key == self.options.api_key
        call = ReceivedCall(method, self.book.clock(), fields, headers, authorized)
        purchase = self._purchase(fields or {})
        if purchase:
            call.task_id, call.url = purchase.id, purchase.order.url
        elif fields and isinstance(fields.get("task"), dict):
            call.url = str(fields["task"].get("websiteURL", ""))
        self.calls.append(call)
        return call

    def rule_for(self, call: ReceivedCall) -> Answer | None:
        """The scripted answer to *call*, None for the usual one."""
        return self._script.take(call.method, call.url)

    def scripted(self, call: ReceivedCall, rule: Answer) -> HttpReply:
        """What *rule* says to *call*, in the words of the dialect, faults aside."""
        unsolved = self.dialect.codes.get(ErrorCode.UNSOLVABLE)
        purchase = self._purchases.get(call.task_id) if call.task_id is not None else None
        if purchase and rule.error and self.dialect.own_code(rule.error) == unsolved:
            self._give_up(purchase)
        return self.dialect.scripted(rule, call.method)

    def answer(self, call: ReceivedCall) -> HttpReply:
        """Carry *call* out and answer as usual."""
        methods: Mapping[str, Callable[[ReceivedCall, JsonObject], JsonObject | HttpReply]] = {
            "createTask": self._create_task,
            "getTaskResult": self._task_result,
            "getBalance": self._get_balance,
            **dict.fromkeys(self.dialect.reports, self._report),
        }
        try:
            answer = methods.get(call.method, _no_method)(call, _authorized(call))
            return answer if isinstance(answer, HttpReply) else HttpReply.json(answer)
        except RefusedError as refused:
            return self.dialect.refusal(refused, call.method)

    def _get_balance(self, _call: ReceivedCall, _payload: JsonObject) -> JsonObject:
        return self.dialect.balance(self.balance)

    def _create_task(self, call: ReceivedCall, payload: JsonObject) -> JsonObject:
        key = call.headers.get("idempotency-key", "") if self.dialect.idempotent else ""
        if key in self._bought:
            self.resent += 1
            call.task_id = self._bought[key]
            return self.dialect.created(self._purchases[call.task_id])
        order = self.dialect.read_order(payload.get("task"))
        purchase = self._sell(order, payload["task"])
        call.task_id = purchase.id
        if key:
            self._bought[key] = purchase.id
        return self.dialect.created(purchase)

    def _sell(self, order: TaskOrder, task: Mapping[str, object]) -> SoldTask:
        options, now = self.options, self.book.clock()
        price = options.prices.get(order.kind, options.price)
        if self.balance < price:
            raise RefusedError(ErrorCode.BALANCE_EMPTY, "Account balance is zero or negative")
        if options.capacity is not None and self.open_tasks >= options.capacity:
            raise RefusedError(
                ErrorCode.CAPACITY, "No workers free", retry_after=options.retry_after
            )
        at_once = self.dialect.solves_pictures_at_once and order.kind is Kind.IMAGE
        takes = options.solve_time
        seconds = 0.0 if at_once else takes(task) if callable(takes) else takes
        task_id = self.dialect.task_id(next(self._numbers))
        purchase = SoldTask(task_id, order, price, now, now + seconds, int(time.time()))
        self._purchases[task_id] = purchase
        self.created += 1
        self._account.charge(purchase)
        if at_once:
            self._solve(purchase)
        return purchase

    def _task_result(self, _call: ReceivedCall, payload: JsonObject) -> JsonObject | HttpReply:
        purchase, now, limits = self._known(payload), self.book.clock(), self.dialect.limits
        self.polls[purchase.id] += 1
        limits.check_poll(purchase, now, self.options.poll_interval)
        if limits.has_given_up(purchase, now):
            self._give_up(purchase)
            raise RefusedError(ErrorCode.PROVIDER_TIMEOUT, "Not solved in time")
        if now < purchase.ready_at:
            return self.dialect.pending(purchase)
        self._solve(purchase)
        return self.dialect.ready(purchase)

    def _report(self, call: ReceivedCall, payload: JsonObject) -> JsonObject:
        purchase = self._known(payload)
        correct = self.dialect.is_correct(call.method, payload)
        of_other_kind = "Image" in call.method and purchase.order.kind is not Kind.IMAGE
        if of_other_kind or not self.dialect.limits.takes_report(purchase, self.book.clock()):
            raise RefusedError(ErrorCode.NOT_FOUND, "Nothing to report")
        refund = not correct and self.dialect.refunds_reports and self._account.refund(purchase)
        purchase.reported = True
        self.reports.append(Report(purchase.id, correct, refund))
        return self.dialect.reported()

    def _known(self, payload: JsonObject) -> SoldTask:
        if "taskId" not in payload:
            raise RefusedError(ErrorCode.INPUT_MISSING, "taskId is required", Trouble.NO_FIELD)
        purchase = self._purchase(payload)
        if purchase is None or self.dialect.limits.has_forgotten(purchase, self.book.clock()):
            raise RefusedError(ErrorCode.NOT_FOUND, "Task not found or expired")
        return purchase

    def _purchase(self, payload: JsonObject) -> SoldTask | None:
        task_id = payload.get("taskId")
        # Services take the digits of a number for the number.
        if isinstance(task_id, str) and re.fullmatch("[0-9]{1,20}", task_id):
            task_id = int(task_id)
        return self._purchases.get(task_id) if isinstance(task_id, (int, str)) else None

    def _give_up(self, purchase: SoldTask) -> None:
        if self.dialect.refunds:
            self._account.refund(purchase)

    def _solve(self, purchase: SoldTask) -> None:
        if purchase.solution is not None:
            return
        answers = self._answers(purchase)
        if answers is None:
            self._give_up(purchase)
            raise RefusedError(ErrorCode.UNSOLVABLE, "Not solved after several attempts")
        shape = purchase.order.type.solution
        purchase.solution = solution_of(shape, answers, self.options.user_agent)
        self.delivered += 1

    def _answers(self, purchase: SoldTask) -> Mapping[str, str] | None:
        order = purchase.order
        if order.kind is Kind.IMAGE:
            text = self.book.read_picture(order.picture)
            return None if text is None else {"text": text}
        return self.book.mint(
            order.kind,
            order.site_key,
            order.url,
            challenge=order.challenge,
            born=purchase.ready_at,
            life=self.options.token_life,
        )


def _no_method(_call: ReceivedCall, _payload: JsonObject) -> JsonObject:
    raise RefusedError(ErrorCode.METHOD_INVALID, "No such method", Trouble.NO_METHOD)


def _authorized(call: ReceivedCall) -> JsonObject:
    if call.payload is None:
        message = "The body is not a JSON object"
        raise RefusedError(ErrorCode.INPUT_BAD_TYPE, message, Trouble.NO_JSON)
    if call.authorized is None:
        raise RefusedError(ErrorCode.INPUT_MISSING, "clientKey is required", Trouble.NO_KEY)
    if not call.authorized:
        raise RefusedError(ErrorCode.AUTH_INVALID, "API key not found or invalid")
    return call.payload
