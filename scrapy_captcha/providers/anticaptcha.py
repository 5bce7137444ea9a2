"""Anti-Captcha, https://anti-captcha.com/apidoc."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.providers.createtask import CreateTask
from scrapy_captcha.providers.meanings import COMMON, Meaning, meanings
from scrapy_captcha.providers.polling import PollingRules
from scrapy_captcha.providers.tasks import (
    AMAZON,
    COOKIES,
    DATA_S,
    ENTERPRISE_DATA_S,
    FUNCAPTCHA,
    GEETEST,
    GEETEST_V3,
    IMAGE,
    INVISIBLE,
    SCORE,
    SPLIT_PROXY,
    USER_AGENT,
    WIDGET,
    TaskType,
    sold_score,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.models import Scalar
    from scrapy_captcha.providers.base import Order

# A user agent is taken together with a proxy only.
_AS_BROWSER = SPLIT_PROXY | USER_AGENT
_AS_SESSION = _AS_BROWSER | COOKIES


class AntiCaptcha(CreateTask):
    """Anti-Captcha. Failed tasks are charged too."""

    name = "anticaptcha"
    base_url = "https://api.anti-captcha.com"
    rules = PollingRules(first=5.0, interval=2.0)
    tasks: ClassVar[Mapping[Kind, TaskType]] = {
        Kind.RECAPTCHA_V2: TaskType(
            "RecaptchaV2TaskProxyless",
            "RecaptchaV2Task",
            WIDGET | DATA_S | INVISIBLE,
            proxied_fields=_AS_SESSION,
        ),
        Kind.RECAPTCHA_V2_ENTERPRISE: TaskType(
            "RecaptchaV2EnterpriseTaskProxyless",
            "RecaptchaV2EnterpriseTask",
            WIDGET | ENTERPRISE_DATA_S,
            proxied_fields=_AS_SESSION,
        ),
        Kind.RECAPTCHA_V3: TaskType(
            "RecaptchaV3TaskProxyless", fields=WIDGET | SCORE, constants={"minScore": 0.3}
        ),
        Kind.RECAPTCHA_V3_ENTERPRISE: TaskType(
            "RecaptchaV3TaskProxyless",
            fields=WIDGET | SCORE,
            constants={"minScore": 0.3, "isEnterprise": True},
        ),
        Kind.TURNSTILE: TaskType(
            "TurnstileTaskProxyless",
            "TurnstileTask",
            WIDGET | {"action": "action", "cData": "cdata", "chlPageData": "page_data"},
        ),
        Kind.GEETEST_V3: TaskType(
            "GeeTestTaskProxyless", "GeeTestTask", GEETEST_V3, proxied_fields=_AS_BROWSER
        ),
        Kind.GEETEST_V4: TaskType(
            "GeeTestTaskProxyless",
            "GeeTestTask",
            GEETEST | {"gt": "site_key"},
            {"version": 4},
            _AS_BROWSER,
        ),
        Kind.FUNCAPTCHA: TaskType(
            "FunCaptchaTaskProxyless", "FunCaptchaTask", FUNCAPTCHA, proxied_fields=_AS_BROWSER
        ),
        Kind.AMAZON_WAF: TaskType("AmazonTaskProxyless", "AmazonTask", AMAZON),
        Kind.FRIENDLY_CAPTCHA: TaskType(
            "FriendlyCaptchaTaskProxyless", "FriendlyCaptchaTask", WIDGET
        ),
        Kind.IMAGE: TaskType("ImageToTextTask", fields=IMAGE),
    }
    errors = COMMON | meanings(
        {
            Meaning(ErrorCode.AUTH_FORBIDDEN): (
                "ERROR_FUNCAPTCHA_NOT_ALLOWED ERROR_FACTORY_ACCESS_DENIED "
                "ERROR_FACTORY_IS_SANDBOXED"
            ),
            Meaning(ErrorCode.INPUT_MISSING): (
                "ERROR_EMPTY_COMMENT ERROR_INCORRECT_SESSION_DATA ERROR_FACTORY_MISSING_PROPERTY"
            ),
            Meaning(ErrorCode.INPUT_BAD_TYPE): (
                "ERROR_RECAPTCHA_OLD_BROWSER ERROR_TEMPLATE_NOT_FOUND "
                "ERROR_FACTORY_PROPERTY_INCORRECT_FORMAT"
            ),
            Meaning(ErrorCode.METHOD_INVALID): (
                "ERROR_INVISIBLE_RECAPTCHA ERROR_VISIBLE_RECAPTCHA ERROR_INVALID_KEY_TYPE"
            ),
            # All workers are filtered out by the account's own reports.
            Meaning(ErrorCode.CAPACITY, 60.0): "ERROR_ALL_WORKERS_FILTERED",
            Meaning(ErrorCode.UNSOLVABLE, 5.0): "ERROR_FAILED_LOADING_WIDGET ERROR_TASK_CANCELED",
            Meaning(ErrorCode.UNSOLVABLE, 10.0): (
                "ERROR_FACTORY_SERVER_BAD_JSON ERROR_FACTORY_SERVER_ERRORID_MISSING "
                "ERROR_FACTORY_SERVER_ERRORID_NOT_ZERO ERROR_FACTORY_SERVER_OPERATION_FAILED "
                "ERROR_FACTORY_PLATFORM_OPERATION_FAILED ERROR_FACTORY_PROTOCOL_BROKEN"
            ),
            Meaning(ErrorCode.NOT_FOUND): "ERROR_FACTORY_TASK_NOT_FOUND",
            Meaning(ErrorCode.PROVIDER_TIMEOUT, 10.0): "ERROR_FACTORY_SERVER_API_CONNECTION_FAILED",
            Meaning(ErrorCode.PROXY_REFUSED): (
                "ERROR_PROXY_TRANSPARENT ERROR_PROXY_HAS_NO_IMAGE_SUPPORT "
                "ERROR_PROXY_INCOMPATIBLE_HTTP_VERSION"
            ),
        }
    )
    # A correct solution of reCAPTCHA v2 may be reported, but is ignored.
    reports: ClassVar[Mapping[tuple[Kind, bool], str]] = {
        (Kind.IMAGE, False): "reportIncorrectImageCaptcha",
        (Kind.RECAPTCHA_V2, False): "reportIncorrectRecaptcha",
        (Kind.RECAPTCHA_V2_ENTERPRISE, False): "reportIncorrectRecaptcha",
        (Kind.RECAPTCHA_V3, False): "reportIncorrectRecaptcha",
        (Kind.RECAPTCHA_V3_ENTERPRISE, False): "reportIncorrectRecaptcha",
        (Kind.RECAPTCHA_V3, True): "reportCorrectRecaptcha",
        (Kind.RECAPTCHA_V3_ENTERPRISE, True): "reportCorrectRecaptcha",
    }
    report_window = 60.0
    prices: ClassVar[Mapping[Kind, float]] = {  # in dollars
        Kind.IMAGE: 0.0005,
        Kind.RECAPTCHA_V2: 0.00095,
        Kind.RECAPTCHA_V2_ENTERPRISE: 0.005,
        Kind.RECAPTCHA_V3: 0.001,
        Kind.RECAPTCHA_V3_ENTERPRISE: 0.005,
        Kind.TURNSTILE: 0.002,
        Kind.GEETEST_V3: 0.0018,
        Kind.GEETEST_V4: 0.0018,
        Kind.FUNCAPTCHA: 0.003,
        Kind.AMAZON_WAF: 0.002,
        Kind.FRIENDLY_CAPTCHA: 0.002,
    }

    def values(self, order: Order) -> dict[str, Scalar]:
        """With a score for reCAPTCHA v3 that the service sells."""
        return sold_score(super().values(order))
