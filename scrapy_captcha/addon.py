"""One line enables it: ``ADDONS = {"scrapy_captcha.Addon": 500}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.middleware import CaptchaMiddleware

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

ORDER = 585  # see CaptchaMiddleware


class Addon:
    """Adds `CaptchaMiddleware` to ``DOWNLOADER_MIDDLEWARES``, unless the user has added it."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy before the crawl."""
        settings.setdefault_in_component_priority_dict(
            "DOWNLOADER_MIDDLEWARES", CaptchaMiddleware, ORDER
        )
