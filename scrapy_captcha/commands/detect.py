"""``scrapy captcha detect``: what pages are, and what would be bought for them."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import TextResponse

from scrapy_captcha.captchas import KINDS
from scrapy_captcha.commands.saved import UNKNOWN_URL, read_body
from scrapy_captcha.config import Config
from scrapy_captcha.detection import Detection, HtmlPage, Verdict
from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.policy import reason_not_to_answer

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from scrapy.http import Response
    from scrapy.settings import BaseSettings, Settings
    from twisted.python.failure import Failure

    from scrapy_captcha.captchas import Captcha

# What became of a page: what was found on it, nothing, or why it could not be had.
Result = Detection | str | None

_ABOUT = "The exit code is 0 when a page is a challenge, 1 when none is, 2 when a page failed."
_WEB = ("http://", "https://")
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


def run(settings: BaseSettings, arguments: Sequence[str]) -> int:
    """Tell what each page is; URLs are downloaded, and all looked at, as *settings* say."""
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
        told = [json.dumps(_as_json(*about))] if options.json else _in_words(*about)
        sys.stdout.write("\n".join(told) + "\n")
    if any(isinstance(result, str) for result in results.values()):
        return 2
    found = [result for result in results.values() if isinstance(result, Detection)]
    return 0 if any(one.verdict is Verdict.CHALLENGE for one in found) else 1


def _options(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser("scrapy captcha detect", epilog=_ABOUT)
    parser.add_argument("pages", nargs="+", metavar="URL|FILE", help="saved pages may be gzipped")
    parser.add_argument("--url", default=UNKNOWN_URL, help="where the saved pages came from")
    parser.add_argument("--json", action="store_true", help="one JSON object on each line")
    return parser.parse_args(arguments)


def _parted(pages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Files and URLs."""
    urls = [page for page in pages if page.startswith(_WEB)]
    return [page for page in pages if page not in urls], urls


def _look(file: str, url: str, config: Config) -> Result:
    try:
        return config.detect(HtmlPage(url, read_body(Path(file)), status=None))
    except OSError as error:
        return str(error)


def _download(urls: Sequence[str], settings: BaseSettings, config: Config) -> dict[str, Result]:
    own = cast("Settings", settings.copy())
    own.set("CAPTCHA_ENABLED", value=False, priority="cmdline")
    own.setdict({"LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False}, priority="command")
    results: dict[str, Result] = dict.fromkeys(urls, "not downloaded")
    process = AsyncCrawlerProcess(own)
    process.crawl(LookingSpider, config=config, results=results)
    process.start()
    return results


class LookingSpider(Spider):
    """Downloads the pages that *results* names, once each, and replaces what stands there."""

    name = "captcha_detect"
    handle_httpstatus_list = tuple(set(range(200, 600)) - _REDIRECTS)

    def __init__(self, config: Config, results: dict[str, Result], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._config = config
        self._results = results

    async def start(self) -> AsyncIterator[Request]:
        """A request for each page."""
        for url in self._results:
            named = {"page": url}
            meta = {"dont_retry": True}
            yield Request(url, dont_filter=True, errback=self.fail, cb_kwargs=named, meta=meta)

    def parse(self, response: Response, page: str) -> None:
        """Looks at a page, whatever its status."""
        self._results[page] = self._look(response)

    def _look(self, response: Response) -> Result:
        return self._config.detect(response) if isinstance(response, TextResponse) else None

    def fail(self, failure: Failure) -> None:
        """The errback."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy puts it there
        words = failure.getErrorMessage() or type(failure.value).__name__
        self._results[request.cb_kwargs["page"]] = words


def _purchase(found: Detection, config: Config) -> tuple[str | None, str | None]:
    """The task that would be bought for *found*, or None and why none would."""
    if found.captcha is None:
        return None, "nothing on it can be answered"
    kind = found.captcha.kind
    tasks = [provider.tasks[kind] for provider in config.providers if kind in provider.tasks]
    if not tasks:
        return None, ErrorCode.METHOD_INVALID.value
    reason = reason_not_to_answer(found.captcha)
    return (None, reason) if reason else (tasks[0].name or tasks[0].proxied, None)


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
    task, reason = _purchase(found, config)
    when = ", where a spider asks for it" if found.verdict is Verdict.WIDGET else ""
    yield f"    would buy {task}{when}" if task else f"    would buy nothing: {reason}"
    if found.captcha:
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
    task, reason = _purchase(result, config)
    captcha = result.captcha
    return {
        "page": page,
        "verdict": result.verdict.value,
        "name": result.name,
        "confidence": result.confidence,
        "evidence": result.evidence,
        "task": task,
        "reason": reason,
        "captcha": {"url": captcha.url, **_shown(captcha)} if captcha else None,
    }
