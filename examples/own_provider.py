"""A provider of one's own: a service that speaks createTask in its own words."""

import scrapy

from scrapy_captcha import ErrorCode, Kind
from scrapy_captcha.providers import CreateTask, Meaning, PollingRules, TaskType


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
        "ERROR_NO_MONEY": Meaning(ErrorCode.BALANCE_EMPTY),
        "ERROR_TRY_LATER": Meaning(ErrorCode.CAPACITY, delay=10.0),
    }
    prices = {Kind.TURNSTILE: 0.001}


class OwnProviderSpider(scrapy.Spider):
    name = "own_provider"
    start_urls = ["http://127.0.0.1:8001/page/1"]
    allowed_domains = ["127.0.0.1"]
    custom_settings = {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_PROVIDERS": [ShopSolver],
        # The sandbox in its place. Without this line it is the base_url from above.
        "CAPTCHA_API_URL": "http://127.0.0.1:8000/generic",
    }

    def parse(self, response):
        yield {"title": response.css("h1::text").get()}
