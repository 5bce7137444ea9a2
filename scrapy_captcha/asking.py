"""Solves the captcha in a form of an ordinary page for a callback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy_captcha.middleware import CaptchaMiddleware

if TYPE_CHECKING:
    from parsel import Selector, SelectorList
    from scrapy import Spider
    from scrapy.http import Request, TextResponse

    from scrapy_captcha.crawl.forms import FormData


async def captcha_request(
    spider: Spider,
    response: TextResponse,
    *,
    form: Selector | SelectorList[Selector] | None = None,
    formdata: FormData | None = None,
    **request: Any,
) -> Request:
    """Buys a solution and returns a request that submits the form of *response* with it.

    To be awaited in a callback of *spider*; no download slot is held meanwhile. The request can be
    sent once, in this crawl.

    * *form*: the ``<form>`` to submit, if it is not the one that contains the captcha
    * *formdata*: fields to fill in, several values in a list, None to leave one out
    * *request*: arguments of ``scrapy.Request`` other than URL, method and body

    Raises CaptchaError if no solution is bought, or none comes; ValueError if *response* contains
    no captcha or no such form; TypeError for arguments of a wrong type; RuntimeError if
    `CaptchaMiddleware` is not enabled. Errors other than CaptchaError are raised before anything
    is bought.
    """
    middleware = spider.crawler.get_downloader_middleware(CaptchaMiddleware)
    if middleware is None:
        raise RuntimeError(
            "captcha_request needs CaptchaMiddleware, which is not enabled: write "
            'ADDONS = {"scrapy_captcha.Addon": 500}, or see in the log why it is off'
        )
    return await middleware.forms.request(response, form, formdata or {}, request)
