"""A spider that submits a search form which wants a captcha solved.

The page with the form is content: its captcha is bought only where the spider asks for it::

    scrapy runspider examples/search.py -O items.json -a words=chair \
        -a site=https://shop.example -s CAPTCHA_API_URL=https://solver.example
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Spider

from scrapy_captcha import CaptchaError, captcha_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy.http import Response


class SearchSpider(Spider):
    name = "search"
    custom_settings = {"ADDONS": {"scrapy_captcha.Addon": 500}}

    def __init__(self, site: str, words: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.start_urls = [f"{site}/search"]
        self.allowed_domains = [urlsplit(site).hostname]
        self.words = words

    async def parse(self, response: Any, **_: Any) -> AsyncIterator[Any]:
        data = {"q": self.words}
        try:
            yield await captcha_request(self, response, formdata=data, callback=self.parse_results)
        except CaptchaError as error:
            self.logger.warning("Nothing searched for: %s", error.reason)

    def parse_results(self, response: Response) -> Iterator[Any]:
        for link in response.css("li a"):
            yield {"title": link.css("::text").get()}
