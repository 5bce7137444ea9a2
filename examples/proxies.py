"""A crawl through a pool of proxies.

A page and its captcha share a proxy. Where the solver cannot use it, another takes its place.
"""

import scrapy


class ProxiesSpider(scrapy.Spider):
    name = "proxies"
    start_urls = ["http://127.0.0.1:8001/page/1"]
    allowed_domains = ["127.0.0.1"]
    custom_settings = {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_API_URL": "http://127.0.0.1:8000",
        "CAPTCHA_PROXIES": ["http://127.0.0.1:8002", "http://127.0.0.1:8003"],
    }

    def parse(self, response):
        yield {"title": response.css("h1::text").get()}
