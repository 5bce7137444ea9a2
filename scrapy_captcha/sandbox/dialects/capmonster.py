"""CapMonster Cloud: https://docs.capmonster.cloud."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox.tasks import (
    GEETEST_V3,
    GEETEST_V4,
    RECAPTCHA,
    TEXT,
    TOKEN,
    WAF_COOKIES,
    WAF_VOUCHER,
    OfferedTask,
    Proxied,
    RefusedError,
    Trouble,
)

from .base import Dialect
from .limits import ServiceLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.sandbox.purchases import SoldTask
    from scrapy_captcha.sandbox.script import HttpReply
    from scrapy_captcha.sandbox.tasks import JsonObject, TaskOrder, TaskTypes

_MAY = Proxied.MAY
_WIDGET = ("websiteURL", "websiteKey")
_CHALLENGE = (*_WIDGET, "pageAction", "userAgent", "data", "pageData")
_CLEARANCE = ("websiteURL", "htmlPageBase64", "userAgent")
_FUNCAPTCHA = ("websiteURL", "websitePublicKey")
_CHECKBOX = (OfferedTask(Kind.RECAPTCHA_V2, RECAPTCHA, proxied=_MAY),)


class CapMonsterDialect(Dialect):
    """Errors come with HTTP 200; a poll may be answered 500 and the task go on.

    Most types have one name, with or without a proxy. Answers do not name their cost.
    """

    name = "capmonster"
    tasks: ClassVar[TaskTypes] = {
        "RecaptchaV2Task": _CHECKBOX,
        "RecaptchaV2TaskProxyless": _CHECKBOX,
        "NoCaptchaTaskProxyless": _CHECKBOX,
        "RecaptchaV2EnterpriseTask": (
            OfferedTask(Kind.RECAPTCHA_V2_ENTERPRISE, RECAPTCHA, proxied=_MAY),
        ),
        "RecaptchaV3TaskProxyless": (
            OfferedTask(Kind.RECAPTCHA_V3_ENTERPRISE, RECAPTCHA, when={"isEnterprise": True}),
            OfferedTask(Kind.RECAPTCHA_V3, RECAPTCHA),
        ),
        "RecaptchaV3EnterpriseTask": (OfferedTask(Kind.RECAPTCHA_V3_ENTERPRISE, RECAPTCHA),),
        "TurnstileTaskProxyless": (OfferedTask(Kind.TURNSTILE, TOKEN),),
        "TurnstileTask": (
            OfferedTask(
                Kind.CLOUDFLARE_CHALLENGE,
                {"cf_clearance": "token"},
                _CLEARANCE,
                when={"cloudflareTaskType": "cf_clearance"},
                proxied=Proxied.MUST,
            ),
            OfferedTask(
                Kind.TURNSTILE,
                TOKEN,
                _CHALLENGE,
                when={"cloudflareTaskType": "token"},
                proxied=_MAY,
            ),
            OfferedTask(Kind.TURNSTILE, TOKEN, proxied=_MAY),
        ),
        "GeeTestTask": (
            OfferedTask(
                Kind.GEETEST_V4, GEETEST_V4, ("websiteURL", "gt"), "gt", {"version": 4}, _MAY
            ),
            OfferedTask(
                Kind.GEETEST_V3,
                GEETEST_V3,
                ("websiteURL", "gt", "challenge"),
                "gt",
                proxied=_MAY,
            ),
        ),
        "FunCaptchaTask": (
            OfferedTask(Kind.FUNCAPTCHA, TOKEN, _FUNCAPTCHA, "websitePublicKey", proxied=_MAY),
        ),
        "AmazonTask": (
            OfferedTask(Kind.AMAZON_WAF, WAF_COOKIES, when={"cookieSolution": True}, proxied=_MAY),
            OfferedTask(Kind.AMAZON_WAF, WAF_VOUCHER, proxied=_MAY),
        ),
        "MTCaptchaTask": (OfferedTask(Kind.MTCAPTCHA, TOKEN, proxied=_MAY),),
        "CustomTask": (
            OfferedTask(
                Kind.FRIENDLY_CAPTCHA,
                {"data.token": "token"},
                (*_WIDGET, "metadata.apiGetLib"),
                when={"class": "friendly"},
                proxied=_MAY,
            ),
            OfferedTask(
                Kind.DATADOME,
                {"domains.localhost.cookies.datadome": "token"},
                ("websiteURL", "metadata.captchaUrl", "metadata.datadomeCookie"),
                when={"class": "DataDome"},
                proxied=Proxied.MUST,
            ),
        ),
        "ImageToTextTask": (OfferedTask(Kind.IMAGE, TEXT, ("body",)),),
    }
    codes: ClassVar[Mapping[ErrorCode, str]] = {
        ErrorCode.AUTH_INVALID: "ERROR_KEY_DOES_NOT_EXIST",
        ErrorCode.AUTH_FORBIDDEN: "ERROR_IP_NOT_ALLOWED",
        ErrorCode.BALANCE_EMPTY: "ERROR_ZERO_BALANCE",
        ErrorCode.INPUT_MISSING: "ERROR_TASK_ABSENT",
        ErrorCode.INPUT_BAD_TYPE: "ERROR_INVALID_TASK",
        ErrorCode.INPUT_TOO_SMALL: "ERROR_ZERO_CAPTCHA_FILESIZE",
        ErrorCode.INPUT_TOO_LARGE: "ERROR_TOO_BIG_CAPTCHA_FILESIZE",
        ErrorCode.METHOD_INVALID: "ERROR_TASK_NOT_SUPPORTED",
        ErrorCode.CAPACITY: "ERROR_NO_SLOT_AVAILABLE",
        ErrorCode.UNSOLVABLE: "ERROR_CAPTCHA_UNSOLVABLE",
        ErrorCode.NOT_FOUND: "ERROR_NO_SUCH_CAPCHA_ID",
        ErrorCode.PROVIDER_TIMEOUT: "ERROR_RECAPTCHA_TIMEOUT",
        ErrorCode.PROVIDER_SITEKEY: "ERROR_RECAPTCHA_INVALID_SITEKEY",
        ErrorCode.PROVIDER_DOMAIN: "ERROR_RECAPTCHA_INVALID_DOMAIN",
        ErrorCode.PROXY_REFUSED: "ERROR_PROXY_CONNECT_REFUSED",
        ErrorCode.PROXY_TIMEOUT: "ERROR_PROXY_READ_TIMEOUT",
        ErrorCode.PROXY_BANNED: "ERROR_PROXY_BANNED",
        ErrorCode.PROXY_AUTH: "ERROR_PROXY_NOT_AUTHORISED",
    }
    words: ClassVar[Mapping[ErrorCode | Trouble, str]] = {
        Trouble.NO_JSON: "ERROR_TASK_ABSENT",
        Trouble.NO_KEY: "ERROR_KEY_DOES_NOT_EXIST",
        Trouble.NO_METHOD: "ERROR_NO_SUCH_METHOD",
        Trouble.NO_FIELD: "ERROR_INVALID_TASK",
        Trouble.NO_PROXY: "ERROR_PROXY_MISSING",
        Trouble.PROXY_CHARACTER: "ERROR_PROXY_CREDENTIALS_INVALID_CHARACTER",
        Trouble.TOO_FAST: "ERROR_TOO_MUCH_REQUESTS",
        Trouble.TOO_MANY: "ERROR_TOO_MUCH_REQUESTS",
    }
    ids: ClassVar[Mapping[str, int]] = dict.fromkeys(
        (
            "WRONG_CAPTCHA_ID",
            "CAPTCHA_NOT_READY",
            "ERROR_IP_BANNED",
            "ERROR_IP_BLOCKED",
            "ERROR_DOMAIN_NOT_ALLOWED",
            "ERROR_TOKEN_EXPIRED",
            "ERROR_WRONG_USERAGENT",
            "ERROR_SERVICE_NOT_AVAILABLE",
        ),
        1,
    )
    reports: ClassVar[Mapping[str, bool]] = {
        "reportIncorrectImageCaptcha": False,
        "reportIncorrectTokenCaptcha": False,
        "reportIncorrectRecaptcha": False,
    }
    limits = ServiceLimits(poll_interval=2, polls=120, keeps=300, picture=(100, 50_000))

    def read_order(self, task: object) -> TaskOrder:
        """Without "%" in the credentials of a proxy."""
        order = super().read_order(task)
        fields = task if isinstance(task, dict) else {}
        if any("%" in str(fields.get(name, "")) for name in ("proxyLogin", "proxyPassword")):
            message = "A character of the proxy's credentials is not allowed"
            raise RefusedError(ErrorCode.PROXY_AUTH, message, Trouble.PROXY_CHARACTER)
        return order

    def pending(self, purchase: SoldTask) -> HttpReply:
        """HTTP 500 at the first poll, which to the service's own client means the same."""
        reply = super().pending(purchase)
        return replace(reply, status=500) if purchase.polls == 1 else reply

    def ready(self, purchase: SoldTask) -> JsonObject:
        """Without a cost, and with errors that are null."""
        no_error = {"errorId": 0, "errorCode": None, "errorDescription": None}
        return {**no_error, "status": "ready", "solution": purchase.solution}

    def error_body(self, code: str, description: str, method: str) -> JsonObject:
        """With task 0 where none was made."""
        body = super().error_body(code, description, method)
        return {**body, "taskId": 0} if method == "createTask" else body
