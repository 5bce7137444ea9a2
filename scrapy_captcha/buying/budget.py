"""Between the crawl and its ledger: waits where a limit hangs on what is under way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.utils.job import job_dir

from scrapy_captcha.buying.ledger import BudgetAnswer, Ledger
from scrapy_captcha.buying.limit_reached import limit_reached
from scrapy_captcha.buying.tasks import PendingTasks
from scrapy_captcha.clock import CLOCK, looping
from scrapy_captcha.events import MoneySpent, PurchaseEnded, SiteEnded, TasksAbandoned
from scrapy_captcha.money import known_cost, micros
from scrapy_captcha.purchases import Fate
from scrapy_captcha.state import CaptchaState
from scrapy_captcha.store.statefile import StateFile
from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Request
    from twisted.internet.defer import Deferred

    from scrapy_captcha.buying.prices import Prices
    from scrapy_captcha.errors import SolverError
    from scrapy_captcha.models import Captcha, Solution
    from scrapy_captcha.providers import Order
    from scrapy_captcha.providers.base import TaskId
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.purchases import Purchase
    from scrapy_captcha.reporting.figures import Figures
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.settings.config import Config

_LOOK = 5.0  # seconds between two looks at purchases that nobody speaks of any more


class Budget:
    """Asks the ledger before each purchase and tells it what became of it.

    Purchases go by their ids, and so do the solutions that come of them. *on_limit* is called when
    a limit of the whole crawl is reached and the fate of all that was bought is known.
    *is_account_taken* tells whether the account in ``JOBDIR`` is that of another crawl.
    """

    def __init__(
        self,
        crawler: Crawler,
        config: Config,
        sessions: Sessions,
        events: Events,
        books: Figures,
        prices: Prices,
        *,
        is_account_taken: Callable[[], bool],
        on_limit: Callable[[], None],
    ) -> None:
        self._config = config
        self._is_account_taken = is_account_taken
        patience = 2 * config.solve_timeout + max(config.max_delay, config.outage_patience)
        self._ledger = Ledger(config.limits, prices, patience=patience)
        self._sessions = sessions
        self._events = events
        self._figures = books
        self._prices = prices
        self._on_limit: Callable[[], None] | None = on_limit
        self._waiters: Waiters[None] = Waiters(
            CLOCK, late=None, patience=_LOOK, on_unclaimed=lambda *_: self._wake()
        )
        self._looking = looping(self._look)
        self._tasks = PendingTasks()
        self._doubtful: set[str] = set()  # purchases that may have been paid
        self._told: set[tuple[BudgetAnswer, str]] = set()
        jobdir = job_dir(crawler.settings)
        self._file = StateFile(Path(jobdir) / "captcha-spent.json") if jobdir else None
        self._restore()

    def reserve(self, name: str, request: Request, captcha: Captcha, provider: str) -> BudgetAnswer:
        """Whether the purchase *name*, for *request*, may be made at *provider* now.

        With WAIT, ask again after `until_something_ends`. With YES it is counted from now on.
        """
        need = self._sessions.need(request, captcha, provider)
        state = CaptchaState.of(request.meta)
        self._end(state.solution, Fate.UNUSED)  # else it might wait for itself
        attempts = state.tasks + 1
        answer = self._ledger.reserve(name, need, _now(), url=request.url, attempts=attempts)
        if answer is BudgetAnswer.YES:
            self._save()
        elif answer is not BudgetAnswer.WAIT:
            self._tell(answer, need.site)
        if answer is not BudgetAnswer.WAIT:
            self._wake()  # whoever waits may have the same answer
        return answer

    def until_something_ends(self) -> Deferred[None]:
        """Fires when a purchase has come to its end, for one at a time of those who wait.

        After some seconds it fires in any case: who was resumed last may have gone elsewhere.
        """
        self._look_from_now_on()
        return self._waiters.wait()

    def has_task(self, order: Order, task_id: TaskId) -> None:
        """*order* has become the task *task_id*, which may be collected by another order."""
        self._tasks.put(task_id, order.purchase_id)
        self._save()

    def solved(self, order: Order, solution: Solution) -> str:
        """The solution of *order* has come; the name of the purchase that it came of."""
        name = self._purchase(order, solution.task_id)
        self._lose_task(order)
        cost = known_cost(solution.cost)
        told = None if cost is None else micros(cost)
        purchase = self._charge(name, told)
        if purchase is not None:
            # From a service that does not tell what it takes there is nothing more to find out.
            self._prices.learn(purchase.need.provider, purchase.need.kind, purchase.price)
            self._figures.count_solution(purchase)
        return name

    def purchase_failed(self, order: Order, error: SolverError, *, goes_on: bool) -> None:
        """*order* has failed; it *goes_on* where its task is to be collected later.

        What may have been paid counts as paid.
        """
        name = self._purchase(order, error.task_id)
        if error.possibly_paid:
            self._doubtful.add(name)
        elif goes_on and error.task_id is not None:
            self._tasks.put(error.task_id, name)
        elif error.task_id is not None or name in self._doubtful:
            self._lose(name)
        else:
            self.not_made(name)
        if not goes_on:
            self._lose_task(order)

    def not_made(self, name: str) -> None:
        """Nothing was bought under *name* now; earlier it may have been."""
        if name not in self._doubtful:
            self._ledger.release(name)
            self._wake()

    def expired(self, name: str) -> None:
        """The solution *name* was not sent in time."""
        self._end(name, Fate.EXPIRED)

    def accepted(self, state: CaptchaState) -> None:
        """The site gave the page for the solution that went to it."""
        self._end(state.solution, Fate.ACCEPTED)

    def shared(self, site: str) -> None:
        """*site* gave a page for the solution of another page."""
        self._ledger.shared(site)

    def rejected(self, state: CaptchaState) -> None:
        """The site did not."""
        self._end(state.solution, Fate.REJECTED)

    def ended(self, state: CaptchaState) -> None:
        """A page is over that has come as far as *state*: what is left to it is of no use."""
        self._end(state.solution, Fate.UNUSED)
        self.abandoned(state)

    def abandoned(self, state: CaptchaState) -> None:
        """What *state* has under way is neither sent again nor collected."""
        if state.task_id is None:
            self._lose(state.purchase_id)
        else:
            self.not_made(state.purchase_id)  # it was for the case that the task is gone
            self._lose_task(state)

    def finish(self) -> None:
        """Counts what nobody used and leaves nothing in the reactor."""
        self._look()
        if self._file is None:
            self._abandon()
        for purchase in self._ledger.end_unused():
            self._ended(purchase, Fate.UNUSED)
        for site, row in self._figures.by("site").items():
            self._events.publish(
                SiteEnded(site, row.met, row.bought, row.accepted, row.rejected, row.money)
            )
        if self._looking.running:
            self._looking.stop()
        self._waiters.cancel_timers()
        self._save()

    def _abandon(self) -> None:
        """Charges what is under way: no other run will collect it."""
        before, names = self._ledger.done.money, self._ledger.names_under_way()
        for name in names:
            self._lose(name)
        if names:
            self._events.publish(TasksAbandoned(len(names), self._ledger.done.money - before))

    def _purchase(self, order: Order, task_id: TaskId | None) -> str:
        """The name of the purchase that *task_id* came of."""
        if order.task_id is None:  # bought by itself, whatever id the service has given it
            self._tasks.discard(task_id, order.purchase_id)
            return order.purchase_id
        name = self._tasks.pop(task_id)
        if name not in ("", order.purchase_id):
            self._ledger.release(order.purchase_id)
        return name or order.purchase_id

    def _charge(self, name: str, cost: int | None) -> Purchase | None:
        purchase = self._ledger.charge(name, cost, _now())
        if purchase is not None:
            self._doubtful.discard(name)
            self._figures.charged(purchase)
            self._say_spent()
            self._wake()
        return purchase

    def _lose_task(self, of: Order | CaptchaState) -> None:
        """The task that was to be collected has come to nothing, unless it is settled."""
        if of.task_id is not None:
            self._lose(self._tasks.pop(of.task_id))

    def _lose(self, name: str) -> None:
        self._charge(name, None)
        self._end(name, Fate.FAILED)

    def _end(self, name: str, fate: Fate) -> None:
        purchase = self._ledger.end(name, fate)
        if purchase is not None:
            self._ended(purchase, fate)

    def _ended(self, purchase: Purchase, fate: Fate) -> None:
        self._figures.ended(purchase)
        self._events.publish(PurchaseEnded(fate))
        self._say_spent()
        self._wake()

    def _say_spent(self) -> None:
        total = self._figures.total()
        self._events.publish(MoneySpent(total.money, total.per_accepted))

    def _wake(self) -> None:
        """Has the next of those who wait ask again; on being answered it wakes the next."""
        self._waiters.resume(None)
        self._call_if_limited()

    def _look_from_now_on(self) -> None:
        if not self._looking.running:
            self._looking.start(_LOOK, now=False)

    def _look(self) -> None:
        """Ends what nobody will tell the end of, so that nobody waits for it."""
        for name in self._ledger.forgotten(_now()):
            self._charge(name, None)
            self._end(name, Fate.UNUSED)
        self._call_if_limited()

    def _tell(self, answer: BudgetAnswer, site: str) -> None:
        about = answer, site if answer is not BudgetAnswer.BUDGET else ""
        if about in self._told:
            return
        self._told.add(about)
        lost = self._ledger.lost(site)
        self._events.publish(limit_reached(answer, site, lost, self._config))
        self._call_if_limited()

    def _call_if_limited(self) -> None:
        """Not while something is under way: what was paid for is to be used."""
        if (BudgetAnswer.BUDGET, "") not in self._told or self._on_limit is None:
            return
        if self._ledger.has_open():
            self._look_from_now_on()
        else:
            on_limit, self._on_limit = self._on_limit, None
            on_limit()

    def _save(self) -> None:
        if self._file is not None and not self._is_account_taken():
            own = {"at": time.time(), "tasks": self._tasks.stored()}
            self._file.save(own | self._ledger.state(_now()))

    def _restore(self) -> None:
        state = self._file.load() if self._file is not None else None
        if self._file is None or state is None:
            return
        try:
            elapsed = max(0.0, time.time() - float(state["at"]))
            tasks = PendingTasks.from_stored(state["tasks"])
            self._ledger.restore(state, _now(), elapsed)
        except (KeyError, TypeError, ValueError, OverflowError):
            self._file.damaged()
        else:
            self._tasks = tasks
            self._doubtful.update(self._ledger.names_under_way())


def _now() -> float:
    return time.monotonic()
