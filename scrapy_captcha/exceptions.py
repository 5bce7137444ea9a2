"""The exception that errbacks get."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest


class CaptchaError(IgnoreRequest):
    """A page was given up because its captcha was not solved.

    *reason* is the last part of its stat ``captcha/dropped_count/<reason>``: an error code, or the
    reason why nothing was bought. The README lists them all.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"captcha not solved: {reason}")
        self.reason = reason
