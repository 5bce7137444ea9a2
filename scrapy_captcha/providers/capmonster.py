"""CapMonster Cloud, https://docs.capmonster.cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, urlsplit

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.providers.createtask import CreateTask
from scrapy_captcha.providers.meanings import COMMON, Meaning, meanings
from scrapy_captcha.providers.polling import PollingRules
from scrapy_captcha.providers.tasks import (
    ACTION,
    AMAZON,
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
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.models import Captcha, Scalar
    from scrapy_captcha.providers.base import Order
    from scrapy_captcha.proxy import Proxy

_PAGE = WIDGET | USER_AGENT
_SESSION = _PAGE | COOKIES


def _either(
    name: str, fields: Mapping[str, str], constants: Mapping[str, Scalar] | None = None
) -> TaskType:
    """A type that has one name, with a proxy and without."""
    return TaskType(name, name, fields, constants or {})


class CapMonster(CreateTask):
    """CapMonster Cloud. It answers polls of a task that is under way with HTTP 500 at times."""

    name = "capmonster"
    base_url = "https://api.capmonster.cloud"
    rules = PollingRules(first=2.0, interval=2.0, polls=120)
    tasks: ClassVar[Mapping[Kind, TaskType]] = {
        Kind.RECAPTCHA_V2: _either("RecaptchaV2Task", _SESSION | DATA_S | INVISIBLE),
        Kind.RECAPTCHA_V2_ENTERPRISE: _either(
            "RecaptchaV2EnterpriseTask", _SESSION | ACTION | ENTERPRISE_DATA_S | API_DOMAIN
        ),
        Kind.RECAPTCHA_V3: TaskType("RecaptchaV3TaskProxyless", fields=WIDGET | SCORE),
        Kind.RECAPTCHA_V3_ENTERPRISE: TaskType("RecaptchaV3EnterpriseTask", fields=WIDGET | SCORE),
        Kind.TURNSTILE: _either("TurnstileTask", _PAGE | ACTION | {"data": "cdata"}),
        Kind.GEETEST_V3: _either("GeeTestTask", GEETEST_V3 | USER_AGENT, {"version": 3}),
        Kind.GEETEST_V4: _either(
            "GeeTestTask", GEETEST | USER_AGENT | {"gt": "site_key"}, {"version": 4}
        ),
        Kind.FUNCAPTCHA: _either("FunCaptchaTask", FUNCAPTCHA | USER_AGENT | COOKIES),
        # Without cookieSolution the answer is a voucher that the page's own script exchanges.
        Kind.AMAZON_WAF: _either("AmazonTask", AMAZON | USER_AGENT, {"cookieSolution": True}),
        Kind.MTCAPTCHA: _either("MTCaptchaTask", _PAGE | ACTION | INVISIBLE),
        Kind.FRIENDLY_CAPTCHA: TaskType(
            "CustomTask",
            "CustomTask",
            _PAGE | {"metadata.apiGetLib": "api_script"},
            {"class": "friendly"},
            needs=("api_script",),
        ),
        Kind.IMAGE: TaskType("ImageToTextTask", fields=IMAGE),
        Kind.DATADOME: TaskType(
            None,
            "CustomTask",
            {
                "websiteURL": "url",
                "metadata.captchaUrl": "captcha_url",
                "metadata.datadomeCookie": "datadome_cookie",
            }
            | USER_AGENT,
            {"class": "DataDome"},
            needs=("captcha_url",),
        ),
    }
    errors = COMMON | meanings(
        {
            Meaning(ErrorCode.INPUT_MISSING): "ERROR_PROXY_MISSING",
            Meaning(ErrorCode.INPUT_BAD_TYPE): "ERROR_WRONG_USERAGENT",
            Meaning(
                ErrorCode.INPUT_BAD_TYPE,
                refined=(
                    ("missing", ErrorCode.INPUT_MISSING),
                    ("required", ErrorCode.INPUT_MISSING),
                ),
            ): "ERROR_INVALID_TASK",
            Meaning(ErrorCode.CAPACITY, 5.0): "ERROR_TOO_MUCH_REQUESTS",
            Meaning(ErrorCode.CAPACITY, 30.0): "ERROR_SERVICE_NOT_AVAILABLE",
            Meaning(ErrorCode.NOT_FOUND): "WRONG_CAPTCHA_ID",
            Meaning(ErrorCode.PROVIDER_DOMAIN): "ERROR_DOMAIN_NOT_ALLOWED",
            Meaning(ErrorCode.PROXY_AUTH): "ERROR_PROXY_CREDENTIALS_INVALID_CHARACTER",
        }
    )
    reports: ClassVar[Mapping[tuple[Kind, bool], str]] = {
        (kind, False): (
            "reportIncorrectImageCaptcha" if kind is Kind.IMAGE else "reportIncorrectTokenCaptcha"
        )
        for kind in tasks
    }
    report_window = 300.0  # as long as it knows its tasks
    prices: ClassVar[Mapping[Kind, float]] = {  # in dollars
        Kind.IMAGE: 0.0003,
        Kind.RECAPTCHA_V2: 0.0006,
        Kind.RECAPTCHA_V2_ENTERPRISE: 0.001,
        Kind.RECAPTCHA_V3: 0.0009,
        Kind.RECAPTCHA_V3_ENTERPRISE: 0.001,
        Kind.TURNSTILE: 0.0013,
        Kind.GEETEST_V3: 0.0012,
        Kind.GEETEST_V4: 0.0012,
        Kind.FUNCAPTCHA: 0.002,
        Kind.AMAZON_WAF: 0.002,
        Kind.MTCAPTCHA: 0.002,
        Kind.FRIENDLY_CAPTCHA: 0.002,
        Kind.DATADOME: 0.0025,
    }

    def takes(self, captcha: Captcha, proxy: Proxy | None = None) -> bool:
        """As `Provider.takes`; proxies with a percent sign in the credentials are refused."""
        usable = proxy is None or "%" not in proxy.username + proxy.password
        return usable and super().takes(captcha, proxy)

    def values(self, order: Order) -> dict[str, Scalar]:
        """As `Provider.values`, with DataDome's cookie from the URL of the captcha."""
        values = super().values(order)
        cid = parse_qs(urlsplit(str(values.get("captcha_url", ""))).query).get("cid")
        return values | ({"datadome_cookie": f"datadome={cid[0]}"} if cid else {})
