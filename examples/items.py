"""A spider that knows nothing of captchas: the settings do it all."""

import scrapy


class ItemsSpider(scrapy.Spider):
    name = "items"
    start_urls = ["http://127.0.0.1:8001/"]
    allowed_domains = ["127.0.0.1"]
    custom_settings = {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_API_URL": "http://127.0.0.1:8000",
        "CAPTCHA_BUDGET": 1.00,
    }

    def parse(self, response):
        yield from response.follow_all(css="li a", callback=self.parse_item)

    def parse_item(self, response):
        yield {"title": response.css("h1::text").get(), "price": response.css(".price::text").get()}
