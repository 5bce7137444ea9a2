"""The crawl of one page behind a captcha."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Request, Spider, signals
from scrapy.http import HtmlResponse, TextResponse
from twisted.internet.task import LoopingCall

from scrapy_captcha.commands.offers import offer_for
from scrapy_captcha.commands.visits import STATUSES
from scrapy_captcha.detection import Verdict
from scrapy_captcha.exceptions import CaptchaError
from scrapy_captcha.models import KINDS
from scrapy_captcha.reporting.reasons import reason_for
from scrapy_captcha.requests import site_of
from scrapy_captcha.settings.config import domains_of
from scrapy_captcha.state import SUBMISSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure
    from typing_extensions import Self

    from scrapy_captcha.commands.offers import Offer
    from scrapy_captcha.commands.steps import StepPrinter
    from scrapy_captcha.detection import Detection
    from scrapy_captcha.models import Kind
    from scrapy_captcha.settings.config import Config

# The meanings of reasons here, where only one solution may be bought.
_MEANINGS = {
    "budget": "no second solution is bought, or the settings leave no room for the first",
    "dry_run": "CAPTCHA_DRY_RUN = True; -s CAPTCHA_DRY_RUN=0 lifts it for once",
}


@dataclass(slots=True)
class Ending:
    """The end of the crawl: the *page*, None if it has not come, and a text."""

    page: Response | None = None
    words: str = "stopped before the page came"

    def given_up(self, reason: str) -> None:
        """Notes that the page does not come, for *reason*."""
        self.words = f"no page: {reason}, {_MEANINGS.get(reason) or reason_for(reason).meaning}"


class SolvingSpider(Spider):
    """Fetches the page at *url*, and again if a solution for its captcha is wanted.

    So the captcha of the second visit has not aged while the user decided. *agree* is called to
    ask whether to buy; *ending* gets the result.
    """

    name = "captcha_solve"
    handle_httpstatus_list = STATUSES

    def __init__(
        self,
        url: str,
        config: Config,
        steps: StepPrinter,
        agree: Callable[[Offer], bool],
        ending: Ending,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.allowed_domains = [site_of(urlsplit(url).hostname or "")]
        self._url = url
        self._config = config
        self._steps = steps
        self._agree = agree
        self._ending = ending
        self._agreed: Kind | None = None
        self._ticking = LoopingCall(steps.tick)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Scrapy's."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider._opened, signals.spider_opened)
        crawler.signals.connect(spider._downloaded, signals.response_downloaded)
        crawler.signals.connect(spider._closed, signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """The request of the first visit, which leaves the captcha alone."""
        meta = {"captcha": False, "dont_retry": True}
        yield self._request(self.look, meta=meta)

    def look(self, response: Response) -> Iterator[Request]:
        """The callback of the first visit: the page is the one wanted, or has a captcha."""
        found = (
            self._config.detect(response, self._url) if isinstance(response, TextResponse) else None
        )
        if found is None or found.verdict is Verdict.WIDGET:
            self.arrive(response)
        elif self._is_bought(found):
            yield self._request(self.arrive)

    def arrive(self, response: Response) -> None:
        """The callback of the second visit: no captcha gets here."""
        words = f"{response.status}{_title(response)}, {_size(response)}"
        if response.status < 400:
            self._ending.page, self._ending.words = response, f"page: {words}"
        else:
            self._ending.words = f"no page: {words}"

    def fail(self, failure: Failure) -> None:
        """The errback."""
        error = failure.value
        if isinstance(error, CaptchaError):
            self._ending.given_up(error.reason)
        else:
            self._ending.given_up(failure.getErrorMessage() or type(error).__name__)

    def captcha_detect(self, response: TextResponse) -> Detection | None:
        """The detection on a page; only a captcha of the kind that was agreed to is bought."""
        found = self._config.detect(response, self._url)
        if found is None or found.verdict is Verdict.WIDGET or found.captcha is None:
            return found
        if found.captcha.kind is self._agreed:
            return found
        return replace(found, verdict=Verdict.BLOCK, captcha=None)

    def _is_bought(self, found: Detection) -> bool:
        title = KINDS[found.captcha.kind].title if found.captcha else found.name
        self._steps.tell(f"{found.verdict.value}: {title}; {'; '.join(found.evidence)}")
        if found.captcha is None:
            self._ending.given_up(f"the wall {found.name}, which no service opens")
            return False
        offer = offer_for(
            found.captcha,
            self._config,
            domains=domains_of(self, self._config),
            keeps_cookies=self.settings.getbool("COOKIES_ENABLED"),
        )
        if isinstance(offer, str):
            self._ending.given_up(offer)
            return False
        self._steps.tell(f"a solution: {offer}")
        self._agreed = found.captcha.kind
        if not self._agree(offer):
            self._ending.words = "no page: nothing was bought"
            return False
        return True

    def _request(self, callback: Callable[[Response], Any], **more: Any) -> Request:
        return Request(self._url, callback, errback=self.fail, dont_filter=True, **more)

    def _opened(self) -> None:
        self._ticking.start(1.0, now=False)

    def _closed(self) -> None:
        self._ticking.stop()

    def _downloaded(self, response: Response, request: Request) -> None:
        what = "solution sent" if SUBMISSION in request.meta else "fetched"
        about = f"{request.method} {request.url}: {response.status}, {_size(response)}"
        self._steps.tell(f"{what}, {about}")


def _size(response: Response) -> str:
    return f"{len(response.body) / 1000:.1f} kB"


def _title(response: Response) -> str:
    title = response.css("title::text").get() if isinstance(response, HtmlResponse) else None
    words = " ".join((title or "").split())
    return f" {words[:80]!r}" if words else ""
