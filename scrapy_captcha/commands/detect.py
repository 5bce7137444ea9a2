"""``scrapy captcha detect``: classifies pages, and shows what would be bought for them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import TextResponse

from scrapy_captcha.commands.arguments import parser_of
from scrapy_captcha.commands.offers import Offer, offer_for
from scrapy_captcha.commands.saved import UNKNOWN_URL, read_body
from scrapy_captcha.commands.visits import STATUSES, settings_of_visit
from scrapy_captcha.detection import Detection, HtmlPage, Verdict
from scrapy_captcha.models import KINDS
from scrapy_captcha.money import amount
from scrapy_captcha.origin import wanted_url
from scrapy_captcha.reporting.reasons import reason_for
from scrapy_captcha.settings.config import Config
from scrapy_captcha.text import printable

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from scrapy.http import Response
    from scrapy.settings import BaseSettings, Settings
    from twisted.python.failure import Failure

    from scrapy_captcha.detection import Page
    from scrapy_captcha.models import Captcha

# The result for a page: the detection, None, or the reason why it could not be fetched.
Result = Detection | str | None

_ABOUT = (
    "Classify each page, and say why: a challenge is a captcha instead of the page, a block a wall "
    "that no service opens, a widget a captcha on a page of content. Nothing is bought."
)
_EXIT_CODES = (
    "As with grep, the exit code is 0 when a page is a challenge, 1 when none is, 2 for an error."
)
WEB = ("http://", "https://")


def run(settings: BaseSettings, arguments: Sequence[str]) -> int:
    """Classify each page by *settings*, with which URLs are downloaded; the exit code."""
    options = _options(arguments)
    try:
        config = Config.read(settings)
    except ValueError as error:
        sys.stderr.write(f"scrapy captcha detect: {error}\n")
        return 2
    saved, urls = _parted(options.pages)
    results = _download(urls, settings, config) if urls else {}
    results |= {page: _look(page, options.url, config) for page in saved}
    for page in options.pages:
        about = page, results[page], config
        lines = (
            [json.dumps(_as_json(*about))] if options.json else map(printable, _in_words(*about))
        )
        sys.stdout.write("\n".join(lines) + "\n")
    if any(isinstance(result, str) for result in results.values()):
        return 2
    found = [result for result in results.values() if isinstance(result, Detection)]
    return 0 if any(one.verdict is Verdict.CHALLENGE for one in found) else 1


def _options(arguments: Sequence[str]) -> Namespace:
    parser = parser_of("detect", _ABOUT, _EXIT_CODES)
    about = "pages to fetch, as the project does, or saved ones, which may be gzipped"
    parser.add_argument("pages", nargs="+", metavar="URL|FILE", help=about)
    parser.add_argument("--url", default=UNKNOWN_URL, help="where the saved pages came from")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each page")
    return parser.parse_args(arguments)


def _parted(pages: Sequence[str]) -> tuple[list[str], list[str]]:
    """The files and the URLs of *pages*."""
    urls = [page for page in pages if page.lower().startswith(WEB)]
    return [page for page in pages if page not in urls], urls


def _look(file: str, url: str, config: Config) -> Result:
    try:
        return _seen(HtmlPage(url, read_body(Path(file)), status=None), config)
    except OSError as error:
        return str(error)


def _seen(page: Page, config: Config, wanted: str | None = None) -> Result:
    try:
        return config.detect(page, wanted)
    except Exception as error:  # noqa: BLE001 - detectors may be the user's code
        return f"a detector raises {error!r}"


def _download(urls: Sequence[str], settings: BaseSettings, config: Config) -> dict[str, Result]:
    results: dict[str, Result] = dict.fromkeys(urls, "not downloaded")
    process = AsyncCrawlerProcess(settings_of_looking(settings))
    process.crawl(LookingSpider, config=config, results=results)
    process.start()
    return results


def settings_of_looking(settings: BaseSettings) -> Settings:
    """*settings* for a crawl of `LookingSpider`, in which captchas are left alone."""
    own = settings_of_visit(settings)
    own.set("CAPTCHA_ENABLED", value=False, priority="cmdline")
    return own


class LookingSpider(Spider):
    """Downloads the pages that *results* names, once each, and replaces their results.

    *statuses* gets the HTTP statuses of the pages that came.
    """

    name = "captcha_detect"
    handle_httpstatus_list = STATUSES

    def __init__(
        self,
        config: Config,
        results: dict[str, Result],
        statuses: dict[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._config = config
        self._results = results
        self._statuses = {} if statuses is None else statuses

    async def start(self) -> AsyncIterator[Request]:
        """A request for each page."""
        for url in self._results:
            named = {"page": url}
            meta = {"dont_retry": True}
            yield Request(url, dont_filter=True, errback=self.fail, cb_kwargs=named, meta=meta)

    def parse(self, response: Response, page: str) -> None:
        """Inspects a page, whatever its status."""
        self._statuses[page] = response.status
        self._results[page] = self._look(response)

    def _look(self, response: Response) -> Result:
        if not isinstance(response, TextResponse):
            return None
        assert response.request is not None  # noqa: S101 - a callback got it
        return _seen(response, self._config, wanted_url(response.request))

    def fail(self, failure: Failure) -> None:
        """The errback."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy puts it there
        words = failure.getErrorMessage() or type(failure.value).__name__
        self._results[request.cb_kwargs["page"]] = words


def _in_words(page: str, result: Result, config: Config) -> Iterator[str]:
    if isinstance(result, str):
        yield f"{page}: error: {result}"
    elif result is None:
        yield f"{page}: no captcha"
    else:
        title = KINDS[result.captcha.kind].title if result.captcha else result.name
        yield f"{page}: {result.verdict.value}: {title}, confidence {result.confidence:g}"
        yield from (f"    {words}" for words in result.evidence)
        yield from _purchase_in_words(result, config)


def _purchase_in_words(found: Detection, config: Config) -> Iterator[str]:
    if found.captcha is None:
        yield "    would buy nothing: nothing on it can be answered"
        return
    offer = offer_for(found.captcha, config)
    when = ", where a spider asks for it" if found.verdict is Verdict.WIDGET else ""
    if isinstance(offer, str):
        yield f"    would buy nothing: {offer}: {reason_for(offer).meaning}"
    else:
        yield f"    would buy {offer}{when}"
    shown = _shown(found.captcha)
    yield from (f"        {name}: {value}" for name, value in shown.items() if value)


def _shown(captcha: Captcha) -> Mapping[str, object]:
    form = captcha.form
    return {
        "site_key": captcha.site_key,
        **captcha.parameters,
        "image": captcha.image[:200] if captcha.image else None,
        "form": f"{form.method} {form.url}" if form else None,
    }


def _as_json(page: str, result: Result, config: Config) -> dict[str, object]:
    if isinstance(result, str):
        return {"page": page, "error": result}
    if result is None:
        return {"page": page, "verdict": None}
    captcha = result.captcha
    offer = offer_for(captcha, config) if captcha else "nothing on it can be answered"
    return {
        "page": page,
        "verdict": result.verdict.value,
        "name": result.name,
        "confidence": result.confidence,
        "evidence": result.evidence,
        "task": offer.task if isinstance(offer, Offer) else None,
        "provider": offer.provider if isinstance(offer, Offer) else None,
        "price": amount(offer.price) if isinstance(offer, Offer) else None,
        "reason": None if isinstance(offer, Offer) else offer,
        "captcha": {"url": captcha.url, **_shown(captcha)} if captcha else None,
    }
