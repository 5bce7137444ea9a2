"""2Captcha, https://2captcha.com/api-docs, and RuCaptcha, the same under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox.tasks import (
    DATADOME_HEADER,
    GEETEST_V3,
    GEETEST_V4,
    RECAPTCHA,
    TEXT,
    TOKEN,
    WAF_VOUCHER,
    OfferedTask,
    Proxied,
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
_AMAZON = ("websiteURL", "websiteKey", "iv", "context")
_SLIDER = ("websiteURL", "captchaUrl", "userAgent")
_V4_KEY = "initParameters.captcha_id"
_BOTH = {**RECAPTCHA, **TOKEN}


class TwoCaptchaDialect(Dialect):
    """Errors come with HTTP 200; what is not solved, or reported as incorrect, is paid back."""

    name = "2captcha"
    tasks: ClassVar[TaskTypes] = {
        **pair("RecaptchaV2", OfferedTask(Kind.RECAPTCHA_V2, _BOTH)),
        **pair("RecaptchaV2Enterprise", OfferedTask(Kind.RECAPTCHA_V2_ENTERPRISE, _BOTH)),
        "RecaptchaV3TaskProxyless": (
            OfferedTask(Kind.RECAPTCHA_V3_ENTERPRISE, _BOTH, _SCORED, when={"isEnterprise": True}),
            OfferedTask(Kind.RECAPTCHA_V3, _BOTH, _SCORED),
        ),
        **pair("Turnstile", OfferedTask(Kind.TURNSTILE, TOKEN)),
        **pair(
            "GeeTest",
            OfferedTask(
                Kind.GEETEST_V4, GEETEST_V4, ("websiteURL", _V4_KEY), _V4_KEY, {"version": 4}
            ),
            OfferedTask(Kind.GEETEST_V3, GEETEST_V3, ("websiteURL", "gt", "challenge"), "gt"),
        ),
        **pair("FunCaptcha", OfferedTask(Kind.FUNCAPTCHA, TOKEN, _FUNCAPTCHA, "websitePublicKey")),
        **pair("Amazon", OfferedTask(Kind.AMAZON_WAF, WAF_VOUCHER, _AMAZON)),
        **pair("MtCaptcha", OfferedTask(Kind.MTCAPTCHA, TOKEN)),
        **pair("FriendlyCaptcha", OfferedTask(Kind.FRIENDLY_CAPTCHA, TOKEN)),
        **pair("YandexSmartCaptcha", OfferedTask(Kind.YANDEX_SMARTCAPTCHA, TOKEN)),
        "DataDomeSliderTask": (
            OfferedTask(Kind.DATADOME, DATADOME_HEADER, _SLIDER, proxied=Proxied.MUST),
        ),
        "ImageToTextTask": (OfferedTask(Kind.IMAGE, TEXT, ("body",)),),
    }
    codes: ClassVar[Mapping[ErrorCode, str]] = {
        ErrorCode.AUTH_INVALID: "ERROR_KEY_DOES_NOT_EXIST",
        ErrorCode.AUTH_FORBIDDEN: "ERROR_IP_NOT_ALLOWED",
        ErrorCode.BALANCE_EMPTY: "ERROR_ZERO_BALANCE",
        ErrorCode.INPUT_MISSING: "ERROR_BAD_PARAMETERS",
        ErrorCode.INPUT_BAD_TYPE: "ERROR_IMAGE_TYPE_NOT_SUPPORTED",
        ErrorCode.INPUT_TOO_SMALL: "ERROR_ZERO_CAPTCHA_FILESIZE",
        ErrorCode.INPUT_TOO_LARGE: "ERROR_TOO_BIG_CAPTCHA_FILESIZE",
        ErrorCode.METHOD_INVALID: "ERROR_TASK_NOT_SUPPORTED",
        ErrorCode.CAPACITY: "ERROR_NO_SLOT_AVAILABLE",
        ErrorCode.UNSOLVABLE: "ERROR_CAPTCHA_UNSOLVABLE",
        ErrorCode.NOT_FOUND: "ERROR_NO_SUCH_CAPCHA_ID",
        ErrorCode.PROVIDER_SITEKEY: "ERROR_RECAPTCHA_INVALID_SITEKEY",
        ErrorCode.PROXY_REFUSED: "ERROR_BAD_PROXY",
    }
    words: ClassVar[Mapping[ErrorCode | Trouble, str]] = {
        Trouble.NO_JSON: "ERROR_TASK_ABSENT",
        Trouble.NO_KEY: "ERROR_KEY_DOES_NOT_EXIST",
        Trouble.NO_METHOD: "ERROR_NO_SUCH_METHOD",
        Trouble.NO_TASK: "ERROR_TASK_ABSENT",
        Trouble.WRONG_FIELD: "ERROR_BAD_PARAMETERS",
        Trouble.NO_PROXY: "ERROR_BAD_PROXY",
    }
    ids: ClassVar[Mapping[str, int]] = {
        "ERROR_KEY_DOES_NOT_EXIST": 1,
        "ERROR_NO_SLOT_AVAILABLE": 2,
        "ERROR_ZERO_CAPTCHA_FILESIZE": 3,
        "ERROR_TOO_BIG_CAPTCHA_FILESIZE": 4,
        "ERROR_PAGEURL": 5,
        "ERROR_ZERO_BALANCE": 10,
        "ERROR_IP_NOT_ALLOWED": 11,
        "ERROR_CAPTCHA_UNSOLVABLE": 12,
        "ERROR_BAD_DUPLICATES": 13,
        "ERROR_NO_SUCH_METHOD": 14,
        "ERROR_IMAGE_TYPE_NOT_SUPPORTED": 15,
        "ERROR_NO_SUCH_CAPCHA_ID": 16,
        "ERROR_IP_BLOCKED": 21,
        "ERROR_TASK_ABSENT": 22,
        "ERROR_TASK_NOT_SUPPORTED": 23,
        "ERROR_RECAPTCHA_INVALID_SITEKEY": 31,
        "ERROR_ACCOUNT_SUSPENDED": 55,
        "ERROR_BAD_PARAMETERS": 110,
        "ERROR_BAD_IMGINSTRUCTIONS": 115,
        "ERROR_BAD_PROXY": 130,
    }
    reports: ClassVar[Mapping[str, bool]] = {"reportIncorrect": False, "reportCorrect": True}
    limits = ServiceLimits(picture=(100, 100_000))
    refunds = True
    classic = True
    refunds_reports = True


class RuCaptchaDialect(TwoCaptchaDialect):
    """2Captcha at its Russian address."""

    name = "rucaptcha"
