"""Any other service with createTask, as most of them are: names and errors like 2Captcha's."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox.tasks import RECAPTCHA, TOKEN, TaskType, pair

from .base import Dialect
from .twocaptcha import TwoCaptcha

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.errors import ErrorCode
    from scrapy_captcha.sandbox.tasks import TaskTypes, Trouble


class Generic(Dialect):
    """A service that takes no reports and pays nothing back; every error has the id 1."""

    name = "generic"
    tasks: ClassVar[TaskTypes] = {
        **TwoCaptcha.tasks,
        **pair("Amazon", TaskType(Kind.AMAZON_WAF, TOKEN)),
        **pair("HCaptcha", TaskType(Kind.HCAPTCHA, RECAPTCHA)),
    }
    codes: ClassVar[Mapping[ErrorCode, str]] = TwoCaptcha.codes
    words: ClassVar[Mapping[ErrorCode | Trouble, str]] = TwoCaptcha.words
