"""2Captcha, https://2captcha.com/api-docs, and its sister RuCaptcha."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.providers.createtask import CreateTask
from scrapy_captcha.providers.meanings import COMMON, Meaning, meanings
from scrapy_captcha.providers.polling import PollingRules
from scrapy_captcha.providers.tasks import (
    API_DOMAIN,
    COOKIES,
    DATA_S,
    ENTERPRISE_DATA_S,
    FUNCAPTCHA,
    GEETEST,
    GEETEST_V3,
    IMAGE,
    INVISIBLE,
    SCORE,
    USER_AGENT,
    WIDGET,
    TaskType,
    sold_score,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.models import Scalar
    from scrapy_captcha.providers.base import Order

_PAGE = WIDGET | USER_AGENT
_SESSION = _PAGE | COOKIES
_V3 = WIDGET | SCORE | API_DOMAIN


class TwoCaptcha(CreateTask):
    """2Captcha. It bans accounts that poll a task more often than every five seconds."""

    name = "2captcha"
    base_url = "https://api.2captcha.com"
    rules = PollingRules(first=5.0, interval=5.0)
    # No Amazon WAF: what it sells is a voucher that the page's own script has to exchange.
    tasks: ClassVar[Mapping[Kind, TaskType]] = {
        Kind.RECAPTCHA_V2: TaskType(
            "RecaptchaV2TaskProxyless",
            "RecaptchaV2Task",
            _SESSION | DATA_S | INVISIBLE | API_DOMAIN,
        ),
        Kind.RECAPTCHA_V2_ENTERPRISE: TaskType(
            "RecaptchaV2EnterpriseTaskProxyless",
            "RecaptchaV2EnterpriseTask",
            _SESSION | ENTERPRISE_DATA_S | INVISIBLE | API_DOMAIN,
        ),
        Kind.RECAPTCHA_V3: TaskType(
            "RecaptchaV3TaskProxyless", fields=_V3, constants={"minScore": 0.3}
        ),
        Kind.RECAPTCHA_V3_ENTERPRISE: TaskType(
            "RecaptchaV3TaskProxyless",
            fields=_V3,
            constants={"minScore": 0.3, "isEnterprise": True},
        ),
        Kind.TURNSTILE: TaskType(
            "TurnstileTaskProxyless",
            "TurnstileTask",
            _PAGE | {"action": "action", "data": "cdata", "pagedata": "page_data"},
        ),
        Kind.GEETEST_V3: TaskType("GeeTestTaskProxyless", "GeeTestTask", GEETEST_V3 | USER_AGENT),
        Kind.GEETEST_V4: TaskType(
            "GeeTestTaskProxyless",
            "GeeTestTask",
            GEETEST | USER_AGENT | {"initParameters.captcha_id": "site_key"},
            {"version": 4},
        ),
        Kind.FUNCAPTCHA: TaskType(
            "FunCaptchaTaskProxyless", "FunCaptchaTask", FUNCAPTCHA | USER_AGENT
        ),
        Kind.MTCAPTCHA: TaskType("MtCaptchaTaskProxyless", "MtCaptchaTask", WIDGET),
        Kind.FRIENDLY_CAPTCHA: TaskType(
            "FriendlyCaptchaTaskProxyless", "FriendlyCaptchaTask", WIDGET
        ),
        Kind.YANDEX_SMARTCAPTCHA: TaskType(
            "YandexSmartCaptchaTaskProxyless", "YandexSmartCaptchaTask", _SESSION
        ),
        Kind.IMAGE: TaskType("ImageToTextTask", fields=IMAGE),
        Kind.DATADOME: TaskType(
            None,
            "DataDomeSliderTask",
            {"websiteURL": "url", "captchaUrl": "captcha_url"} | USER_AGENT,
            needs=("captcha_url",),
        ),
    }
    # The older API's codes are still seen in answers of the newer one.
    errors = COMMON | meanings(
        {
            Meaning(ErrorCode.AUTH_INVALID): "ERROR_WRONG_USER_KEY",
            Meaning(ErrorCode.AUTH_FORBIDDEN): "ERROR_IP_ADDRES",
            Meaning(ErrorCode.AUTH_FORBIDDEN, 300.0): "ERROR_IP_BLOCKED IP_BANNED",
            Meaning(ErrorCode.INPUT_MISSING): "ERROR_EMPTY_ACTION",
            Meaning(ErrorCode.INPUT_BAD_TYPE): (
                "ERROR_BAD_IMGINSTRUCTIONS ERROR_WRONG_FILE_EXTENSION ERROR_UPLOAD"
            ),
            Meaning(ErrorCode.CAPACITY, 10.0): "MAX_USER_TURN",
            Meaning(ErrorCode.UNSOLVABLE): "ERROR_CAPTCHAIMAGE_BLOCKED",
            Meaning(ErrorCode.NOT_FOUND): "ERROR_WRONG_ID_FORMAT ERROR_WRONG_CAPTCHA_ID",
            Meaning(ErrorCode.PROVIDER_SITEKEY): "ERROR_GOOGLEKEY ERROR_SITEKEY",
            Meaning(ErrorCode.PROVIDER_DOMAIN): "ERROR_BAD_TOKEN_OR_PAGEURL",
        }
    )
    reports: ClassVar[Mapping[tuple[Kind, bool], str]] = {
        (kind, accepted): "reportCorrect" if accepted else "reportIncorrect"
        for kind in tasks
        for accepted in (True, False)
    }
    prices: ClassVar[Mapping[Kind, float]] = {  # in dollars
        Kind.IMAGE: 0.001,
        Kind.RECAPTCHA_V2: 0.00299,
        Kind.RECAPTCHA_V2_ENTERPRISE: 0.00299,
        Kind.RECAPTCHA_V3: 0.00145,
        Kind.RECAPTCHA_V3_ENTERPRISE: 0.00299,
        Kind.TURNSTILE: 0.00145,
        Kind.GEETEST_V3: 0.00299,
        Kind.GEETEST_V4: 0.00299,
        Kind.FUNCAPTCHA: 0.00299,
        Kind.MTCAPTCHA: 0.00299,
        Kind.FRIENDLY_CAPTCHA: 0.00299,
        Kind.YANDEX_SMARTCAPTCHA: 0.00299,
        Kind.DATADOME: 0.00299,
    }

    def values(self, order: Order) -> dict[str, Scalar]:
        """With a score for reCAPTCHA v3 that the service sells."""
        return sold_score(super().values(order))


class RuCaptcha(TwoCaptcha):
    """RuCaptcha: the same service, with accounts and prices in roubles."""

    name = "rucaptcha"
    base_url = "https://api.rucaptcha.com"
    prices: ClassVar[Mapping[Kind, float]] = {}
