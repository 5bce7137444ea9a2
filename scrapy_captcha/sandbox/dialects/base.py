"""Dialects: the tables and words of one service, for a solver that is the same for all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ERRORS, ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox.script import HttpReply
from scrapy_captcha.sandbox.tasks import read_order

from .limits import ServiceLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.sandbox.purchases import SoldTask
    from scrapy_captcha.sandbox.script import Answer
    from scrapy_captcha.sandbox.tasks import (
        JsonObject,
        OfferedTask,
        RefusedError,
        TaskOrder,
        Trouble,
    )


class Dialect:
    """The field's common dialect; services differ in tables, and in a method here and there.

    * *tasks*: what stands behind the name of a type; the first whose fields fit
    * *codes*: the service's word for an error of the contract
    * *words*: its words for what it has no code of the contract for, or a better one
    * *ids*: ``errorId`` by code, 1 for all others; *statuses*: likewise HTTP, *status* for others
    * *reports*: methods by which solutions are reported, and whether as correct
    * *refunds*: whether a task that is not solved costs nothing; *refunds_reports*: whether one
      that is reported as incorrect is paid back
    * *proxy_line*: whether a proxy may be described in one word
    * *idempotent*: whether an ``Idempotency-Key`` is heeded
    * *classic*: whether the service has ``in.php`` and ``res.php`` too
    """

    name: ClassVar[str]
    tasks: ClassVar[Mapping[str, tuple[OfferedTask, ...]]]
    codes: ClassVar[Mapping[ErrorCode, str]]
    words: ClassVar[Mapping[ErrorCode | Trouble, str]] = {}
    ids: ClassVar[Mapping[str, int]] = {}
    status: ClassVar[int] = 200
    statuses: ClassVar[Mapping[str, int]] = {}
    reports: ClassVar[Mapping[str, bool]] = {}
    limits: ClassVar[ServiceLimits] = ServiceLimits()
    refunds: ClassVar[bool] = False
    refunds_reports: ClassVar[bool] = False
    proxy_line: ClassVar[bool] = False
    idempotent: ClassVar[bool] = False
    classic: ClassVar[bool] = False

    def read_order(self, task: object) -> TaskOrder:
        """What *task*, decoded JSON, asks for. Raises RefusedError."""
        order = read_order(task, self.tasks, proxy_line=self.proxy_line)
        if order.kind is Kind.IMAGE:
            self.limits.check_picture(order.picture)
        return order

    def task_id(self, number: int) -> int | str:
        """The id of the task with this number."""
        return number

    def created(self, purchase: SoldTask) -> JsonObject:
        """The answer to a purchase. *purchase* has its solution already where that is at once."""
        return {"errorId": 0, "taskId": purchase.id}

    @property
    def solves_pictures_at_once(self) -> bool:
        """Whether the solution of a picture comes with the answer to its purchase."""
        return False

    def pending(self, purchase: SoldTask) -> HttpReply:
        """The answer to a poll of what is not solved yet."""
        return HttpReply.json({"errorId": 0, "status": "processing"})

    def ready(self, purchase: SoldTask) -> JsonObject:
        """The answer to a poll of what is solved."""
        return {
            "errorId": 0,
            "status": "ready",
            "solution": purchase.solution,
            "cost": f"{purchase.price:.5f}",
            "ip": "127.0.0.1",
            "createTime": purchase.made_time,
            "endTime": purchase.ready_time,
            "solveCount": 1,
        }

    def balance(self, amount: float) -> JsonObject:
        """The answer to getBalance."""
        return {"errorId": 0, "balance": amount}

    def reported(self) -> JsonObject:
        """The answer to a report that is taken."""
        return {"errorId": 0, "status": "success"}

    def is_correct(self, method: str, _payload: JsonObject) -> bool:
        """What a report says of its solution. Raises RefusedError when it says nothing."""
        return self.reports[method]

    def own_code(self, error: str) -> str | None:
        """The service's word for *error*, a name of the contract or its own; None without one."""
        if error in ErrorCode.__members__:
            return self.codes.get(ErrorCode(error))
        return error if error in {*self.codes.values(), *self.words.values(), *self.ids} else None

    def refusal(self, refused: RefusedError, method: str) -> HttpReply:
        """The answer to a call that is refused."""
        word = self.words.get(refused.trouble) if refused.trouble else None
        code = word or self.codes.get(refused.code) or self.words[refused.code]
        return self._error(code, refused.message, method)

    def scripted(self, rule: Answer, method: str) -> HttpReply:
        """The answer that *rule* asks for, faults aside."""
        if rule.error is None:
            return rule.reply()
        code = self.own_code(rule.error) or rule.error
        known = ERRORS[ErrorCode(rule.error)].meaning if rule.error in ErrorCode.__members__ else ""
        reply = self._error(code, known if rule.message is None else rule.message, method, rule)
        extra = {"Retry-After": rule.retry_after_header} if rule.retry_after_header else {}
        return replace(reply, headers={**reply.headers, **extra, **rule.headers})

    def error_body(self, code: str, description: str, _method: str) -> JsonObject:
        """What an error looks like."""
        return {
            "errorId": self.ids.get(code, 1),
            "errorCode": code,
            "errorDescription": description,
        }

    def _error(self, code: str, text: str, method: str, rule: Answer | None = None) -> HttpReply:
        status, omit = (rule.status, rule.omit) if rule else (None, ())
        body = self.error_body(code, text, method)
        sent = {name: value for name, value in body.items() if name not in omit}
        return HttpReply.json(sent, status or self.statuses.get(code, self.status))
