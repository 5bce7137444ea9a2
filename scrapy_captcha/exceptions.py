"""What a spider's errback is handed."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest


class CaptchaError(IgnoreRequest):
    """A page is given up because its captcha was not passed.

    *reason* is the last word of its counter ``captcha/dropped_count/<reason>``: a code of the error
    contract, or why nothing was bought. The README lists them all.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"captcha not passed: {reason}")
        self.reason = reason
