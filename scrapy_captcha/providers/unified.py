"""The unified API: one format of errors for all services behind it.

Only its errors are published; the requests are the common createTask, getTaskResult and
getBalance. If the real endpoints differ, only this class changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode, SolverError, read_error
from scrapy_captcha.models import Kind
from scrapy_captcha.providers.createtask import CreateTask
from scrapy_captcha.providers.tasks import (
    AMAZON,
    API_DOMAIN,
    DATA_S,
    ENTERPRISE_DATA_S,
    FUNCAPTCHA,
    GEETEST,
    IMAGE,
    INVISIBLE,
    SCORE,
    USER_AGENT,
    WIDGET,
    TaskType,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.providers.base import Body, Order, Reply

_PAGE = WIDGET | USER_AGENT
_GEETEST = GEETEST | USER_AGENT
_V3 = WIDGET | SCORE | API_DOMAIN


class Unified(CreateTask):
    """The API of the error contract, over createTask, getTaskResult and getBalance."""

    name = "unified"
    tells_balance = False  # the format of the answer is not published
    tasks: ClassVar[Mapping[Kind, TaskType]] = {
        Kind.RECAPTCHA_V2: TaskType(
            "RecaptchaV2TaskProxyless",
            "RecaptchaV2Task",
            _PAGE | DATA_S | INVISIBLE | API_DOMAIN,
        ),
        Kind.RECAPTCHA_V2_ENTERPRISE: TaskType(
            "RecaptchaV2EnterpriseTaskProxyless",
            "RecaptchaV2EnterpriseTask",
            _PAGE | ENTERPRISE_DATA_S | INVISIBLE | API_DOMAIN,
        ),
        Kind.RECAPTCHA_V3: TaskType(
            "RecaptchaV3TaskProxyless", fields=_V3, constants={"minScore": 0.3}
        ),
        Kind.RECAPTCHA_V3_ENTERPRISE: TaskType(
            "RecaptchaV3TaskProxyless",
            fields=_V3,
            constants={"minScore": 0.3, "isEnterprise": True},
        ),
        Kind.HCAPTCHA: TaskType("HCaptchaTaskProxyless", "HCaptchaTask", WIDGET | INVISIBLE),
        Kind.TURNSTILE: TaskType(
            "TurnstileTaskProxyless",
            "TurnstileTask",
            _PAGE | {"action": "action", "data": "cdata", "pagedata": "page_data"},
        ),
        Kind.GEETEST_V3: TaskType(
            "GeeTestTaskProxyless",
            "GeeTestTask",
            _GEETEST | {"gt": "site_key", "challenge": "challenge"},
        ),
        Kind.GEETEST_V4: TaskType(
            "GeeTestTaskProxyless",
            "GeeTestTask",
            # Services differ in where they expect the id of version 4.
            _GEETEST | {"gt": "site_key", "initParameters.captcha_id": "site_key"},
            {"version": 4},
        ),
        Kind.FUNCAPTCHA: TaskType(
            "FunCaptchaTaskProxyless",
            "FunCaptchaTask",
            FUNCAPTCHA | USER_AGENT,
        ),
        Kind.AMAZON_WAF: TaskType(
            "AmazonTaskProxyless",
            "AmazonTask",
            AMAZON,
        ),
        Kind.MTCAPTCHA: TaskType("MtCaptchaTaskProxyless", "MtCaptchaTask", WIDGET),
        Kind.FRIENDLY_CAPTCHA: TaskType(
            "FriendlyCaptchaTaskProxyless", "FriendlyCaptchaTask", WIDGET
        ),
        Kind.YANDEX_SMARTCAPTCHA: TaskType(
            "YandexSmartCaptchaTaskProxyless", "YandexSmartCaptchaTask", _PAGE
        ),
        Kind.IMAGE: TaskType("ImageToTextTask", fields=IMAGE),
    }

    def read(self, reply: Reply) -> Body:
        """The JSON object of a 2xx answer without an ``error``."""
        body = reply.json()
        error = read_error(reply.status, reply.headers, body, now=reply.at)
        if error is None and isinstance(body, dict):
            return body
        raise error or SolverError(ErrorCode.BAD_REPLY, http_status=reply.status)

    def purchase_headers(self, order: Order) -> Mapping[str, str]:
        """The header by which a purchase that is sent again is recognised."""
        return {"Idempotency-Key": order.purchase_id}
