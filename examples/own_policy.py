"""A policy of one's own: items are given up at once, but not the page that leads to them."""

import scrapy

from scrapy_captcha import CaptchaError

PATIENT = {"policy": {"UNSOLVABLE": "reschedule", "CAPACITY": "reschedule"}, "retry_times": 5}


class OwnPolicySpider(scrapy.Spider):
    name = "own_policy"
    allowed_domains = ["127.0.0.1"]
    custom_settings = {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_API_URL": "http://127.0.0.1:8000",
        "CAPTCHA_POLICY": {"UNSOLVABLE": "drop", "CAPACITY": "drop"},
        "CAPTCHA_RETRY_TIMES": 1,
    }

    async def start(self):
        yield scrapy.Request("http://127.0.0.1:8001/page/1", meta={"captcha": PATIENT})

    def parse(self, response):
        yield from self.parse_item(response)
        yield from response.follow_all(css="li a", callback=self.parse_item, errback=self.given_up)

    def parse_item(self, response):
        yield {"title": response.css("h1::text").get()}

    def given_up(self, failure):
        failure.trap(CaptchaError)
        yield {"url": failure.request.url, "given_up": failure.value.reason}
