"""The summary of a crawl: a line now and then, a table at the end, and a report."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from scrapy.utils.job import job_dir

from scrapy_captcha.clock import looping
from scrapy_captcha.files import opened
from scrapy_captcha.money import shown
from scrapy_captcha.reporting.dropped_feed import DroppedFeed
from scrapy_captcha.reporting.figures import Figures
from scrapy_captcha.reporting.tables import table
from scrapy_captcha.requests import site_of_captcha, site_of_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response
    from twisted.internet.task import LoopingCall

    from scrapy_captcha.detection import Detection
    from scrapy_captcha.models import Captcha, Kind
    from scrapy_captcha.money import Micros
    from scrapy_captcha.purchases import Need
    from scrapy_captcha.reporting.dry_run import DryRun
    from scrapy_captcha.reporting.figures import Row
    from scrapy_captcha.settings.config import Config

logger = logging.getLogger(__name__)

_SAMPLE = 0.25  # seconds between two points of the report's curves
_HEADS = ("site", "met", "bought", "accepted", "rejected", "spent", "per accepted")


class Named(Protocol):
    """The names of a crawl's sessions."""

    def name(self, request: Request) -> str:
        """The session of *request*."""

    def label(self, request: Request) -> str:
        """The proxy of *request* as it may be displayed; "" without one."""

    def need(self, request: Request, captcha: Captcha) -> Need:
        """The need of *request*, which shows *captcha*."""


class Summary:
    """Keeps the figures of a crawl, and logs them while it goes on and when it is over.

    *price* gives the price of a solve, *waiting* the number of pages that wait. Nothing is logged
    for a crawl that meets no captcha.
    """

    def __init__(
        self,
        crawler: Crawler,
        config: Config,
        sessions: Named,
        *,
        price: Callable[[Kind], Micros],
        waiting: Callable[[], int],
    ) -> None:
        self.books = Figures()
        self._crawler = crawler
        self._config = config
        self._sessions = sessions
        self._waiting = waiting
        self._begun = time.monotonic()
        self._interval: float = crawler.settings.getfloat("LOGSTATS_INTERVAL")
        self._calls: list[LoopingCall] = []
        self._feed: DroppedFeed | None = None
        if config.dropped_feed:
            goes_on = bool(job_dir(crawler.settings))
            self._feed = DroppedFeed(config.dropped_feed, goes_on=goes_on)
        self._dry_run: DryRun | None = None
        if config.dry_run:
            from scrapy_captcha.reporting.dry_run import DryRun

            self._dry_run = DryRun(crawler, config.scope, sessions.name, price)

    def page(self, request: Request, response: Response, found: Detection | None) -> None:
        """Notes that *response* came for *request*, with *found* on it."""
        if self._config.proxies:
            self.books.count_page(site_of_page(request), self._sessions.label(request))
        if self._dry_run is not None:
            self._dry_run.page(request, response, found)

    def captcha_met(self, request: Request, captcha: Captcha) -> None:
        """Notes that *request* met *captcha*, for the first time."""
        self.books.count_captcha(self._sessions.need(request, captcha))
        if self._calls:
            return
        times: dict[Callable[[], None], float] = {self.sample: _SAMPLE, self._log: self._interval}
        for function, interval in times.items():
            if interval > 0:
                call = looping(function)
                self._calls.append(call)
                call.start(interval, now=function == self.sample)

    def is_dry(self, request: Request, captcha: Captcha) -> bool:
        """Whether nothing is bought; then *captcha* is counted as one that would have been."""
        if self._dry_run is not None:
            self._dry_run.count_captcha(request, captcha.kind)
        return self._dry_run is not None

    def dropped(self, request: Request, reason: str) -> None:
        """Notes that *request* is given up for *reason*."""
        self.books.count_dropped(site_of_captcha(request), reason)
        if self._feed is not None:
            self._feed.write_line(request, reason)

    def sample(self) -> None:
        """Takes a sample of the figures, for the report."""
        at = time.monotonic() - self._begun
        self.books.spent.plot(at, self.books.total().money)
        self.books.waiting.plot(at, self._waiting())

    def finish(self) -> None:
        """Logs the summary of the crawl, and leaves nothing in the reactor."""
        if self._dry_run is not None:
            self._dry_run.log_forecast()
        if not self._calls:
            return
        for call in self._calls:
            call.stop()
        self.sample()
        self._log()
        rows = ((site, *_cells(row)) for site, row in self.books.by("site").items())
        self._info("captchas by site:\n" + table(_HEADS, rows))
        if self._config.report:
            self._write(self._crawler.spider.name if self._crawler.spider else "")

    def _log(self) -> None:
        total = self.books.total()
        self._info(
            f"captcha: {total.met} met, {total.accepted} accepted, {total.rejected} rejected, "
            f"{self._waiting()} waiting, {shown(total.money)} spent"
        )

    def _write(self, name: str) -> None:
        from scrapy_captcha.reporting.html_report import report

        written = f"Written {datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"
        try:
            page = report(self.books, title=name, written=written)
            with opened(Path(self._config.report), "w") as file:
                file.write(page)
        except OSError as error:
            logger.warning(
                "CAPTCHA_REPORT = %(path)s cannot be written (%(why)s): write a path that can",
                {"path": self._config.report, "why": type(error).__name__},
            )

    def _info(self, text: str) -> None:
        logger.info("%(text)s", {"text": text}, extra={"spider": self._crawler.spider})


def _cells(row: Row) -> list[str]:
    counts = (row.met, row.bought, row.accepted, row.rejected)
    each = "-" if row.per_accepted is None else shown(row.per_accepted)
    return [*map(str, counts), shown(row.money), each]
