"""The unified API: one shape of errors, whichever service stands behind it.

Only its errors are published; the requests are the field's common createTask, getTaskResult and
getBalance. All that would change with the real endpoints stands in this one class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.captchas import Kind
from scrapy_captcha.errors import ErrorCode, SolverError, read_error
from scrapy_captcha.providers.base import Call, Provider, TaskType
from scrapy_captcha.providers.solutions import read_cost, read_solution

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from scrapy_captcha.providers.base import Body, Flow, Order, Reply

_WIDGET = {"websiteURL": "url", "websiteKey": "site_key"}
_PAGE = _WIDGET | {"userAgent": "user_agent"}
_GEETEST = {
    "websiteURL": "url",
    "geetestApiServerSubdomain": "api_server",
    "userAgent": "user_agent",
}
_V3 = {
    "websiteURL": "url",
    "websiteKey": "site_key",
    "pageAction": "action",
    "minScore": "min_score",
    "apiDomain": "api_domain",
}

# What a poll can say without the task being over.
_POLL_AGAIN = frozenset({ErrorCode.NETWORK, ErrorCode.TIMEOUT, ErrorCode.BAD_REPLY})
_BUSY_POLLS = 2  # CAPACITY in answer to a poll is about the poll; said more often, about the task


class Unified(Provider):
    """The API of the error contract, over createTask, getTaskResult and getBalance."""

    name = "unified"
    tasks: ClassVar[Mapping[Kind, TaskType]] = {
        Kind.RECAPTCHA_V2: TaskType(
            "RecaptchaV2TaskProxyless",
            "RecaptchaV2Task",
            _PAGE
            | {
                "recaptchaDataSValue": "data_s",
                "isInvisible": "invisible",
                "apiDomain": "api_domain",
            },
        ),
        Kind.RECAPTCHA_V2_ENTERPRISE: TaskType(
            "RecaptchaV2EnterpriseTaskProxyless",
            "RecaptchaV2EnterpriseTask",
            _PAGE
            | {
                "enterprisePayload.s": "data_s",
                "isInvisible": "invisible",
                "apiDomain": "api_domain",
            },
        ),
        Kind.RECAPTCHA_V3: TaskType(
            "RecaptchaV3TaskProxyless", fields=_V3, constants={"minScore": 0.3}
        ),
        Kind.RECAPTCHA_V3_ENTERPRISE: TaskType(
            "RecaptchaV3TaskProxyless",
            fields=_V3,
            constants={"minScore": 0.3, "isEnterprise": True},
        ),
        Kind.HCAPTCHA: TaskType(
            "HCaptchaTaskProxyless", "HCaptchaTask", _WIDGET | {"isInvisible": "invisible"}
        ),
        Kind.TURNSTILE: TaskType(
            "TurnstileTaskProxyless",
            "TurnstileTask",
            _PAGE | {"action": "action", "data": "cdata", "pagedata": "page_data"},
        ),
        Kind.GEETEST_V3: TaskType(
            "GeeTestTaskProxyless",
            "GeeTestTask",
            _GEETEST | {"gt": "site_key", "challenge": "challenge"},
        ),
        Kind.GEETEST_V4: TaskType(
            "GeeTestTaskProxyless",
            "GeeTestTask",
            # Services differ in where they look for the id of version 4.
            _GEETEST | {"gt": "site_key", "initParameters.captcha_id": "site_key"},
            {"version": 4},
        ),
        Kind.FUNCAPTCHA: TaskType(
            "FunCaptchaTaskProxyless",
            "FunCaptchaTask",
            {
                "websiteURL": "url",
                "websitePublicKey": "site_key",
                "funcaptchaApiJSSubdomain": "api_server",
                "data": "blob",
                "userAgent": "user_agent",
            },
        ),
        Kind.AMAZON_WAF: TaskType(
            "AmazonTaskProxyless",
            "AmazonTask",
            _WIDGET
            | {
                "iv": "iv",
                "context": "context",
                "challengeScript": "challenge_script",
                "captchaScript": "captcha_script",
            },
        ),
        Kind.MTCAPTCHA: TaskType("MtCaptchaTaskProxyless", "MtCaptchaTask", _WIDGET),
        Kind.FRIENDLY_CAPTCHA: TaskType(
            "FriendlyCaptchaTaskProxyless", "FriendlyCaptchaTask", _WIDGET
        ),
        Kind.YANDEX_SMARTCAPTCHA: TaskType(
            "YandexSmartCaptchaTaskProxyless", "YandexSmartCaptchaTask", _PAGE
        ),
        Kind.IMAGE: TaskType("ImageToTextTask", fields={"body": "image"}),
    }

    def authenticated(self, payload: Body, api_key: str) -> Body:
        """The key goes into the body, as ``clientKey``."""
        return {"clientKey": api_key, **payload}

    def read(self, reply: Reply) -> Body:
        """The JSON object of a 2xx answer without an ``error``."""
        body = reply.json()
        error = read_error(reply.status, reply.headers, body, now=reply.at)
        if error is None and isinstance(body, dict):
            return body
        raise error or SolverError(ErrorCode.BAD_REPLY, http_status=reply.status)

    def solve(self, order: Order) -> Flow:
        """Collects what was paid for earlier, else buys; a lost poll is repeated."""
        if order.task_id is not None:
            try:
                return (yield from self._collect(order, order.task_id, wait=0.0))
            except SolverError as error:
                if error.code is not ErrorCode.NOT_FOUND:
                    raise
        task_id = yield from self._create(order)
        return (yield from self._collect(order, task_id, wait=self.poll_interval))

    def balance(self) -> Generator[Call, Body, float]:
        """One call of getBalance."""
        body = yield Call("getBalance", {})
        balance = read_cost(body.get("balance"))
        if balance is None:
            raise SolverError(ErrorCode.BAD_REPLY)
        return balance

    def _create(self, order: Order) -> Generator[Call, Body, str | int]:
        purchase = {"Idempotency-Key": order.purchase_id}
        body = yield Call("createTask", {"task": self.task(order)}, purchase)
        task_id = body.get("taskId")
        if isinstance(task_id, bool) or not isinstance(task_id, (str, int)) or task_id == "":
            raise SolverError(ErrorCode.BAD_REPLY, possibly_paid=True)
        return task_id

    def _collect(self, order: Order, task_id: str | int, wait: float) -> Flow:
        body: Body = {}
        busy = 0
        while body.get("status") != "ready":
            try:
                body = yield Call("getTaskResult", {"taskId": task_id}, after=wait, task_id=task_id)
                wait = self.poll_interval
            except SolverError as error:
                error.task_id, error.possibly_paid = task_id, False
                is_busy = error.code is ErrorCode.CAPACITY
                busy += is_busy
                if error.code not in _POLL_AGAIN and not (is_busy and busy <= _BUSY_POLLS):
                    raise
                wait = max(self.poll_interval, error.retry_after or 0.0)
        return read_solution(order.captcha.kind, body, task_id)
