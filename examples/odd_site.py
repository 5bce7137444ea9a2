"""A site that shows and takes captchas in its own way, told to the plugin by two methods.

Here a challenge is known by its heading alone, and the answer needs a Referer.
"""

import scrapy

from scrapy_captcha import Captcha, Form, Kind, build_submission


class OddSiteSpider(scrapy.Spider):
    name = "odd_site"
    start_urls = ["http://127.0.0.1:8001/page/1"]
    allowed_domains = ["127.0.0.1"]
    custom_settings = {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_API_URL": "http://127.0.0.1:8000",
    }

    def parse(self, response):
        yield {"title": response.css("h1::text").get()}

    def captcha_detect(self, response):
        if response.css("h1::text").get() != "Security check":
            return None
        hidden = response.css("form input[type=hidden]")
        form = Form(
            url=response.urljoin(response.css("form::attr(action)").get()),
            method="POST",
            fields=tuple((field.attrib["name"], field.attrib["value"]) for field in hidden),
        )
        site_key = response.css("::attr(data-sitekey)").get()
        return Captcha(Kind.RECAPTCHA_V2, response.url, site_key, form=form)

    def captcha_submit(self, request, captcha, solution):
        submission = build_submission(request, captcha, solution)
        submission.headers["Referer"] = captcha.url
        return submission
