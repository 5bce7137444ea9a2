"""The unified API: the contract's errors, and requests as most services have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ERRORS, Family
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox.script import Answer
from scrapy_captcha.sandbox.tasks import (
    GEETEST_V3,
    GEETEST_V4,
    RECAPTCHA,
    TEXT,
    TOKEN,
    WAF_COOKIES,
    TaskType,
)

from .base import Dialect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.errors import ErrorCode
    from scrapy_captcha.sandbox.purchases import Purchase
    from scrapy_captcha.sandbox.script import Reply
    from scrapy_captcha.sandbox.tasks import JsonObject, RefusedError, TaskTypes


def _both(stem: str, *types: TaskType) -> TaskTypes:
    # Nothing is known of how the API wants a proxy to be described.
    return {f"{stem}TaskProxyless": types, f"{stem}Task": types}


class Unified(Dialect):
    """The API of the error contract."""

    name = "unified"
    tasks: ClassVar[TaskTypes] = {
        **_both("RecaptchaV2", TaskType(Kind.RECAPTCHA_V2, RECAPTCHA)),
        **_both("RecaptchaV2Enterprise", TaskType(Kind.RECAPTCHA_V2_ENTERPRISE, RECAPTCHA)),
        **_both(
            "RecaptchaV3",
            TaskType(Kind.RECAPTCHA_V3_ENTERPRISE, RECAPTCHA, when={"isEnterprise": True}),
            TaskType(Kind.RECAPTCHA_V3, RECAPTCHA),
        ),
        **_both("RecaptchaV3Enterprise", TaskType(Kind.RECAPTCHA_V3_ENTERPRISE, RECAPTCHA)),
        **_both("HCaptcha", TaskType(Kind.HCAPTCHA, RECAPTCHA)),
        **_both("Turnstile", TaskType(Kind.TURNSTILE, TOKEN)),
        **_both(
            "GeeTest",
            TaskType(Kind.GEETEST_V4, GEETEST_V4, ("websiteURL", "gt"), "gt", {"version": 4}),
            TaskType(Kind.GEETEST_V3, GEETEST_V3, ("websiteURL", "gt", "challenge"), "gt"),
        ),
        **_both(
            "FunCaptcha",
            TaskType(
                Kind.FUNCAPTCHA, TOKEN, ("websiteURL", "websitePublicKey"), "websitePublicKey"
            ),
        ),
        **_both("Amazon", TaskType(Kind.AMAZON_WAF, WAF_COOKIES)),
        **_both("MtCaptcha", TaskType(Kind.MTCAPTCHA, TOKEN)),
        **_both("FriendlyCaptcha", TaskType(Kind.FRIENDLY_CAPTCHA, TOKEN)),
        **_both("YandexSmartCaptcha", TaskType(Kind.YANDEX_SMARTCAPTCHA, TOKEN)),
        "ImageToTextTask": (TaskType(Kind.IMAGE, TEXT, ("body",)),),
    }
    codes: ClassVar[Mapping[ErrorCode, str]] = {
        code: code.value for code, info in ERRORS.items() if info.family is not Family.CLIENT
    }

    idempotent = True

    def ready(self, purchase: Purchase) -> JsonObject:
        """Without the fields that only some services send."""
        whole = super().ready(purchase)
        return {name: whole[name] for name in ("errorId", "status", "solution", "cost")}

    def refusal(self, refused: RefusedError, _method: str) -> Reply:
        """In the contract's shape."""
        seconds = refused.retry_after
        whole = seconds is not None and float(seconds).is_integer()
        return Answer(
            error=refused.code.value,
            message=refused.message,
            retry_after=seconds,
            retry_after_header=f"{seconds:.0f}" if whole else None,
        ).reply()

    def scripted(self, rule: Answer, _method: str) -> Reply:
        """In the contract's shape."""
        return rule.reply()
