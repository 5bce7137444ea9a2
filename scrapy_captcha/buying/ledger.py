"""The books: what may be bought, what it cost, and what the site did with it.

A purchase is reserved with its expected price before it is made, so that limits hold whatever is
under way. From then on it goes one of these ways::

    reserve -> release                  nothing was charged
    reserve -> charge -> end(fate)      it was: the fate is what became of what was bought

Nothing here does I/O or knows the time: *now* is seconds on any clock that only goes forward.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from scrapy_captcha.models import Kind
from scrapy_captcha.purchases import Fate, Need, Purchase, counts, restored, stored
from scrapy_captcha.settings.limits import LastHour, Room, Total, Yield, narrower

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy_captcha.buying.prices import Prices
    from scrapy_captcha.models import Kind
    from scrapy_captcha.money import Micros
    from scrapy_captcha.purchases import Need
    from scrapy_captcha.settings.limits import Limits


_DOUBT = 10  # times its guess that a price is reckoned with


class BudgetAnswer(Enum):
    """Whether a purchase may be made."""

    YES = "it is reserved"
    WAIT = "ask again when a purchase has come to its end"
    BUDGET = "a limit is reached"
    BUDGET_HERE = "a limit is reached that leaves others free: a site's, or an hour's"
    LOSS = "too much was spent at the site without a page for it"
    PER_PAGE = "a page of the site takes too many solutions"


def reason_not_to_buy(answer: BudgetAnswer) -> str | None:
    """Why *answer* means that nothing is bought; None where it does not mean that."""
    match answer:
        case BudgetAnswer.BUDGET | BudgetAnswer.BUDGET_HERE:
            return "budget"
        case BudgetAnswer.LOSS:
            return "loss"
        case BudgetAnswer.PER_PAGE:
            return "per_page"
        case BudgetAnswer.YES | BudgetAnswer.WAIT:
            return None


@dataclass(slots=True)
class Site:
    """A site's part: what was bought for good, what is under way, and what was lost in a row."""

    done: Total = field(default_factory=Total)
    under_way: Total = field(default_factory=Total)
    at_risk: Micros = 0
    lost: Micros = 0
    gives: Yield = field(default_factory=Yield)


_NOT_OF_THE_SITE = frozenset({Fate.FAILED, Fate.EXPIRED})  # it was shown no solution


class Ledger:
    """All that was bought in a job, earlier runs included where their state is `restored`.

    What a site says nothing about for *patience* seconds counts as unused.
    """

    def __init__(self, limits: Limits, prices: Prices, *, patience: float) -> None:
        self._limits = limits
        self._prices = prices
        self._patience = patience
        self._open: dict[str, Purchase] = {}
        self._sites: defaultdict[str, Site] = defaultdict(Site)
        self._hour = LastHour()
        self._done = Total()
        self._under_way = Total()
        self._guesses: set[tuple[str, Kind]] = set()

    @property
    def done(self) -> Total:
        """What was charged."""
        return self._done

    @property
    def under_way(self) -> Total:
        """What is reserved."""
        return self._under_way

    def reserve(
        self, name: str, need: Need, now: float, *, url: str = "", attempts: int = 1
    ) -> BudgetAnswer:
        """Whether the purchase *name* may be made; YES as well when it was reserved before."""
        if name in self._open:
            return BudgetAnswer.YES
        price, answer = self._price_and_answer(need, now)
        if answer is BudgetAnswer.YES:
            self._open[name] = Purchase(need, url, attempts, price, now)
            self._take(need, price, 1)
            self._sites[need.site].gives.reserved(now)
            if self._prices.is_guess(need.provider, need.kind):
                self._guesses.add((need.provider, need.kind))
        return answer

    def release(self, name: str) -> None:
        """Nothing was charged for *name*, or nothing is known of it."""
        purchase = self._open.get(name)
        if purchase is not None and purchase.charged is None:
            del self._open[name]
            self._take(purchase.need, -purchase.price, -1)
            self._guesses.discard((purchase.need.provider, purchase.need.kind))

    def charge(self, name: str, cost: Micros | None, now: float) -> Purchase | None:
        """*name* was charged with *cost*, or with its expected price where that is None.

        The purchase; None when there is none, or it was charged before.
        """
        purchase = self._open.get(name)
        if purchase is None or purchase.charged is not None:
            return None
        need, site = purchase.need, self._sites[purchase.need.site]
        self._take(need, -purchase.price, -1)
        self._guesses.discard((need.provider, need.kind))
        purchase.price = self._prices.expected(need.provider, need.kind) if cost is None else cost
        if cost is not None:
            self._prices.learn(need.provider, need.kind, cost)
        purchase.charged = now
        for total in (self._done, site.done):
            total.add(purchase.price)
        site.at_risk += purchase.price
        self._hour.add(purchase.price, now)
        return purchase

    def end(self, name: str, fate: Fate) -> Purchase | None:
        """What became of *name*, which was charged; None when that is known already."""
        purchase = self._end(name, fate)
        if purchase is not None and fate not in _NOT_OF_THE_SITE:
            is_page = int(fate is Fate.ACCEPTED)
            self._sites[purchase.need.site].gives.add(ended=1, pages=is_page)
        return purchase

    def end_unused(self) -> list[Purchase]:
        """Ends all that were charged as unused: the crawl is over, which is no fault of a site."""
        ended = [self._end(name, Fate.UNUSED) for name in list(self._open)]
        return [purchase for purchase in ended if purchase is not None]

    def _end(self, name: str, fate: Fate) -> Purchase | None:
        purchase = self._open.get(name)
        if purchase is None or purchase.charged is None:
            return None
        del self._open[name]
        purchase.fate = fate
        site = self._sites[purchase.need.site]
        site.at_risk -= purchase.price
        site.lost = 0 if fate is Fate.ACCEPTED else site.lost + purchase.price
        return purchase

    def shared(self, site: str) -> None:
        """*site* gave a page for the solution of another page."""
        self._sites[site].gives.add(pages=1)

    def forgotten(self, now: float) -> list[str]:
        """Names of purchases that were made so long ago that their end will not come."""
        before = now - self._patience
        # They are in the order in which they were begun, and charged after that.
        old = takewhile(lambda item: item[1].begun < before, self._open.items())
        return [name for name, p in old if p.charged is None or p.charged < before]

    def names_under_way(self) -> list[str]:
        """Names of purchases that are reserved."""
        return [name for name, purchase in self._open.items() if purchase.charged is None]

    def has_open(self) -> bool:
        """Whether the end of any purchase is open."""
        return bool(self._open)

    def lost(self, site: str) -> Micros:
        """What was spent at *site* since it last gave a page for a solution."""
        return self._sites[site].lost if site in self._sites else 0

    def _take(self, need: Need, price: Micros, solves: int) -> None:
        """Reserves, or with negative figures gives back."""
        site = self._sites[need.site]
        for total in (self._under_way, site.under_way):
            total.add(price, solves)
        site.at_risk += price

    def _price_and_answer(self, need: Need, now: float) -> tuple[Micros, BudgetAnswer]:
        """At which price a purchase is reserved, where it may be made.

        A guess may be far too low, so that much more is reserved for it. Where there is no room for
        that, one purchase is to tell the price before the next is made.
        """
        price = self._prices.expected(need.provider, need.kind)
        if not self._prices.is_guess(need.provider, need.kind):
            return price, self._may_buy(need, price, now)
        if self._may_buy(need, price * _DOUBT, now) is BudgetAnswer.YES:
            return price * _DOUBT, BudgetAnswer.YES
        answer = self._may_buy(need, price, now)
        if answer is BudgetAnswer.YES and (need.provider, need.kind) in self._guesses:
            answer = BudgetAnswer.WAIT
        return price, answer

    def _may_buy(self, need: Need, price: Micros, now: float) -> BudgetAnswer:
        self._hour.forget_old(now)
        # A site is remembered once something is bought for it.
        site, limits = self._sites.get(need.site) or Site(), self._limits
        if not site.gives.allows(limits.per_page, now):
            return BudgetAnswer.PER_PAGE
        rooms = {
            BudgetAnswer.BUDGET: limits.crawl.room(self._done, self._under_way, price),
            BudgetAnswer.LOSS: self._room_to_lose(site, price),
            BudgetAnswer.BUDGET_HERE: narrower(
                limits.site.room(site.done, site.under_way, price),
                limits.hour.room(self._hour.total, self._under_way, price),
            ),
        }
        for answer, room in rooms.items():
            if room is Room.NONE:
                return answer
        return BudgetAnswer.WAIT if Room.TAKEN in rooms.values() else BudgetAnswer.YES

    def _room_to_lose(self, site: Site, price: Micros) -> Room:
        most = self._limits.loss
        if most is None:
            return Room.FREE
        if site.lost + price > most:
            return Room.NONE
        return Room.TAKEN if site.lost + site.at_risk + price > most else Room.FREE

    # What outlives a run

    def state(self, now: float) -> dict[str, Any]:
        """Plain data for `restore`: what a site says nothing about any more counts as lost."""
        sites = {
            name: [site.done.solves, site.done.money, site.lost, site.gives.ended, site.gives.pages]
            for name, site in self._sites.items()
        }
        for purchase in self._open.values():
            if purchase.charged is not None:
                sites[purchase.need.site][2] += purchase.price
        return {
            "total": [self._done.solves, self._done.money],
            "sites": sites,
            "hour": [[age, each.solves, each.money] for age, each in self._hour.ages(now)],
            "open": {name: stored(self._open[name]) for name in self.names_under_way()},
        }

    def restore(self, state: Mapping[str, Any], now: float, elapsed: float) -> None:
        """Goes on from *state*, which was taken *elapsed* seconds ago.

        Raises ValueError, and changes nothing, when that has not the shape that `state` gives it.
        """
        try:
            total = Total(*counts(state["total"], 2))
            sites = {str(name): _site(values) for name, values in state["sites"].items()}
            under_way = {str(name): restored(v, now) for name, v in state["open"].items()}
            hour = sorted((_seconds(age), counts(both, 2)) for age, *both in state["hour"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError("not a state of the ledger") from error
        self._done = total
        self._sites.update(sites)
        self._open.update(under_way)
        for purchase in under_way.values():
            self._take(purchase.need, purchase.price, 1)
        for age, (solves, money) in reversed(hour):
            self._hour.add(money, now - elapsed - age, solves)


def _site(values: Any) -> Site:
    if len(values) == 3:  # of a version that did not count pages
        values = [*values, 0, 0]
    solves, money, lost, *gives = counts(values, 5)
    return Site(Total(solves, money), lost=lost, gives=Yield(gives[0], gives[1]))


def _seconds(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < float("inf"):
        raise ValueError
    return float(value)
