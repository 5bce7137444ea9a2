"""CapSolver, https://docs.capsolver.com."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.providers.createtask import CreateTask
from scrapy_captcha.providers.meanings import COMMON, Meaning, meanings
from scrapy_captcha.providers.polling import PollingRules
from scrapy_captcha.providers.tasks import (
    ACTION,
    API_DOMAIN,
    DATA_S,
    ENTERPRISE_DATA_S,
    GEETEST,
    GEETEST_V3,
    IMAGE,
    INVISIBLE,
    PROXY_LINE,
    USER_AGENT,
    WIDGET,
    TaskType,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.providers.base import Body, TaskId

_V2 = WIDGET | ACTION | INVISIBLE | API_DOMAIN


class CapSolver(CreateTask):
    """CapSolver. Pictures are read at once; anything but ready and failed is a task under way."""

    name = "capsolver"
    base_url = "https://api.capsolver.com"
    rules = PollingRules(first=2.0, interval=3.0, polls=120)
    tasks: ClassVar[Mapping[Kind, TaskType]] = {
        Kind.RECAPTCHA_V2: TaskType("ReCaptchaV2TaskProxyLess", "ReCaptchaV2Task", _V2 | DATA_S),
        Kind.RECAPTCHA_V2_ENTERPRISE: TaskType(
            "ReCaptchaV2EnterpriseTaskProxyLess",
            "ReCaptchaV2EnterpriseTask",
            _V2 | ENTERPRISE_DATA_S,
        ),
        Kind.RECAPTCHA_V3: TaskType(
            "ReCaptchaV3TaskProxyLess", "ReCaptchaV3Task", WIDGET | ACTION | API_DOMAIN
        ),
        Kind.RECAPTCHA_V3_ENTERPRISE: TaskType(
            "ReCaptchaV3EnterpriseTaskProxyLess",
            "ReCaptchaV3EnterpriseTask",
            WIDGET | ACTION | ENTERPRISE_DATA_S | API_DOMAIN,
        ),
        Kind.TURNSTILE: TaskType(
            "AntiTurnstileTaskProxyLess",
            fields=WIDGET | {"metadata.action": "action", "metadata.cdata": "cdata"},
        ),
        Kind.GEETEST_V3: TaskType("GeeTestTaskProxyLess", fields=GEETEST_V3),
        Kind.GEETEST_V4: TaskType(
            "GeeTestTaskProxyLess", fields=GEETEST | {"captchaId": "site_key"}
        ),
        Kind.AMAZON_WAF: TaskType(
            "AntiAwsWafTaskProxyLess",
            "AntiAwsWafTask",
            {
                "websiteURL": "url",
                "awsKey": "site_key",
                "awsIv": "iv",
                "awsContext": "context",
                "awsChallengeJS": "challenge_script",
            },
        ),
        Kind.MTCAPTCHA: TaskType("MtCaptchaTaskProxyLess", "MtCaptchaTask", WIDGET),
        # These two are in its clients, though not in its list of tasks.
        Kind.FRIENDLY_CAPTCHA: TaskType("FriendlyCaptchaTaskProxyless", fields=WIDGET),
        Kind.YANDEX_SMARTCAPTCHA: TaskType("YandexCaptchaTaskProxyLess", fields=WIDGET),
        Kind.IMAGE: TaskType("ImageToTextTask", fields=IMAGE | {"websiteURL": "url"}),
        Kind.CLOUDFLARE_CHALLENGE: TaskType(
            None,
            "AntiCloudflareTask",
            {"websiteURL": "url"} | USER_AGENT,
            proxied_fields=PROXY_LINE,
        ),
        Kind.DATADOME: TaskType(
            None,
            "DatadomeSliderTask",
            {"websiteURL": "url", "captchaUrl": "captcha_url"} | USER_AGENT,
            proxied_fields=PROXY_LINE,
            needs=("captcha_url",),
        ),
    }
    errors = COMMON | meanings(
        {
            Meaning(ErrorCode.AUTH_INVALID): "ERROR_KEY_DENIED_ACCESS",
            Meaning(ErrorCode.AUTH_FORBIDDEN, 300.0): "ERROR_KEY_TEMP_BLOCKED",
            Meaning(ErrorCode.AUTH_FORBIDDEN, 1800.0): "ERROR_IP_BANNED",
            Meaning(ErrorCode.INPUT_BAD_TYPE): (
                "ERROR_UNKNOWN_QUESTION ERROR_INVALID_IMAGE ERROR_PARSE_IMAGE_FAIL"
            ),
            Meaning(
                ErrorCode.INPUT_BAD_TYPE,
                refined=(
                    ("clientkey", ErrorCode.AUTH_INVALID),
                    ("required", ErrorCode.INPUT_MISSING),
                    ("missing", ErrorCode.INPUT_MISSING),
                ),
            ): "ERROR_INVALID_TASK_DATA",
            Meaning(ErrorCode.CAPACITY, 10.0): "ERROR_RATE_LIMIT",
            Meaning(ErrorCode.UNSOLVABLE, 3.0): "ERROR_CAPTCHA_UNSOLVABLE",
            Meaning(ErrorCode.PROVIDER_TIMEOUT, 5.0): "ERROR_TASK_TIMEOUT",
        }
    )
    reports: ClassVar[Mapping[tuple[Kind, bool], str]] = {
        (kind, accepted): "feedbackTask" for kind in tasks for accepted in (True, False)
    }
    report_window = 300.0  # as long as it knows its tasks
    prices: ClassVar[Mapping[Kind, float]] = {  # in dollars
        Kind.IMAGE: 0.0004,
        Kind.RECAPTCHA_V2: 0.0008,
        Kind.RECAPTCHA_V2_ENTERPRISE: 0.001,
        Kind.RECAPTCHA_V3: 0.001,
        Kind.RECAPTCHA_V3_ENTERPRISE: 0.003,
        Kind.TURNSTILE: 0.0012,
        Kind.GEETEST_V3: 0.0012,
        Kind.GEETEST_V4: 0.0012,
        Kind.AMAZON_WAF: 0.002,
        Kind.MTCAPTCHA: 0.002,
        Kind.CLOUDFLARE_CHALLENGE: 0.0012,
        Kind.DATADOME: 0.0025,
    }

    def report_payload(self, task_id: TaskId, accepted: bool) -> Body:
        """One call for both outcomes."""
        return {"taskId": task_id, "result": {"invalid": not accepted}}
