"""Any other service that speaks createTask, with the names that most of them use."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.providers.anticaptcha import AntiCaptcha
from scrapy_captcha.providers.capmonster import CapMonster
from scrapy_captcha.providers.capsolver import CapSolver
from scrapy_captcha.providers.createtask import CreateTask
from scrapy_captcha.providers.meanings import COMMON, Meaning, meanings
from scrapy_captcha.providers.polling import PollingRules
from scrapy_captcha.providers.twocaptcha import TwoCaptcha
from scrapy_captcha.providers.unified import Unified

if TYPE_CHECKING:
    from scrapy_captcha.providers.meanings import Meanings

# Codes of compatible services, and of gateways that pass on those of REST services.
_OTHERS = meanings(
    {
        Meaning(ErrorCode.AUTH_INVALID): "unauthorized",
        Meaning(ErrorCode.AUTH_FORBIDDEN): "ERROR_KEY_BANNED forbidden account_locked",
        Meaning(ErrorCode.BALANCE_EMPTY): "insufficient_credits key_credit_limit_exceeded",
        Meaning(ErrorCode.INPUT_BAD_TYPE): (
            "validation_error invalid_request expired_window unsupported_media_type"
        ),
        Meaning(ErrorCode.INPUT_TOO_LARGE): "payload_too_large",
        Meaning(ErrorCode.METHOD_INVALID): "ERROR_PAGE_NOT_FOUND",
        Meaning(ErrorCode.CAPACITY): (
            "rate_limited concurrency_limit_exceeded sitekey_rate_limited rate_capped "
            "ext_daily_limit maintenance"
        ),
        Meaning(ErrorCode.CAPACITY, 10.0): "ERROR_THREADS_MAXIMUM ERROR_INTERNAL_SERVER_ERROR",
        Meaning(ErrorCode.UNSOLVABLE, 3.0): "recognition_failed",
        Meaning(ErrorCode.NOT_FOUND): "not_found not_eligible conflict",
        Meaning(ErrorCode.PROXY_REFUSED): "proxy_unavailable",
    }
)


class Generic(CreateTask):
    """A createTask-compatible service at a base URL that the user sets. It is polled carefully."""

    name = "generic"
    rules = PollingRules(first=3.0, interval=3.0, polls=120)
    tasks = Unified.tasks
    errors: ClassVar[Meanings] = {
        **CapSolver.errors,
        **CapMonster.errors,
        **TwoCaptcha.errors,
        **AntiCaptcha.errors,
        **_OTHERS,
        **COMMON,
    }
