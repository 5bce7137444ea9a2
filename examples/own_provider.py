"""A provider of one's own, a service that speaks createTask in its own words, in a crawl.

::

    export CAPTCHA_KEY_SHOPSOLVER=...
    scrapy runspider examples/own_provider.py -a site=https://shop.example/ -O titles.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Spider

from scrapy_captcha import ErrorCode, Kind
from scrapy_captcha.providers import CreateTask, PollingRules, TaskType, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response


class ShopSolver(CreateTask):
    name = "shopsolver"
    base_url = "https://api.shopsolver.example"
    rules = PollingRules(first=1.0, interval=1.0, polls=60)
    tasks = {
        Kind.TURNSTILE: TaskType(
            "TurnstileTaskProxyless",
            proxied="TurnstileTask",
            fields={"websiteURL": "url", "websiteKey": "site_key", "action": "action"},
        ),
        Kind.IMAGE: TaskType("ImageToTextTask", fields={"body": "image"}),
    }
    errors = CreateTask.errors | {
        "NO_MONEY": Verdict(ErrorCode.BALANCE_EMPTY),
        "TRY_LATER": Verdict(ErrorCode.CAPACITY, delay=10.0),
    }
    prices = {Kind.TURNSTILE: 0.001}


class TitlesSpider(Spider):
    name = "titles"
    custom_settings = {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_PROVIDERS": [ShopSolver],
    }

    def __init__(self, site: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_urls = [site]
        self.allowed_domains = [urlsplit(site).hostname or ""]

    def parse(self, response: Response) -> Iterator[dict[str, str | None]]:
        yield {"title": response.css("title::text").get()}
