"""What one page with a captcha runs through: ``python -m benchmarks.trace``.

Counts, from the request of the page to its callback, which modules of the package are entered, how
often a call goes to another module than the one before, and how often a request's state is parsed.
The sandbox, which is site and service, runs in the same process and is left out.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider
from scrapy.crawler import CrawlerRunner
from scrapy.utils.reactor import install_reactor
from twisted.internet import task
from twisted.internet.defer import Deferred

from scrapy_captcha.sandbox import Sandbox, SolverOptions
from scrapy_captcha.state import CaptchaState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import FrameType

    from scrapy.http import Response

_OURS, _NOT_COUNTED = "scrapy_captcha", "scrapy_captcha.sandbox"
_PARSING = CaptchaState._parsed.__code__


@dataclass
class Trace:
    """*calls* into the package, *changes* of module between them, states *parsed*."""

    modules: set[str] = field(default_factory=set)
    calls: int = 0
    changes: int = 0
    parsed: int = 0
    _last: str = ""

    def called(self, frame: FrameType, event: str, _argument: object) -> None:
        """For ``sys.setprofile``."""
        module = frame.f_globals.get("__name__", "")
        if event != "call" or not module.startswith(_OURS) or module.startswith(_NOT_COUNTED):
            return
        self.modules.add(module)
        self.calls += 1
        self.changes += module != self._last
        self.parsed += frame.f_code is _PARSING
        self._last = module


class _OnePage(Spider):
    name = "one"
    page = ""
    trace: Trace

    async def start(self) -> AsyncIterator[Request]:
        sys.setprofile(self.trace.called)
        yield Request(self.page)

    def parse(self, response: Response) -> None:
        sys.setprofile(None)


async def traced() -> Trace:
    """The trace of one page, in the reactor that runs."""
    trace = Trace()
    async with Sandbox(SolverOptions(solve_time=0.0)) as sandbox:
        settings: dict[str, Any] = sandbox.settings | {
            "CAPTCHA_POLL_INTERVAL": 0.02,
            "TELNETCONSOLE_ENABLED": False,
        }
        crawler = CrawlerRunner(settings).create_crawler(_OnePage)
        await crawler.crawl(page=f"{sandbox.site_url}/page/1", trace=trace)
    if crawler.stats.get_value("captcha/accepted_count") != 1:
        raise RuntimeError("the page has not come by a solution")
    return trace


async def _print() -> None:
    trace = await traced()
    sys.stdout.write(
        f"modules entered    {len(trace.modules):5}\n"
        f"changes of module  {trace.changes:5} in {trace.calls} calls\n"
        f"states parsed      {trace.parsed:5}\n"
    )


if __name__ == "__main__":
    logging.getLogger("scrapy").setLevel(logging.ERROR)
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    task.react(lambda _reactor: Deferred.fromCoroutine(_print()))
