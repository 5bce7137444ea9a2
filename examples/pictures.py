"""Pages behind pictures of text, read by CapSolver.

A text is misread now and then. The site shows another picture, which is bought as well. The service
hears of what was accepted, and of what was certainly misread; it may pay back.
"""

import scrapy


class PicturesSpider(scrapy.Spider):
    name = "pictures"
    start_urls = ["http://127.0.0.1:8001/"]
    allowed_domains = ["127.0.0.1"]
    custom_settings = {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_PROVIDERS": ["capsolver"],
        # The sandbox in its place. Without this line it is https://api.capsolver.com.
        "CAPTCHA_API_URL": "http://127.0.0.1:8000/capsolver",
        "CAPTCHA_RETRY_TIMES": 5,
        "CAPTCHA_MAX_LOSS_PER_SITE": 0.05,
    }

    def parse(self, response):
        yield from response.follow_all(
            css="li a", callback=self.parse_item, errback=self.not_parsed
        )

    def parse_item(self, response):
        yield {"title": response.css("h1::text").get()}

    def not_parsed(self, failure):
        yield {"url": failure.request.url, "missing": str(failure.value)}
