"""Anti-Captcha: https://anti-captcha.com/apidoc."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox.tasks import (
    GEETEST_V3,
    GEETEST_V4,
    RECAPTCHA,
    TEXT,
    TOKEN,
    OfferedTask,
    Trouble,
    pair,
)

from .base import Dialect
from .limits import ServiceLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.sandbox.tasks import TaskTypes

_SCORED = ("websiteURL", "websiteKey", "minScore")
_FUNCAPTCHA = ("websiteURL", "websitePublicKey")


class AntiCaptchaDialect(Dialect):
    """Errors come with HTTP 200; solutions are kept, and can be reported, for a minute."""

    name = "anticaptcha"
    tasks: ClassVar[TaskTypes] = {
        **pair("RecaptchaV2", OfferedTask(Kind.RECAPTCHA_V2, RECAPTCHA)),
        **pair("NoCaptcha", OfferedTask(Kind.RECAPTCHA_V2, RECAPTCHA)),
        **pair("RecaptchaV2Enterprise", OfferedTask(Kind.RECAPTCHA_V2_ENTERPRISE, RECAPTCHA)),
        "RecaptchaV3TaskProxyless": (
            OfferedTask(
                Kind.RECAPTCHA_V3_ENTERPRISE, RECAPTCHA, _SCORED, when={"isEnterprise": True}
            ),
            OfferedTask(Kind.RECAPTCHA_V3, RECAPTCHA, _SCORED),
        ),
        **pair("Turnstile", OfferedTask(Kind.TURNSTILE, TOKEN)),
        **pair(
            "GeeTest",
            OfferedTask(Kind.GEETEST_V4, GEETEST_V4, ("websiteURL", "gt"), "gt", {"version": 4}),
            OfferedTask(Kind.GEETEST_V3, GEETEST_V3, ("websiteURL", "gt", "challenge"), "gt"),
        ),
        **pair("FunCaptcha", OfferedTask(Kind.FUNCAPTCHA, TOKEN, _FUNCAPTCHA, "websitePublicKey")),
        **pair("Amazon", OfferedTask(Kind.AMAZON_WAF, TOKEN, ("websiteURL",))),
        **pair("FriendlyCaptcha", OfferedTask(Kind.FRIENDLY_CAPTCHA, TOKEN)),
        "ImageToTextTask": (OfferedTask(Kind.IMAGE, TEXT, ("body",)),),
    }
    codes: ClassVar[Mapping[ErrorCode, str]] = {
        ErrorCode.AUTH_INVALID: "ERROR_KEY_DOES_NOT_EXIST",
        ErrorCode.AUTH_FORBIDDEN: "ERROR_IP_NOT_ALLOWED",
        ErrorCode.BALANCE_EMPTY: "ERROR_ZERO_BALANCE",
        ErrorCode.INPUT_MISSING: "ERROR_INCORRECT_SESSION_DATA",
        ErrorCode.INPUT_BAD_TYPE: "ERROR_IMAGE_TYPE_NOT_SUPPORTED",
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
        ErrorCode.PROXY_TIMEOUT: "ERROR_PROXY_CONNECT_TIMEOUT",
        ErrorCode.PROXY_BANNED: "ERROR_PROXY_BANNED",
        ErrorCode.PROXY_AUTH: "ERROR_PROXY_NOT_AUTHORISED",
    }
    words: ClassVar[Mapping[ErrorCode | Trouble, str]] = {
        Trouble.NO_JSON: "ERROR_TASK_ABSENT",
        Trouble.NO_KEY: "ERROR_KEY_DOES_NOT_EXIST",
        Trouble.NO_METHOD: "ERROR_NO_SUCH_METHOD",
        Trouble.NO_TASK: "ERROR_TASK_ABSENT",
        Trouble.WRONG_FIELD: "ERROR_INCORRECT_SESSION_DATA",
    }
    ids: ClassVar[Mapping[str, int]] = {
        "ERROR_KEY_DOES_NOT_EXIST": 1,
        "ERROR_NO_SLOT_AVAILABLE": 2,
        "ERROR_ZERO_CAPTCHA_FILESIZE": 3,
        "ERROR_TOO_BIG_CAPTCHA_FILESIZE": 4,
        "ERROR_ZERO_BALANCE": 10,
        "ERROR_IP_NOT_ALLOWED": 11,
        "ERROR_CAPTCHA_UNSOLVABLE": 12,
        "ERROR_BAD_DUPLICATES": 13,
        "ERROR_NO_SUCH_METHOD": 14,
        "ERROR_IMAGE_TYPE_NOT_SUPPORTED": 15,
        "ERROR_NO_SUCH_CAPCHA_ID": 16,
        "ERROR_EMPTY_COMMENT": 20,
        "ERROR_IP_BLOCKED": 21,
        "ERROR_TASK_ABSENT": 22,
        "ERROR_TASK_NOT_SUPPORTED": 23,
        "ERROR_INCORRECT_SESSION_DATA": 24,
        "ERROR_PROXY_CONNECT_REFUSED": 25,
        "ERROR_PROXY_CONNECT_TIMEOUT": 26,
        "ERROR_PROXY_READ_TIMEOUT": 27,
        "ERROR_PROXY_BANNED": 28,
        "ERROR_PROXY_TRANSPARENT": 29,
        "ERROR_RECAPTCHA_TIMEOUT": 30,
        "ERROR_RECAPTCHA_INVALID_SITEKEY": 31,
        "ERROR_RECAPTCHA_INVALID_DOMAIN": 32,
        "ERROR_RECAPTCHA_OLD_BROWSER": 33,
        "ERROR_TOKEN_EXPIRED": 34,
        "ERROR_PROXY_HAS_NO_IMAGE_SUPPORT": 35,
        "ERROR_PROXY_INCOMPATIBLE_HTTP_VERSION": 36,
        "ERROR_PROXY_NOT_AUTHORISED": 49,
        "ERROR_INVISIBLE_RECAPTCHA": 51,
        "ERROR_FAILED_LOADING_WIDGET": 52,
        "ERROR_VISIBLE_RECAPTCHA": 53,
        "ERROR_ALL_WORKERS_FILTERED": 54,
        "ERROR_ACCOUNT_SUSPENDED": 55,
        "ERROR_TEMPLATE_NOT_FOUND": 56,
        "ERROR_TASK_CANCELED": 57,
    }
    reports: ClassVar[Mapping[str, bool]] = {
        "reportIncorrectImageCaptcha": False,
        "reportIncorrectRecaptcha": False,
        "reportCorrectRecaptcha": True,
    }
    limits = ServiceLimits(keeps=60, picture=(100, 500_000), one_report=True)
