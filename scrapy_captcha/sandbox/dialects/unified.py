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
    OfferedTask,
)

from .base import Dialect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.errors import ErrorCode
    from scrapy_captcha.sandbox.purchases import SoldTask
    from scrapy_captcha.sandbox.script import HttpReply
    from scrapy_captcha.sandbox.tasks import JsonObject, RefusedError, TaskTypes


def _both(stem: str, *types: OfferedTask) -> TaskTypes:
    # Nothing is known of how the API wants a proxy to be described.
    return {f"{stem}TaskProxyless": types, f"{stem}Task": types}


class UnifiedDialect(Dialect):
    """The API of the error contract."""

    name = "unified"
    tasks: ClassVar[TaskTypes] = {
        **_both("RecaptchaV2", OfferedTask(Kind.RECAPTCHA_V2, RECAPTCHA)),
        **_both("RecaptchaV2Enterprise", OfferedTask(Kind.RECAPTCHA_V2_ENTERPRISE, RECAPTCHA)),
        **_both(
            "RecaptchaV3",
            OfferedTask(Kind.RECAPTCHA_V3_ENTERPRISE, RECAPTCHA, when={"isEnterprise": True}),
            OfferedTask(Kind.RECAPTCHA_V3, RECAPTCHA),
        ),
        **_both("RecaptchaV3Enterprise", OfferedTask(Kind.RECAPTCHA_V3_ENTERPRISE, RECAPTCHA)),
        **_both("HCaptcha", OfferedTask(Kind.HCAPTCHA, RECAPTCHA)),
        **_both("Turnstile", OfferedTask(Kind.TURNSTILE, TOKEN)),
        **_both(
            "GeeTest",
            OfferedTask(Kind.GEETEST_V4, GEETEST_V4, ("websiteURL", "gt"), "gt", {"version": 4}),
            OfferedTask(Kind.GEETEST_V3, GEETEST_V3, ("websiteURL", "gt", "challenge"), "gt"),
        ),
        **_both(
            "FunCaptcha",
            OfferedTask(
                Kind.FUNCAPTCHA, TOKEN, ("websiteURL", "websitePublicKey"), "websitePublicKey"
            ),
        ),
        **_both("Amazon", OfferedTask(Kind.AMAZON_WAF, WAF_COOKIES)),
        **_both("MtCaptcha", OfferedTask(Kind.MTCAPTCHA, TOKEN)),
        **_both("FriendlyCaptcha", OfferedTask(Kind.FRIENDLY_CAPTCHA, TOKEN)),
        **_both("YandexSmartCaptcha", OfferedTask(Kind.YANDEX_SMARTCAPTCHA, TOKEN)),
        "ImageToTextTask": (OfferedTask(Kind.IMAGE, TEXT, ("body",)),),
    }
    codes: ClassVar[Mapping[ErrorCode, str]] = {
        code: code.value for code, info in ERRORS.items() if info.family is not Family.CLIENT
    }

    idempotent = True

    def ready(self, purchase: SoldTask) -> JsonObject:
        """Without the fields that only some services send."""
        whole = super().ready(purchase)
        return {name: whole[name] for name in ("errorId", "status", "solution", "cost")}

    def refusal(self, refused: RefusedError, _method: str) -> HttpReply:
        """In the contract's shape."""
        seconds = refused.retry_after
        whole = seconds is not None and float(seconds).is_integer()
        return Answer(
            error=refused.code.value,
            message=refused.message,
            retry_after=seconds,
            retry_after_header=f"{seconds:.0f}" if whole else None,
        ).reply()

    def scripted(self, rule: Answer, _method: str) -> HttpReply:
        """In the contract's shape."""
        return rule.reply()
