"""A search form that wants a captcha solved, submitted from an async callback.

The page with the form is content: its captcha is bought only because the spider asks for it.
"""

import scrapy

from scrapy_captcha import CaptchaError, captcha_request


class SearchSpider(scrapy.Spider):
    name = "search"
    start_urls = ["http://127.0.0.1:8001/search"]
    allowed_domains = ["127.0.0.1"]
    custom_settings = {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_API_URL": "http://127.0.0.1:8000",
    }
    words = "chair"

    async def parse(self, response):
        data = {"q": self.words}
        try:
            yield await captcha_request(self, response, formdata=data, callback=self.parse_results)
        except CaptchaError as error:
            self.logger.warning("Nothing searched for: %s", error.reason)

    def parse_results(self, response):
        for link in response.css("li a"):
            yield {"title": link.css("::text").get()}
