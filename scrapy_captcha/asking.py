"""A spider's own question: a solution for the captcha in a form of an ordinary page."""

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
    """A request that submits the form of *response* with a solution of its captcha, bought for it.

    To be awaited in a callback of *spider*; no download slot is held meanwhile. What comes back can
    be sent once, in this crawl.

    * *form*: the ``<form>`` to submit, where it is not the one that holds the captcha
    * *formdata*: fields to fill in, several values in a list, None to leave one out
    * *request*: what a ``scrapy.Request`` takes besides URL, method and body

    Raises CaptchaError when no solution is bought, or none comes; ValueError when *response* holds
    no captcha or no such form; TypeError for arguments that nothing can be made of; RuntimeError
    when `CaptchaMiddleware` is not enabled. Nothing is bought before all that is known.
    """
    middleware = spider.crawler.get_downloader_middleware(CaptchaMiddleware)
    if middleware is None:
        raise RuntimeError(
            "captcha_request needs CaptchaMiddleware, which is not enabled: write "
            'ADDONS = {"scrapy_captcha.Addon": 500}, or see in the log why it is off'
        )
    return await middleware.forms.request(response, form, formdata or {}, request)
