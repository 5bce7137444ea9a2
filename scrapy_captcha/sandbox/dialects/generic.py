"""Any other service with createTask, as most of them are: names and errors like 2Captcha's."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox.tasks import RECAPTCHA, TOKEN, OfferedTask, pair

from .base import Dialect
from .twocaptcha import TwoCaptchaDialect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.errors import ErrorCode
    from scrapy_captcha.sandbox.tasks import TaskTypes, Trouble


class GenericDialect(Dialect):
    """A service that takes no reports and pays nothing back; every error has the id 1."""

    name = "generic"
    tasks: ClassVar[TaskTypes] = {
        **TwoCaptchaDialect.tasks,
        **pair("Amazon", OfferedTask(Kind.AMAZON_WAF, TOKEN)),
        **pair("HCaptcha", OfferedTask(Kind.HCAPTCHA, RECAPTCHA)),
    }
    codes: ClassVar[Mapping[ErrorCode, str]] = TwoCaptchaDialect.codes
    words: ClassVar[Mapping[ErrorCode | Trouble, str]] = TwoCaptchaDialect.words
