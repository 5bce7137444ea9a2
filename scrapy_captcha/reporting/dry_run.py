"""The dry run: counts the solutions that a crawl would buy, and logs them at its end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy_captcha.detection import Verdict
from scrapy_captcha.money import shown
from scrapy_captcha.reporting.forecast import Forecast
from scrapy_captcha.reporting.tables import table
from scrapy_captcha.requests import site_of_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

    from scrapy_captcha.detection import Detection
    from scrapy_captcha.models import Kind
    from scrapy_captcha.money import Micros
    from scrapy_captcha.reporting.forecast import Estimate
    from scrapy_captcha.settings.choices import Scope

logger = logging.getLogger(__name__)

_HEADS = ("site", "captchas met", "solves", "about", "pages that merely contain one")


class DryRun:
    """Counts solutions to buy; *price* is that of a solve, *session* names a request's session."""

    def __init__(
        self,
        crawler: Crawler,
        scope: Scope,
        session: Callable[[Request], str],
        price: Callable[[Kind], Micros],
    ) -> None:
        self._crawler = crawler
        self._session = session
        self._price = price
        self._forecast = Forecast(scope)

    def count_captcha(self, request: Request, kind: Kind) -> None:
        """Notes that a solution of *kind* would be bought for *request*."""
        self._forecast.count_captcha(site_of_page(request), self._session(request), kind)

    def page(self, request: Request, response: Response, found: Detection | None) -> None:
        """Notes that *response* came for *request*, with *found* on it."""
        if response.status >= 300:
            return
        if found is None or found.verdict is Verdict.WIDGET:
            self._forecast.free(site_of_page(request), self._session(request))
        if found is not None and found.verdict is Verdict.WIDGET:
            self._forecast.widget(site_of_page(request), response.url)

    def log_forecast(self) -> None:
        """Logs the forecast."""
        estimates = self._forecast.estimates(self._price)
        solves = sum(estimate.solves for estimate in estimates.values())
        money = sum(estimate.money for estimate in estimates.values())
        rows = ((site, *_cells(estimate)) for site, estimate in estimates.items())
        logger.info(
            "dry run: %(solves)d solves would have been bought, about %(money)s:\n%(table)s",
            {"solves": solves, "money": shown(money), "table": table(_HEADS, rows)},
            extra={"spider": self._crawler.spider},
        )


def _cells(estimate: Estimate) -> list[str]:
    return [
        str(estimate.captchas),
        f"{estimate.solves} ({estimate.fewest} to {estimate.most})",
        shown(estimate.money),
        " ".join((str(estimate.widgets), *estimate.examples)),
    ]
