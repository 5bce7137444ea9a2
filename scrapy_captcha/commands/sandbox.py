"""``scrapy captcha sandbox``: the same as ``python -m scrapy_captcha.sandbox``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.sandbox.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy.settings import BaseSettings


def run(_settings: BaseSettings, arguments: Sequence[str]) -> int:
    """Run until SIGINT or SIGTERM; *arguments* are the sandbox's own."""
    main(arguments, prog="scrapy captcha sandbox")
    return 0
