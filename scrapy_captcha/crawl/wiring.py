"""How the parts of the plugin are put together for one crawl."""

from __future__ import annotations

import time
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.utils.defer import deferred_from_coro

from scrapy_captcha.buying.budget import Spending
from scrapy_captcha.buying.eligibility import Permission
from scrapy_captcha.buying.feedback import Feedback
from scrapy_captcha.buying.notes import Notes
from scrapy_captcha.buying.prices import Prices
from scrapy_captcha.buying.purchase import Buyer
from scrapy_captcha.buying.recovery import Setbacks
from scrapy_captcha.buying.rejections import Rejections
from scrapy_captcha.buying.unused import Stock
from scrapy_captcha.crawl.answer_pages import AnswerPages
from scrapy_captcha.crawl.carrier import Carrier
from scrapy_captcha.crawl.failover import Failover
from scrapy_captcha.crawl.forms import Forms
from scrapy_captcha.crawl.images import Pictures
from scrapy_captcha.crawl.inspector import Sight
from scrapy_captcha.crawl.outcomes import Endings, spoilt
from scrapy_captcha.crawl.submitter import Submitter
from scrapy_captcha.engine.cookie_jars import Jars
from scrapy_captcha.engine.download_slots import Slots
from scrapy_captcha.engine.gates import Gates
from scrapy_captcha.engine.http_cache import HttpCache
from scrapy_captcha.engine.parking import ParkingLot
from scrapy_captcha.engine.queued import Queued
from scrapy_captcha.engine.unkept import UnkeptCookies
from scrapy_captcha.events import (
    Events,
    PageGivenUp,
    PageNotJudged,
    PageShared,
    PagesLost,
    RequestNotSerializable,
    RequestParked,
    SolutionExpired,
)
from scrapy_captcha.reporting.log import Log
from scrapy_captcha.reporting.signalling import Signalling
from scrapy_captcha.reporting.stats import Stats
from scrapy_captcha.reporting.summary import Summary
from scrapy_captcha.sessions.routing import Sessions
from scrapy_captcha.sessions.single_flight import Sharing
from scrapy_captcha.settings.config import domains_of
from scrapy_captcha.settings.options import Options
from scrapy_captcha.solver.pool import Market
from scrapy_captcha.solver.ranking import Ranking
from scrapy_captcha.store.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler

    from scrapy_captcha.events import (
        Event,
    )
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.settings.config import Config
    from scrapy_captcha.settings.domains import Domains


class Parts:
    """Makes each part when it is first asked for, out of those that it needs.

    Raises what `accounts_of` and `domains_of` raise.
    """

    def __init__(self, crawler: Crawler, config: Config) -> None:
        self.crawler = crawler
        self.config = config

    @cached_property
    def domains(self) -> Domains:
        return domains_of(self.crawler.spider, self.config)

    @cached_property
    def sight(self) -> Sight:
        return Sight(self.crawler, self.config, self._saying(PageNotJudged))

    @cached_property
    def events(self) -> Events:
        def to_summary(event: Event) -> None:
            if isinstance(event, PageGivenUp):
                self.summary.dropped(event.request, event.reason)

        crawler = self.crawler
        return Events(Stats(crawler), to_summary, Log(crawler), Signalling(crawler))

    def _saying(self, event: Callable[..., Event]) -> Callable[..., None]:
        """What publishes *event*, which it is called with the fields of."""

        def publish(*values: Any) -> None:
            self.events.publish(event(*values))

        return publish

    @cached_property
    def ranking(self) -> Ranking:
        return Ranking(self.config.provider_order)

    @cached_property
    def market(self) -> Market:
        policy = Options.of(self.config).policy
        return Market.of(self.config, policy, self.ranking, self.events)

    @cached_property
    def feedback(self) -> Feedback:
        return Feedback(self.ranking, self.events, self.jars.cookies_for)

    @cached_property
    def prices(self) -> Prices:
        return Prices(self.config.prices, self.market.price)

    @cached_property
    def sessions(self) -> Sessions:
        def on_bound() -> None:  # a crawl that meets no captcha is not to pay for it
            reached = signals.request_reached_downloader
            self.crawler.signals.connect(self.sessions.dress, reached)

        return Sessions(self.config.proxies, time.monotonic, on_bound)

    @cached_property
    def sharing(self) -> Sharing:
        return Sharing(
            self.config.scope,
            self.sessions,
            self._saying(PageShared),
            time.monotonic,
            patience=2 * self.config.solve_timeout + self.config.outage_patience,
            ahead=self.slots.ahead,
            under_way=lambda: self.crawler.engine.downloader.active,
            have_replaced=self.jars.have_replaced,
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
    def spending(self) -> Spending:
        def on_limit() -> None:
            if self.config.close_on_stop:
                engine = self.crawler.engine
                deferred_from_coro(engine.close_spider_async(reason="captcha_budget"))

        return Spending(
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
    def jars(self) -> Jars:
        return Jars(self.crawler)

    @cached_property
    def unkept(self) -> UnkeptCookies:
        return UnkeptCookies(self.crawler, self.jars)

    @cached_property
    def slots(self) -> Slots:
        return Slots(self.crawler)

    @cached_property
    def rejections(self) -> Rejections:
        return Rejections()

    @cached_property
    def stock(self) -> Stock:
        def on_expired(name: str, captcha: Captcha) -> None:
            self.events.publish(SolutionExpired(captcha))
            self.spending.expired(name)

        return Stock(
            self.slots,
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
    def permission(self) -> Permission:
        return Permission(
            self.crawler,
            self.domains,
            self.market,
            self.sessions,
            self.rejections,
            self.summary,
            self.journal,
        )

    @cached_property
    def pictures(self) -> Pictures:
        return Pictures(self.crawler, self.domains)

    @cached_property
    def notes(self) -> Notes:
        return Notes(self.journal)

    @cached_property
    def setbacks(self) -> Setbacks:
        return Setbacks(
            self.crawler,
            self.market,
            self.sessions,
            self.sharing,
            self.notes,
            self.spending,
            self.events,
            close_on_stop=self.config.close_on_stop,
        )

    @cached_property
    def failover(self) -> Failover:
        return Failover(self.sessions, self.sharing, self.events)

    @cached_property
    def buyer(self) -> Buyer:
        return Buyer(
            self.permission,
            self.pictures.fetch,
            self.market,
            self.sessions,
            self.sharing,
            self.stock,
            self.setbacks,
            self.spending,
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
        return Gates(self.crawler, self.lot, self.sharing, self.domains, self.answer_pages.wants)

    @cached_property
    def answer_pages(self) -> AnswerPages:
        return AnswerPages(self.lot, self.sight.is_refused, self.config.solve_timeout)

    @cached_property
    def submitter(self) -> Submitter:
        return Submitter(
            self.crawler,
            self.lot,
            self.slots,
            self.answer_pages,
            options=self.sight.options,
            refused=self.sight.is_refused,
            detected=self.sight.detected,
            on_undelivered=lambda *failed: self.endings.undelivered(*failed),  # noqa: PLW0108 - a cycle
            on_sent=self.feedback.sent,
        )

    @cached_property
    def endings(self) -> Endings:
        return Endings(
            self.crawler,
            self.sharing,
            self.unkept,
            self.rejections,
            self.feedback,
            self.answer_pages,
            self.journal,
            self.spending,
            self.events,
        )

    @cached_property
    def cache(self) -> HttpCache:
        return HttpCache(self.crawler, self.sight.is_hidden)

    @cached_property
    def forms(self) -> Forms:
        return Forms(
            self.config,
            self.permission,
            self.lot,
            self.buyer,
            self.endings,
            self.events,
            self.sight.detected,
        )

    @cached_property
    def carrier(self) -> Carrier:
        return Carrier(self.stock, self.submitter, self.endings)

    async def close(self) -> None:
        """Ends them with the crawl; nothing is left in the reactor."""
        self.sharing.close()
        self.stock.close()
        self.answer_pages.close()
        self.journal.close()
        self.spending.close()
        self.summary.close()
        await self.feedback.close()
        await self.market.close()
