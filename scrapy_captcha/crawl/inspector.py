"""The inspector: what a response shows, by detection, by the spider and by its request."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.http import TextResponse
from scrapy.http.request import NO_CALLBACK

from scrapy_captcha.detection import DETECTORS, Detection, Verdict, judge, suspicious
from scrapy_captcha.models import Captcha
from scrapy_captcha.origin import wanted_url
from scrapy_captcha.settings.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

    from scrapy_captcha.detection import Document
    from scrapy_captcha.settings.config import Config


class Inspector:
    """Inspects the responses of the crawl of *crawler*."""

    def __init__(
        self,
        crawler: Crawler,
        config: Config,
        on_unjudged: Callable[[Request, str], None] = lambda _request, _bound: None,
    ) -> None:
        self._crawler = crawler
        self._on_unjudged = on_unjudged
        self._config = config
        self._options = Options.of(config)

    def options(self, request: Request) -> Options:
        """The options of *request*. Raises ValueError for invalid ones in its meta."""
        value = request.meta.get("captcha")
        return self._options if value is None else Options.of(self._config, value)

    def is_plain(self, response: Response) -> bool:
        """Whether *response* can show nothing, by its bytes: true for nearly all pages."""
        if not isinstance(response, TextResponse):
            return True
        knows_more = hasattr(self._crawler.spider, "captcha_detect")
        usual = self._config.detectors is DETECTORS and not knows_more
        return usual and not suspicious(response)

    def found(self, request: Request, response: Response) -> Detection | None:
        """The captcha or wall instead of the page of *request*, or on it; None for neither.

        It is None, too, if the request asks to leave its captchas alone.
        """
        found, document = self._found(request, response)
        if found is None and document is not None and document.unjudged:
            self._on_unjudged(request, document.unjudged)
        return found

    def is_hidden(self, request: Request, response: Response) -> bool:
        """Whether a captcha or a wall stands instead of the page of *request*."""
        return _stands_for_page(self._found(request, response)[0])

    def is_refused(self, request: Request, answer: Response) -> bool:
        """Whether *answer*, to the solution for *request*, asks for a captcha."""
        return _stands_for_page(self.detected(answer, self.options(request), wanted_url(request)))

    def detected(
        self, response: Response, options: Options, wanted: str | None = None
    ) -> Detection | None:
        """The captcha or wall of *response*, requested at *wanted*, whatever the request wants.

        Raises TypeError if the spider or a detector returns a value of another type.
        """
        return self._judged(response, options, wanted)[0]

    def _found(
        self, request: Request, response: Response
    ) -> tuple[Detection | None, Document | None]:
        options = self.options(request)
        if options.ignore:
            return None, None
        return self._judged(response, options, wanted_url(request))

    def _judged(
        self, response: Response, options: Options, wanted: str | None
    ) -> tuple[Detection | None, Document | None]:
        if not isinstance(response, TextResponse):
            return None, None
        document = self._config.document(response, wanted)
        by_spider = getattr(self._crawler.spider, "captcha_detect", None)
        found = by_spider(response) if by_spider else judge(document, self._config.detectors)
        if isinstance(found, Captcha):
            words = ("captcha_detect",)
            found = Detection(Verdict.CHALLENGE, found.kind.value, found, words, 1.0)
        if not isinstance(found, Detection | None):
            raise TypeError(
                f"captcha_detect of the spider gave {found!r}: return a Captcha, Detection or None"
            )
        if options.declared is None:
            return found, document
        return options.declared.met(document, found), document


def is_robots_txt(request: Request) -> bool:
    """Whether *request* is Scrapy's own for a robots.txt, or a redirect of it."""
    return request.callback is NO_CALLBACK and urlsplit(wanted_url(request)).path == "/robots.txt"


def _stands_for_page(found: Detection | None) -> bool:
    return found is not None and found.verdict is not Verdict.WIDGET
