"""The baseline: captchas awaited where they are met, as one writes it at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.http import TextResponse
from scrapy.utils.defer import maybe_deferred_to_future

from scrapy_captcha import SolverClient, Verdict, build_submission, detect
from scrapy_captcha.providers import Unified

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from typing_extensions import Self

NAIVE = {"DOWNLOADER_MIDDLEWARES": {"benchmarks.naive.NaiveMiddleware": 585}}


class NaiveMiddleware:
    """Detects, solves and submits with the plugin's own parts, and holds its slot meanwhile."""

    def __init__(self, client: SolverClient) -> None:
        self._client = client

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy."""
        settings = crawler.settings
        client = SolverClient(
            Unified(poll_interval=settings.getfloat("CAPTCHA_POLL_INTERVAL")),
            api_url=settings["CAPTCHA_API_URL"],
            api_key=settings["CAPTCHA_API_KEY"],
        )
        crawler.signals.connect(client.close, signals.spider_closed)
        return cls(client)

    async def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """The response, or the request that carries the solution of its captcha."""
        found = detect(response) if isinstance(response, TextResponse) else None
        if found is None or found.verdict is not Verdict.CHALLENGE or found.captcha is None:
            return response
        solution = await maybe_deferred_to_future(self._client.solve(found.captcha))
        return build_submission(request, found.captcha, solution)
