"""An alert where a site rejects many solutions: an extension that reads the stats."""

import scrapy
from scrapy import signals


class RejectionAlert:
    """Logs an error when a crawl ends and more than REJECTION_ALERT of its solutions failed."""

    def __init__(self, stats, threshold):
        self.stats = stats
        self.threshold = threshold

    @classmethod
    def from_crawler(cls, crawler):
        alert = cls(crawler.stats, crawler.settings.getfloat("REJECTION_ALERT", 0.2))
        crawler.signals.connect(alert.spider_closed, signal=signals.spider_closed)
        return alert

    def spider_closed(self, spider):
        solved = self.stats.get_value("captcha/solved_count", 0)
        rejected = self.stats.get_value("captcha/rejected_count", 0)
        if rejected > self.threshold * solved:
            spider.logger.error("%d of %d solutions were rejected", rejected, solved)


class AlertSpider(scrapy.Spider):
    name = "alert"
    start_urls = ["http://127.0.0.1:8001/page/1"]
    allowed_domains = ["127.0.0.1"]
    custom_settings = {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_API_URL": "http://127.0.0.1:8000",
        "EXTENSIONS": {RejectionAlert: 500},
        "REJECTION_ALERT": 0.3,
    }

    def parse(self, response):
        yield {"title": response.css("h1::text").get()}
