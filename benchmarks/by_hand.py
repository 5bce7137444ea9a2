"""What users of the alternatives write themselves: a middleware, and spiders.

None of it imports an alternative before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from scrapy import FormRequest, Request

from benchmarks.crawl import Visitor

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from typing_extensions import Self

_FIELD = "g-recaptcha-response"


def _site_key(response: Response) -> str | None:
    return response.css("[data-sitekey]::attr(data-sitekey)").get()


def _submission(response: Response, request: Request, token: str) -> FormRequest:
    return FormRequest.from_response(
        response,  # type: ignore[arg-type]  # all pages of the site are HTML
        formdata={_FIELD: token},
        callback=request.callback,
        errback=request.errback,
        dont_filter=True,
    )


class SdkMiddleware:
    """Calls the client of 2Captcha where it meets a captcha; the client waits in ``time.sleep``."""

    def __init__(self, api_url: str, api_key: str) -> None:
        _aim("https://2captcha.com", api_url)
        twocaptcha = import_module("twocaptcha")
        self._client = twocaptcha.TwoCaptcha(api_key, softId=None, pollingInterval=1)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy."""
        return cls(crawler.settings["SDK_URL"], crawler.settings["SDK_KEY"])

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """The response, or the form of its captcha, filled in."""
        site_key = _site_key(response)
        if site_key is None:
            return response
        token = self._client.recaptcha(site_key, response.url)["code"]
        return _submission(response, request, token)


def _aim(address: str, service: str) -> None:
    """Send what goes to *address* to *service*: the client can ask by HTTPS only."""
    adapters = import_module("requests.adapters")
    send = adapters.HTTPAdapter.send

    def sent(self: Any, request: Any, **options: Any) -> Any:
        request.url = request.url.replace(address, service)
        return send(self, request, **options)

    adapters.HTTPAdapter.send = sent


class FlagRaiser(Visitor):
    """For scrapyx-mw: where there is a captcha it says so, asks again, and submits what came.

    It does so as often as it takes.
    """

    captcha_needed = False
    site_key: str | None = None

    def parse(self, response: Response, **_: Any) -> Request | None:
        """A page has arrived, maybe with a captcha, maybe with a token for it."""
        found, request = _site_key(response), response.request
        if found is None or request is None:
            return super().parse(response)
        token = request.meta.pop("recaptcha_solution", None)
        if token and request.method == "GET":
            return _submission(response, request, token)
        self.site_key, self.captcha_needed = found, True
        return Request(response.url, self.parse, errback=self.failed, dont_filter=True)


class BrowserCaller(Visitor):
    """For scrapy-flaresolverr: asks through FlareSolverr for each page that showed a captcha."""

    def parse(self, response: Response, **_: Any) -> Request | None:
        """A page has arrived, maybe with a captcha."""
        if _site_key(response) is None or "flaresolverr" in response.meta:
            return super().parse(response)
        meta = {"flaresolverr": True}
        return Request(response.url, self.parse, errback=self.failed, meta=meta, dont_filter=True)
