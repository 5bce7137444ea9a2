"""Buys solutions for parked requests."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from scrapy_captcha.buying.ledger import BudgetAnswer, reason_not_to_buy
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.events import CaptchaSolved, TaskCreated
from scrapy_captcha.providers import Order
from scrapy_captcha.solver.breaker import changes_nothing
from scrapy_captcha.solver.client import new_purchase_id
from scrapy_captcha.state import KEY, CaptchaState, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scrapy.http import Request

    from scrapy_captcha.buying.budget import Budget
    from scrapy_captcha.buying.eligibility import Eligibility
    from scrapy_captcha.buying.feedback import Feedback
    from scrapy_captcha.buying.recovery import Recovery
    from scrapy_captcha.buying.unused import Place, UnusedSolutions
    from scrapy_captcha.models import Captcha, Solution
    from scrapy_captcha.providers import TaskId
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.sessions.records import Showing
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.sessions.single_flight import SingleFlight
    from scrapy_captcha.settings.options import Options
    from scrapy_captcha.solver.client import SolverClient
    from scrapy_captcha.solver.pool import ProviderPool


class Buyer:
    """Buys solutions for parked requests, and has them kept until the requests are sent."""

    def __init__(
        self,
        eligibility: Eligibility,
        fetch_picture: Callable[[Request, Captcha], Awaitable[bytes]],
        pool: ProviderPool,
        sessions: Sessions,
        flights: SingleFlight,
        solutions: UnusedSolutions,
        recovery: Recovery,
        budget: Budget,
        feedback: Feedback,
        events: Events,
    ) -> None:
        self._eligibility = eligibility
        self._fetch_picture = fetch_picture
        self._pool = pool
        self._sessions = sessions
        self._flights = flights
        self._solutions = solutions
        self._recovery = recovery
        self._notes = recovery.notes
        self._budget = budget
        self._feedback = feedback
        self._events = events

    async def follow_or_buy(
        self, ticket: Request, captcha: Captcha, options: Options, showing: Showing
    ) -> Request:
        """The request to send back for *ticket*: itself if another page solves for the session
        meanwhile, else that of `buy`. *showing* is that of the page with *captcha*.
        """
        if await self._flights.following.is_to_be_fetched_again(ticket, showing):
            return ticket
        bought = await self.buy(ticket, captcha, options)
        if not CaptchaState.of(bought.meta).solution:
            return bought
        if await self._flights.sending.is_needed(bought, showing):
            return bought
        return self._unused(bought)

    def _unused(self, ticket: Request) -> Request:
        """*ticket* without its solution: its session was opened by another one."""
        state = CaptchaState.of(ticket.meta)
        place = self._solutions.take(state.solution)
        if place is not None:
            place.vacate()
        self._budget.ended(state)
        state = state.to(Stage.SHARED, tasks=state.tasks - 1, solution="")
        self._notes.write(ticket, state)
        return ticket

    async def buy(self, ticket: Request, captcha: Captcha, options: Options) -> Request:
        """Buys until there is a solution or the policy gives up; *ticket* with the result."""
        next_request, begun = None, time.monotonic()
        while next_request is None:
            try:
                with await self._place(ticket, captcha) as place:
                    next_request = await self._bought_in(place, ticket, captcha, options, begun)
                if next_request is None:
                    await self._until_something_ends(ticket)
                    next_request = ticket if captcha.perishable else None
            except SolverError as error:
                next_request = await self._recovery.after(ticket, captcha, options, error)
        return next_request

    async def _place(self, ticket: Request, captcha: Captcha) -> Place:
        """As `UnusedSolutions.place`; solutions of other pages are sent first if it has to wait."""
        place = Deferred.fromCoroutine(self._solutions.place(ticket, captcha))
        if place.called:
            return await place
        self._flights.sending.lend_turn(ticket)
        try:
            return await place
        finally:
            self._flights.sending.take_back_turn(ticket)

    async def _until_something_ends(self, ticket: Request) -> None:
        self._flights.sending.lend_turn(ticket)
        try:
            await self._budget.until_something_ends()
        finally:
            self._flights.sending.take_back_turn(ticket)

    async def _bought_in(
        self,
        place: Place,
        ticket: Request,
        captcha: Captcha,
        options: Options,
        begun: float,
    ) -> Request | None:
        """As `_bought_from`, with the picture of *captcha*. The picture is fetched before queueing
        at the provider, so that a slow site does not block others.
        """
        image, proxy = b"", self._sessions.solving_proxy(ticket)
        if captcha.image and self._pool.is_asked(captcha, proxy):
            image = await self._fetch_picture(ticket, captcha)
            if not image:
                return self._without_picture(ticket, captcha, options)
        state = CaptchaState.of(ticket.meta)
        with await self._pool.turn(captcha, proxy, state.provider, state.avoided) as turn:
            if state.provider not in ("", turn.client.provider.name):
                self._recovery.abandon(ticket)
            if _has_aged(ticket, captcha, turn.client, begun) or self._flights.is_overtaken(ticket):
                return ticket
            order = self._order(ticket, captcha, image)
            return await self._bought_from(turn.client, ticket, order, options, place)

    async def _bought_from(
        self,
        client: SolverClient,
        ticket: Request,
        order: Order,
        options: Options,
        place: Place,
    ) -> Request | None:
        """*ticket* with a solution or given up; raises SolverError.

        None if it depends on purchases under way whether one more may be made.
        """
        captcha, state = order.captcha, CaptchaState.of(ticket.meta)
        if reason := self._eligibility.reason_to_wait(captcha):
            return self._recovery.give_up(ticket, captcha, options, reason)
        answer = self._budget.reserve(order.purchase_id, ticket, captcha, client.provider.name)
        if state.task_id is None:  # else it is paid for already
            if answer is BudgetAnswer.WAIT:
                return None
            if refused := reason_not_to_buy(answer):
                return self._recovery.give_up(ticket, captcha, options, refused)
        order = replace(order, collect_only=answer is not BudgetAnswer.YES)
        begun = {"purchase_id": order.purchase_id, "provider": client.provider.name}
        self._notes.write(ticket, state.to(Stage.BUYING, **begun))
        try:
            solution = await client.purchase(order, partial(self._bought, ticket, client, order))
        except SolverError as error:
            self._not_bought(ticket, captcha, order, error, state)
            raise
        name = self._budget.solved(order, solution)
        self._solutions.keep(place, name, captcha, solution)
        self._feedback.solved(name, captcha, solution, client, ticket)
        return self._solved(ticket, captcha, solution, name)

    def _without_picture(self, ticket: Request, captcha: Captcha, options: Options) -> Request:
        """*ticket* to be fetched again, since its picture may be that of another session."""
        state = CaptchaState.of(ticket.meta)
        if state.asked or state.retries >= options.policy.retry_times:
            return self._recovery.give_up(ticket, captcha, options, "picture")
        self._notes.note(ticket, retries=state.retries + 1)
        return ticket

    def _not_bought(
        self,
        ticket: Request,
        captcha: Captcha,
        order: Order,
        error: SolverError,
        before: CaptchaState,
    ) -> None:
        """Saves the id under which *order* is to be sent again, or the task to be polled.

        An attempt that the service has not received leaves the state as it was *before*.
        """
        if changes_nothing(error) and before.provider:
            self._budget.not_made(order.purchase_id)
            return
        task_id = CaptchaState.of(ticket.meta).task_id
        goes_on = task_id is not None and self._is_to_be_looked_at(ticket, captcha, order, error)
        self._budget.purchase_failed(order, error, goes_on=goes_on)
        self._notes.note(
            ticket,
            purchase_id=order.purchase_id if error.possibly_paid else "",
            provider=error.provider or "" if error.possibly_paid or goes_on else "",
            task_id=task_id if goes_on else None,
        )

    def _is_to_be_looked_at(
        self, ticket: Request, captcha: Captcha, order: Order, error: SolverError
    ) -> bool:
        """Whether the task of *order* is polled again before another is bought.

        Once after a timeout; unless there are other providers, also whenever it was not polled.
        """
        if error.code is not ErrorCode.TIMEOUT:
            return False
        proxy, provider = self._sessions.solving_proxy(ticket), error.provider or ""
        is_first = error.task_id != order.task_id
        return is_first or (
            error.unheard and not self._pool.is_asked(captcha, proxy, beside=provider)
        )

    def _order(self, ticket: Request, captcha: Captcha, image: bytes) -> Order:
        state = CaptchaState.of(ticket.meta)
        self._sessions.hold(ticket)
        user_agent = ticket.headers.get("User-Agent")
        return Order(
            captcha,
            purchase_id=state.purchase_id or new_purchase_id(),
            image=image,
            proxy=self._sessions.solving_proxy(ticket),
            user_agent=user_agent.decode("latin-1") if user_agent else None,
            task_id=state.task_id,
        )

    def _bought(self, ticket: Request, client: SolverClient, order: Order, task_id: TaskId) -> None:
        """Saves the task, so that it can be collected if the crawl stops now.

        A task for a perishable captcha is not saved, since the page shows another one next time.
        """
        state = CaptchaState.of(ticket.meta)
        if task_id == state.task_id:
            return
        if order.captcha.perishable:
            self._notes.note(ticket, task_id=None)
        else:  # on disk first: a kill is possible from now on
            self._notes.note(ticket, task_id=task_id, purchase_id="")
            self._budget.has_task(order, task_id)
        self._events.publish(
            TaskCreated(ticket, order.captcha, client.provider.name, client.plain(task_id, order))
        )

    def _solved(self, ticket: Request, captcha: Captcha, solution: Solution, name: str) -> Request:
        self._events.publish(CaptchaSolved(ticket, captcha))
        if solution.user_agent:
            self._sessions.bind(ticket, solution.user_agent)
        state = CaptchaState.of(ticket.meta)
        state = state.to(
            Stage.SOLVED,
            tasks=state.tasks + 1,
            solution=name,
            purchase_id="",
            provider="",
            task_id=None,
        )
        return ticket.replace(meta=ticket.meta | {KEY: state.to_meta()})


def _has_aged(ticket: Request, captcha: Captcha, client: SolverClient, begun: float) -> bool:
    """Whether *captcha* is outdated, since an outage has ended after *begun*."""
    is_kept = CaptchaState.of(ticket.meta).asked or not captcha.perishable
    return not is_kept and client.was_out_since(begun)
