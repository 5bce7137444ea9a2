"""A spider that scrapes what stands behind captchas.

It knows nothing of captchas; the settings do it all::

    export CAPTCHA_API_KEY=...
    scrapy runspider examples/items.py -O items.json \
        -a site=https://shop.example -s CAPTCHA_API_URL=https://solver.example

To try it without a solver and without money, start ``scrapy captcha sandbox`` and use the addresses
and the key that it prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Spider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response


class ItemsSpider(Spider):
    name = "items"
    custom_settings = {"ADDONS": {"scrapy_captcha.Addon": 500}}

    def __init__(self, site: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.start_urls = [f"{site}/"]
        # Captchas are bought for these domains only.
        self.allowed_domains = [urlsplit(site).hostname]

    def parse(self, response: Any, **_: Any) -> Iterator[Any]:
        yield from response.follow_all(css="li a", callback=self.parse_item)

    def parse_item(self, response: Response) -> Iterator[Any]:
        yield {"title": response.css("h1::text").get(), "price": response.css(".price::text").get()}
