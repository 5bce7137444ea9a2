"""Handles errors of the service: waits, changes proxy or provider, or gives up."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy.utils.defer import deferred_from_coro
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from scrapy_captcha.clock import CLOCK
from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.events import PageGivenUp, PagePassedOn, ProxyRotated, PurchaseRescheduled
from scrapy_captcha.policy import Drop, Reschedule, RotateProxy, StopBuying, in_place
from scrapy_captcha.requests import without_proxy
from scrapy_captcha.sessions.outcomes import Outcome
from scrapy_captcha.settings.choices import GiveUp
from scrapy_captcha.signals import proxy_refused
from scrapy_captcha.solver.breaker import is_failure
from scrapy_captcha.state import KEY, CaptchaState, Stage

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request

    from scrapy_captcha.buying.budget import Budget
    from scrapy_captcha.buying.notes import Notes
    from scrapy_captcha.errors import SolverError
    from scrapy_captcha.models import Captcha
    from scrapy_captcha.policy import Decision
    from scrapy_captcha.proxy import Rest
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.sessions.routing import Sessions
    from scrapy_captcha.sessions.single_flight import SingleFlight
    from scrapy_captcha.settings.options import Options
    from scrapy_captcha.solver.pool import ProviderPool


class Recovery:
    """Carries out the decisions of the policy for parked requests."""

    def __init__(
        self,
        crawler: Crawler,
        pool: ProviderPool,
        sessions: Sessions,
        flights: SingleFlight,
        notes: Notes,
        budget: Budget,
        events: Events,
        *,
        close_on_stop: bool,
    ) -> None:
        self._crawler = crawler
        self._pool = pool
        self._sessions = sessions
        self._flights = flights
        self.notes = notes
        self._budget = budget
        self._events = events
        self._close_on_stop = close_on_stop

    async def after(
        self, ticket: Request, captcha: Captcha, options: Options, error: SolverError
    ) -> Request | None:
        """The request to send back after *error*; None to buy again for the same captcha."""
        state = CaptchaState.of(ticket.meta)
        decision = options.policy.decide(error, state.attempts, jitter=random.random())
        if self._goes_elsewhere(ticket, captcha, error, decision):
            self._went_elsewhere(ticket, error)
            return ticket if captcha.perishable and not state.asked else None
        if state.asked and not error.in_outage:
            decision = in_place(decision, error, captcha)
        self._remember(ticket, error)
        match decision:
            case Reschedule(delay):
                return await self._wait(ticket, captcha, error, delay)
            case RotateProxy(rest, delay):
                elsewhere = self._elsewhere(ticket, rest, error)
                if elsewhere is not None:
                    self._events.publish(ProxyRotated(ticket, captcha, error))
                    await deferLater(CLOCK, delay)
                    return self._moved(ticket, elsewhere)
                if error.retryable:
                    return await self._wait(ticket, captcha, error, delay)
                return self.give_up(ticket, captcha, options, error.code.value, error)
            case StopBuying(reason) | Drop(reason):
                return self.give_up(ticket, captcha, options, reason, error)

    def give_up(
        self,
        ticket: Request,
        captcha: Captcha,
        options: Options,
        reason: str,
        error: SolverError | None = None,
    ) -> Request:
        """The request to send back for *ticket*, which is given up for *reason*."""
        state = CaptchaState.of(ticket.meta)
        self._budget.ended(state)
        if options.on_give_up is GiveUp.PASS:
            self._events.publish(PagePassedOn(ticket, reason))
            state = state.to(Stage.REQUESTED, passed=True)
        else:
            self._events.publish(PageGivenUp(ticket, reason, captcha, error))
            state = state.to(Stage.FAILED, failed=reason)
        return ticket.replace(meta=ticket.meta | {KEY: state.to_meta()})

    def abandon(self, ticket: Request, **changes: Any) -> None:
        """Abandons the purchases of *ticket*, and saves that with *changes*."""
        self._budget.abandoned(CaptchaState.of(ticket.meta))
        self.notes.note(ticket, purchase_id="", provider="", task_id=None, **changes)

    def _goes_elsewhere(
        self, ticket: Request, captcha: Captcha, error: SolverError, decision: Decision
    ) -> bool:
        """Whether another provider is to be used, since *error* is only about its own."""
        state, provider = CaptchaState.of(ticket.meta), error.provider or ""
        proxy = self._sessions.solving_proxy(ticket)
        costs_nothing = not (state.provider or error.task_id or error.possibly_paid)
        match decision:
            case StopBuying(reason):
                self._stop(reason, error)
                return self._pool.is_asked(captcha, proxy)
            case Reschedule(holds_all=holds_all) if costs_nothing and (
                holds_all or is_failure(error)
            ):
                been_to_all = state.elsewhere >= self._pool.rivals
                return not been_to_all and self._pool.is_open(captcha, proxy)
            case Drop(ErrorCode.METHOD_INVALID.value) if costs_nothing:
                return self._pool.declined(captcha, proxy, provider)
            case Drop() if state.resent and error.possibly_paid and not state.avoided:
                return self._pool.is_asked(captcha, proxy, beside=provider)
        return False

    def _went_elsewhere(self, ticket: Request, error: SolverError) -> None:
        state = CaptchaState.of(ticket.meta)
        lost = error.possibly_paid and error.provider
        self.abandon(
            ticket,
            tasks=state.tasks + (error.task_id is not None),
            resent=False,
            avoided=lost or state.avoided,
            elsewhere=state.elsewhere + 1,
        )

    def _elsewhere(self, ticket: Request, rest: Rest, error: SolverError) -> Request | None:
        """*ticket* with another proxy, from the pool or from the component that has set it."""
        if self._sessions.is_of_others(ticket):
            spider, code = self._crawler.spider, error.code.value
            send = self._crawler.signals.send_catch_log
            answers = send(proxy_refused, request=ticket, code=code, spider=spider)
            answer = next(filter(None, (_checked(answer) for _, answer in answers)), None)
            if answer is not None:
                other = without_proxy(ticket)
                other.meta.update({} if answer is True else {"proxy": answer})
                return other
        return self._sessions.rotated(ticket, rest)

    def _moved(self, ticket: Request, elsewhere: Request) -> Request:
        """*elsewhere* belongs to another session: waiters of *ticket* are to follow it there."""
        state = CaptchaState.of(ticket.meta)
        self._flights.left(state, Outcome.MOVED)
        elsewhere.meta[KEY] = replace(state, leads="").to_meta()
        return elsewhere

    async def _wait(
        self, ticket: Request, captcha: Captcha, error: SolverError, delay: float
    ) -> Request | None:
        self._events.publish(PurchaseRescheduled(ticket, captcha, error, delay))
        proxy, provider = self._sessions.solving_proxy(ticket), error.provider or ""
        if is_failure(error) and self._pool.is_open(captcha, proxy, beside=provider):
            self._flights.lets_others_lead(ticket)
        await deferLater(CLOCK, delay)
        return ticket if captcha.perishable and not CaptchaState.of(ticket.meta).asked else None

    def _remember(self, ticket: Request, error: SolverError) -> None:
        """Saves the attempts in the meta of *ticket*, those of earlier runs included."""
        state = CaptchaState.of(ticket.meta)
        tried = state.after(state.attempts.after(error), elsewhere=0)
        self.notes.write(ticket, tried)

    def _stop(self, reason: str, error: SolverError) -> None:
        self._pool.stop_buying(error)
        if self._close_on_stop and not self._pool.is_left:
            engine = self._crawler.engine
            deferred_from_coro(engine.close_spider_async(reason=f"captcha_{reason.lower()}"))


def _checked(answer: object) -> str | bool | None:
    """The answer of a receiver of proxy_refused; None if it has failed, which is logged."""
    if answer is None or isinstance(answer, str | bool):
        return answer
    if isinstance(answer, Failure):
        return None
    kind = type(answer).__name__
    raise TypeError(
        f"a receiver of proxy_refused returned something of type {kind}: "
        "return the URL of a proxy, True, or None"
    )
