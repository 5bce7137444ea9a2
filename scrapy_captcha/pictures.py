"""Fetches the picture of a captcha in the session of the page that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.http import Request
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.defer import deferred_from_coro
from twisted.internet.defer import CancelledError
from w3lib.url import parse_data_uri

from scrapy_captcha.sessions import same_session

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_LARGEST = 1_000_000  # bytes


async def fetch_picture(crawler: Crawler, page: Request, image: str) -> bytes:
    """The bytes of *image*, a URL or ``data:`` URI on the answer to *page*; b"" without success.

    A URL is fetched as the page was: same cookies, same proxy, same user agent.
    """
    if image.startswith("data:"):
        try:
            data = parse_data_uri(image).data
        except ValueError:
            return b""
        return data if len(data) <= _LARGEST else b""
    headers, meta = same_session(page)
    own = {"captcha": False, "dont_cache": True, "download_maxsize": _LARGEST}
    request = Request(
        image,
        headers={"Referer": page.url} | headers,
        meta=meta | own,
        callback=NO_CALLBACK,
    )
    try:
        response = await deferred_from_coro(crawler.engine.download_async(request))
    except CancelledError:
        raise
    except Exception:  # noqa: BLE001 - whatever the user's downloader middlewares raise
        return b""
    return response.body if response.status == 200 else b""
