"""CapSolver: https://docs.capsolver.com."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox.script import HttpReply
from scrapy_captcha.sandbox.tasks import (
    DATADOME_HEADER,
    GEETEST_V4,
    GIVEN,
    RECAPTCHA,
    TEXT,
    TOKEN,
    OfferedTask,
    Proxied,
    RefusedError,
    Trouble,
    pair,
)

from .base import Dialect
from .limits import ServiceLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.sandbox.purchases import SoldTask
    from scrapy_captcha.sandbox.tasks import JsonObject, TaskTypes

_PROXYLESS = "ProxyLess"
_COOKIE = {"cookie": "token"}
_CLEARANCE = {"cookies.cf_clearance": "token", "token": "token"}


class CapSolverDialect(Dialect):
    """Errors come with HTTP 400 or 401; ids are UUIDs; the text of a picture comes at once.

    A task is idle at first; answers do not name their cost.
    """

    name = "capsolver"
    tasks: ClassVar[TaskTypes] = {
        **pair("ReCaptchaV2", OfferedTask(Kind.RECAPTCHA_V2, RECAPTCHA), proxyless=_PROXYLESS),
        **pair(
            "ReCaptchaV2Enterprise",
            OfferedTask(Kind.RECAPTCHA_V2_ENTERPRISE, RECAPTCHA),
            proxyless=_PROXYLESS,
        ),
        **pair("ReCaptchaV3", OfferedTask(Kind.RECAPTCHA_V3, RECAPTCHA), proxyless=_PROXYLESS),
        **pair(
            "ReCaptchaV3Enterprise",
            OfferedTask(Kind.RECAPTCHA_V3_ENTERPRISE, RECAPTCHA),
            proxyless=_PROXYLESS,
        ),
        "AntiTurnstileTaskProxyLess": (OfferedTask(Kind.TURNSTILE, TOKEN),),
        "AntiCloudflareTask": (
            OfferedTask(
                Kind.CLOUDFLARE_CHALLENGE, _CLEARANCE, ("websiteURL",), proxied=Proxied.MUST
            ),
        ),
        "GeeTestTaskProxyLess": (
            OfferedTask(
                Kind.GEETEST_V4,
                GEETEST_V4,
                ("websiteURL", "captchaId"),
                "captchaId",
                {"captchaId": GIVEN},
            ),
            OfferedTask(
                Kind.GEETEST_V3,
                {"challenge": "challenge", "validate": "validate"},
                ("websiteURL", "gt", "challenge"),
                "gt",
            ),
        ),
        **pair(
            "AntiAwsWaf",
            OfferedTask(Kind.AMAZON_WAF, _COOKIE, ("websiteURL",), "awsKey"),
            proxyless=_PROXYLESS,
        ),
        **pair("MtCaptcha", OfferedTask(Kind.MTCAPTCHA, TOKEN), proxyless=_PROXYLESS),
        "FriendlyCaptchaTaskProxyless": (OfferedTask(Kind.FRIENDLY_CAPTCHA, TOKEN),),
        "YandexCaptchaTaskProxyLess": (OfferedTask(Kind.YANDEX_SMARTCAPTCHA, TOKEN),),
        "DatadomeSliderTask": (
            OfferedTask(
                Kind.DATADOME, DATADOME_HEADER, ("captchaUrl", "userAgent"), proxied=Proxied.MUST
            ),
        ),
        "ImageToTextTask": (OfferedTask(Kind.IMAGE, TEXT, ("body",)),),
    }
    codes: ClassVar[Mapping[ErrorCode, str]] = {
        ErrorCode.AUTH_INVALID: "ERROR_KEY_DENIED_ACCESS",
        ErrorCode.AUTH_FORBIDDEN: "ERROR_IP_BANNED",
        ErrorCode.BALANCE_EMPTY: "ERROR_ZERO_BALANCE",
        ErrorCode.INPUT_BAD_TYPE: "ERROR_INVALID_TASK_DATA",
        ErrorCode.METHOD_INVALID: "ERROR_TASK_NOT_SUPPORTED",
        ErrorCode.CAPACITY: "ERROR_RATE_LIMIT",
        ErrorCode.UNSOLVABLE: "ERROR_CAPTCHA_UNSOLVABLE",
        ErrorCode.NOT_FOUND: "ERROR_TASKID_INVALID",
        ErrorCode.PROVIDER_TIMEOUT: "ERROR_TASK_TIMEOUT",
        ErrorCode.PROXY_BANNED: "ERROR_PROXY_BANNED",
    }
    words: ClassVar[Mapping[ErrorCode | Trouble, str]] = {
        ErrorCode.INPUT_MISSING: "ERROR_INVALID_TASK_DATA",
        Trouble.NO_JSON: "ERROR_BAD_REQUEST",
        Trouble.NO_METHOD: "ERROR_BAD_REQUEST",
        Trouble.PICTURE: "ERROR_PARSE_IMAGE_FAIL",
    }
    ids: ClassVar[Mapping[str, int]] = dict.fromkeys(
        (
            "ERROR_SERVICE_UNAVALIABLE",  # so spelt
            "ERROR_SETTLEMENT_FAILED",
            "ERROR_UNKNOWN_QUESTION",
            "ERROR_INVALID_IMAGE",
            "ERROR_KEY_TEMP_BLOCKED",
            "ERROR_KEY_DOES_NOT_EXIST",
        ),
        1,
    )
    status = 400
    statuses: ClassVar[Mapping[str, int]] = {"ERROR_KEY_DENIED_ACCESS": 401}
    reports: ClassVar[Mapping[str, bool]] = {"feedbackTask": False}
    limits = ServiceLimits(polls=120, keeps=300, solves=120)
    refunds = True
    proxy_line = True

    def task_id(self, _number: int) -> str:
        """A UUID."""
        return str(uuid.uuid4())

    @property
    def solves_pictures_at_once(self) -> bool:
        """It does."""
        return True

    def created(self, purchase: SoldTask) -> JsonObject:
        """With a status, and with the solution of a picture."""
        answer = {"errorId": 0, "errorCode": "", "errorDescription": "", "taskId": purchase.id}
        if purchase.solution is None:
            return {**answer, "status": "idle"}
        return {**answer, "status": "ready", "solution": purchase.solution}

    def pending(self, purchase: SoldTask) -> HttpReply:
        """Idle at the first poll."""
        return HttpReply.json(
            {"errorId": 0, "status": "idle" if purchase.polls == 1 else "processing"}
        )

    def ready(self, purchase: SoldTask) -> JsonObject:
        """Without a cost."""
        answer = {"errorId": 0, "errorCode": "", "errorDescription": "", "taskId": purchase.id}
        return {**answer, "status": "ready", "solution": purchase.solution}

    def balance(self, amount: float) -> JsonObject:
        """With the packages, of which there are none."""
        return {"errorId": 0, "balance": amount, "packages": []}

    def reported(self) -> JsonObject:
        """With a text."""
        return {"errorId": 0, "message": "Success"}

    def is_correct(self, _method: str, payload: JsonObject) -> bool:
        """Whether ``result.invalid`` is false."""
        result = payload.get("result")
        invalid = result.get("invalid") if isinstance(result, dict) else None
        if not isinstance(invalid, bool):
            raise RefusedError(ErrorCode.INPUT_MISSING, "result.invalid is required")
        return not invalid

    def error_body(self, code: str, description: str, method: str) -> JsonObject:
        """With a status where it is about a task."""
        body = super().error_body(code, description, method)
        return {**body, "status": "failed"} if method == "getTaskResult" else body
