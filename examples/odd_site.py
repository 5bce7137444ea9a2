"""Spider methods for a site that shows and takes captchas in its own way.

Here the challenge is known by its heading alone, and the answer needs a header::

    scrapy runspider examples/odd_site.py -a site=https://shop.example \
        -s CAPTCHA_API_URL=https://solver.example
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Spider

from scrapy_captcha import Captcha, Form, Kind, build_submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy import Request
    from scrapy.http import Response

    from scrapy_captcha import Solution


class OddSiteSpider(Spider):
    name = "odd_site"
    custom_settings = {"ADDONS": {"scrapy_captcha.Addon": 500}}

    def __init__(self, site: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.start_urls = [f"{site}/page/1"]
        self.allowed_domains = [urlsplit(site).hostname]

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        yield {"title": response.css("h1::text").get()}

    def captcha_detect(self, response: Response) -> Captcha | None:
        if response.css("h1::text").get() != "Security check":
            return None
        hidden = response.css("form input[type=hidden]")
        return Captcha(
            Kind.RECAPTCHA_V2,
            response.url,
            site_key=response.css("::attr(data-sitekey)").get(),
            form=Form(
                url=response.urljoin(response.css("form::attr(action)").get("")),
                method="POST",
                fields=tuple((i.attrib["name"], i.attrib["value"]) for i in hidden),
            ),
        )

    def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
        submission = build_submission(request, captcha, solution)
        submission.headers["X-Requested-With"] = "XMLHttpRequest"
        return submission
