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
    Proxied,
    TaskType,
    Trouble,
    pair,
)

from .base import Dialect
from .limits import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.sandbox.tasks import TaskTypes

_SCORED = ("websiteURL", "websiteKey", "minScore")
_FUNCAPTCHA = ("websiteURL", "websitePublicKey")
_AMAZON = ("websiteURL", "websiteKey", "iv", "context")
_SLIDER = ("websiteURL", "captchaUrl", "userAgent")
_V4_KEY = "initParameters.captcha_id"
_BOTH = {**RECAPTCHA, **TOKEN}


class TwoCaptcha(Dialect):
    """Errors come with HTTP 200; what is not solved, or reported as incorrect, is paid back."""

    name = "2captcha"
    tasks: ClassVar[TaskTypes] = {
        **pair("RecaptchaV2", TaskType(Kind.RECAPTCHA_V2, _BOTH)),
        **pair("RecaptchaV2Enterprise", TaskType(Kind.RECAPTCHA_V2_ENTERPRISE, _BOTH)),
        "RecaptchaV3TaskProxyless": (
            TaskType(Kind.RECAPTCHA_V3_ENTERPRISE, _BOTH, _SCORED, when={"isEnterprise": True}),
            TaskType(Kind.RECAPTCHA_V3, _BOTH, _SCORED),
        ),
        **pair("Turnstile", TaskType(Kind.TURNSTILE, TOKEN)),
        **pair(
            "GeeTest",
            TaskType(Kind.GEETEST_V4, GEETEST_V4, ("websiteURL", _V4_KEY), _V4_KEY, {"version": 4}),
            TaskType(Kind.GEETEST_V3, GEETEST_V3, ("websiteURL", "gt", "challenge"), "gt"),
        ),
        **pair("FunCaptcha", TaskType(Kind.FUNCAPTCHA, TOKEN, _FUNCAPTCHA, "websitePublicKey")),
        **pair("Amazon", TaskType(Kind.AMAZON_WAF, WAF_VOUCHER, _AMAZON)),
        **pair("MtCaptcha", TaskType(Kind.MTCAPTCHA, TOKEN)),
        **pair("FriendlyCaptcha", TaskType(Kind.FRIENDLY_CAPTCHA, TOKEN)),
        **pair("YandexSmartCaptcha", TaskType(Kind.YANDEX_SMARTCAPTCHA, TOKEN)),
        "DataDomeSliderTask": (
            TaskType(Kind.DATADOME, DATADOME_HEADER, _SLIDER, proxied=Proxied.MUST),
        ),
        "ImageToTextTask": (TaskType(Kind.IMAGE, TEXT, ("body",)),),
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
    limits = Limits(picture=(100, 100_000))
    refunds = True
    classic = True
    refunds_reports = True


class RuCaptcha(TwoCaptcha):
    """2Captcha at its Russian address."""

    name = "rucaptcha"
