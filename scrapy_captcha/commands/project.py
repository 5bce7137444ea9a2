"""The spiders, settings and middlewares of a project, as a crawl of it gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.spiderloader import get_spider_loader
from scrapy.utils.misc import load_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.settings import BaseSettings, Settings


def spider_named(name: str, settings: BaseSettings) -> type[Spider]:
    """The spider *name* of the project. Raises ValueError with the names of the existing ones."""
    loader = get_spider_loader(settings)
    if name not in loader.list():
        known = ", ".join(loader.list())
        others = f"; there are {known}" if known else ", nor any other: is this a project?"
        raise ValueError(f"there is no spider {name!r}{others}")
    return loader.load(name)


def settings_with(spider: type[Spider] | None, settings: BaseSettings) -> Settings:
    """*settings* with the ``custom_settings`` of *spider*."""
    own = cast("Settings", settings.copy())
    if spider is not None:
        spider.update_settings(own)
    return own


def settings_of_crawl(settings: Settings) -> Settings:
    """*settings* as add-ons leave them. Raises the errors of add-ons."""
    crawler = Crawler(Spider, settings)
    crawler.addons.load_settings(crawler.settings)
    return crawler.settings


def downloader_middlewares(settings: BaseSettings) -> Mapping[type, int]:
    """The downloader middlewares of a crawl, and the place of each.

    Raises ValueError with the name of one that cannot be imported.
    """
    stack: dict[type, int | None] = {}
    for setting in ("DOWNLOADER_MIDDLEWARES_BASE", "DOWNLOADER_MIDDLEWARES"):
        for path, order in settings.getdict(setting).items():
            try:
                stack[load_object(path)] = order
            except (ImportError, NameError, ValueError) as error:
                if order is not None:
                    raise ValueError(f"{setting}: {path} cannot be imported: {error}") from None
    return {middleware: order for middleware, order in stack.items() if order is not None}
