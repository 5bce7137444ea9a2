"""The wiring: makes the objects of the plugin for one crawl."""

from __future__ import annotations

import time
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.utils.defer import deferred_from_coro

from scrapy_captcha.buying.budget import Budget
from scrapy_captcha.buying.eligibility import Eligibility
from scrapy_captcha.buying.feedback import Feedback
from scrapy_captcha.buying.notes import Notes
from scrapy_captcha.buying.prices import Prices
from scrapy_captcha.buying.purchase import Buyer
from scrapy_captcha.buying.recovery import Recovery
from scrapy_captcha.buying.rejections import Rejections
from scrapy_captcha.buying.unused import UnusedSolutions
from scrapy_captcha.crawl.answer_pages import AnswerPages
from scrapy_captcha.crawl.forms import Forms
from scrapy_captcha.crawl.images import Pictures
from scrapy_captcha.crawl.inspector import Inspector
from scrapy_captcha.crawl.outcomes import Outcomes, spoilt
from scrapy_captcha.crawl.site_answers import SiteAnswers
from scrapy_captcha.crawl.submitter import Submitter
from scrapy_captcha.engine.cookie_jars import CookieJars
from scrapy_captcha.engine.download_slots import DownloadSlots
from scrapy_captcha.engine.gates import Gates
from scrapy_captcha.engine.parking import ParkingLot
from scrapy_captcha.engine.queued import Queued
from scrapy_captcha.engine.unkept import UnkeptCookies
from scrapy_captcha.events import (
    PageGivenUp,
    PageNotJudged,
    PageShared,
    PagesLost,
    RequestNotSerializable,
    RequestParked,
    SolutionExpired,
)
from scrapy_captcha.publishing import Events
from scrapy_captcha.reporting.log import Log
from scrapy_captcha.reporting.signalling import Signalling
from scrapy_captcha.reporting.stats import Stats
from scrapy_captcha.reporting.summary import Summary
from scrapy_captcha.sessions.routing import Sessions
from scrapy_captcha.sessions.single_flight import SingleFlight
from scrapy_captcha.settings.config import domains_of
from scrapy_captcha.settings.options import Options
from scrapy_captcha.solver.pool import ProviderPool
from scrapy_captcha.solver.ranking import Ranking
from scrapy_captcha.store.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler

    from scrapy_captcha.events import Event
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.settings.config import Config
    from scrapy_captcha.settings.domains import Domains


class Wiring:
    """Makes each part when it is first used, from the parts that it needs.

    Raises what `accounts_of` and `domains_of` raise.
    """

    def __init__(self, crawler: Crawler, config: Config) -> None:
        self.crawler = crawler
        self.config = config

    @cached_property
    def domains(self) -> Domains:
        return domains_of(self.crawler.spider, self.config)

    @cached_property
    def inspector(self) -> Inspector:
        return Inspector(self.crawler, self.config, self._saying(PageNotJudged))

    @cached_property
    def events(self) -> Events:
        def to_summary(event: Event) -> None:
            if isinstance(event, PageGivenUp):
                self.summary.dropped(event.request, event.reason)

        crawler = self.crawler
        return Events(Stats(crawler), to_summary, Log(crawler), Signalling(crawler))

    def _saying(self, event: Callable[..., Event]) -> Callable[..., None]:
        """A function that is called with the fields of *event* and publishes it."""

        def publish(*values: Any) -> None:
            self.events.publish(event(*values))

        return publish

    @cached_property
    def ranking(self) -> Ranking:
        return Ranking(self.config.provider_order)

    @cached_property
    def pool(self) -> ProviderPool:
        policy = Options.of(self.config).policy
        return ProviderPool.of(self.config, policy, self.ranking, self.events)

    @cached_property
    def feedback(self) -> Feedback:
        return Feedback(self.ranking, self.events, self.cookie_jars.cookies_for)

    @cached_property
    def prices(self) -> Prices:
        return Prices(self.config.prices, self.pool.price)

    @cached_property
    def sessions(self) -> Sessions:
        def on_bound() -> None:  # a crawl that meets no captcha is not to pay for it
            reached = signals.request_reached_downloader
            self.crawler.signals.connect(self.sessions.dress, reached)

        return Sessions(self.config.proxies, time.monotonic, on_bound)

    @cached_property
    def flights(self) -> SingleFlight:
        return SingleFlight(
            self.config.scope,
            self.sessions,
            self.download_slots,
            self.cookie_jars,
            self._saying(PageShared),
            time.monotonic,
            patience=2 * self.config.solve_timeout + self.config.outage_patience,
        )

    @cached_property
    def summary(self) -> Summary:
        return Summary(
            self.crawler,
            self.config,
            self.sessions,
            price=partial(self.prices.expected, self.config.providers[0].name),
            waiting=lambda: len(self.lot),
        )

    @cached_property
    def budget(self) -> Budget:
        def on_limit() -> None:
            if self.config.close_on_stop:
                engine = self.crawler.engine
                deferred_from_coro(engine.close_spider_async(reason="captcha_budget"))

        return Budget(
            self.crawler,
            self.config,
            self.sessions,
            self.events,
            self.summary.books,
            self.prices,
            is_account_taken=lambda: self.journal.is_taken,
            on_limit=on_limit,
        )

    @cached_property
    def cookie_jars(self) -> CookieJars:
        return CookieJars(self.crawler)

    @cached_property
    def unkept(self) -> UnkeptCookies:
        return UnkeptCookies(self.crawler, self.cookie_jars)

    @cached_property
    def download_slots(self) -> DownloadSlots:
        return DownloadSlots(self.crawler)

    @cached_property
    def rejections(self) -> Rejections:
        return Rejections()

    @cached_property
    def solutions(self) -> UnusedSolutions:
        def on_expired(name: str, captcha: Captcha) -> None:
            self.events.publish(SolutionExpired(captcha))
            self.budget.expired(name)

        return UnusedSolutions(
            self.download_slots,
            life=self.config.token_life,
            is_doubtful=self.rejections.is_doubtful,
            on_expired=on_expired,
            on_cookies=self.queued.watch,
        )

    @cached_property
    def queued(self) -> Queued:
        return Queued(self.crawler)

    @cached_property
    def journal(self) -> Journal:
        return Journal(
            self.crawler,
            prepared=self.queued.prepared,
            on_unserializable=self._saying(RequestNotSerializable),
        )

    @cached_property
    def eligibility(self) -> Eligibility:
        return Eligibility(
            self.crawler,
            self.domains,
            self.pool,
            self.sessions,
            self.rejections,
            self.summary,
            self.journal,
        )

    @cached_property
    def recovery(self) -> Recovery:
        return Recovery(
            self.crawler,
            self.pool,
            self.sessions,
            self.flights,
            Notes(self.journal),
            self.budget,
            self.events,
            close_on_stop=self.config.close_on_stop,
        )

    @cached_property
    def buyer(self) -> Buyer:
        return Buyer(
            self.eligibility,
            Pictures(self.crawler, self.domains).fetch,
            self.pool,
            self.sessions,
            self.flights,
            self.solutions,
            self.recovery,
            self.budget,
            self.feedback,
            self.events,
        )

    @cached_property
    def lot(self) -> ParkingLot:
        return ParkingLot(
            self.crawler,
            self.journal,
            limit=self.config.max_parked,
            on_parked=self._saying(RequestParked),
            on_lost=self._saying(PagesLost),
            spoilt=partial(spoilt, self.events),
        )

    @cached_property
    def gates(self) -> Gates:
        return Gates(self.crawler, self.lot, self.flights, self.domains, self.answer_pages.wants)

    @cached_property
    def answer_pages(self) -> AnswerPages:
        return AnswerPages(self.lot, self.inspector.is_refused, self.config.solve_timeout)

    @cached_property
    def submitter(self) -> Submitter:
        return Submitter(
            self.crawler,
            self.lot,
            self.download_slots,
            self.answer_pages,
            self.inspector,
            on_undelivered=self.site_answers.undelivered,
            on_sent=self.feedback.sent,
        )

    @cached_property
    def site_answers(self) -> SiteAnswers:
        return SiteAnswers(
            self.flights, self.unkept, self.rejections, self.feedback, self.budget, self.events
        )

    @cached_property
    def outcomes(self) -> Outcomes:
        return Outcomes(
            self.crawler,
            self.flights,
            self.site_answers,
            self.answer_pages,
            self.journal,
            self.budget,
            self.events,
        )

    @cached_property
    def forms(self) -> Forms:
        return Forms(
            self.config,
            self.eligibility,
            self.lot,
            self.buyer,
            self.outcomes,
            self.events,
            self.inspector.detected,
        )

    async def end(self) -> None:
        """Ends the parts with the crawl; nothing is left in the reactor."""
        for part in (self.flights, self.solutions, self.answer_pages):
            part.cancel_timers()
        self.journal.close()
        self.budget.finish()
        self.summary.finish()
        await self.feedback.until_reported()
        await self.pool.close_clients()
