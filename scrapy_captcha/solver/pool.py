"""The choice of the provider for a purchase."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import CancelledError, Deferred, DeferredList

from scrapy_captcha.clock import CLOCK
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.events import (
    BalanceKnown,
    BalanceUnknown,
    BuyingStopped,
    CallFailed,
    ProviderRecovered,
    ProviderUnreachable,
)
from scrapy_captcha.policy import Action
from scrapy_captcha.requests import site_of
from scrapy_captcha.solver.accounts import accounts_of
from scrapy_captcha.solver.client import SolverClient
from scrapy_captcha.solver.outages import Outages
from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from typing_extensions import Self

    from scrapy_captcha.models import Captcha, Kind
    from scrapy_captcha.policy import Policy
    from scrapy_captcha.proxy import Proxy
    from scrapy_captcha.publishing import Events
    from scrapy_captcha.settings.config import Config
    from scrapy_captcha.solver.ranking import Ranking


_PATIENCE = 3.0  # seconds for which the first purchases wait for the balances


def _publish_recovery(events: Events, provider: str, seconds: float) -> None:
    events.publish(ProviderRecovered(provider, seconds))


class Turn:
    """A purchase that may start at ``client`` now, and ends with the ``with`` block."""

    __slots__ = ("client",)

    def __init__(self, client: SolverClient) -> None:
        self.client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.client.leave()


class ProviderPool:
    """The providers at which solutions may be bought, the preferred first.

    A provider that has stopped, or backs off, is passed over while there is another. No solution is
    bought at two of them at once.
    """

    def __init__(
        self,
        clients: Sequence[SolverClient],
        policy: Policy,
        ranking: Ranking,
        events: Events,
    ) -> None:
        self._clients = clients
        self._ranking = ranking
        self._policy = policy
        self._events = events
        self._declined: set[tuple[str, Kind]] = set()
        self._stopped: set[SolverClient] = set()
        self._is_asking = False
        self._begun: Waiters[None] = Waiters(CLOCK, late=None, patience=_PATIENCE)

    @classmethod
    def of(cls, config: Config, policy: Policy, ranking: Ranking, events: Events) -> Self:
        """The providers that *config* names. Raises as `accounts_of` does."""
        accounts = accounts_of(config)
        clients = [
            SolverClient(
                account.provider(poll_interval=config.poll_interval),
                api_url=account.url,
                api_key=account.key,
                policy=policy,
                http_timeout=config.http_timeout,
                solve_timeout=config.solve_timeout,
                concurrent_solves=config.concurrent_solves,
                on_error=lambda error: events.publish(CallFailed(error)),
                outages=Outages(
                    patience=config.outage_patience,
                    has_rivals=len(accounts) > 1,
                    on_begin=lambda error: events.publish(
                        ProviderUnreachable(error, config.outage_patience)
                    ),
                    on_end=partial(_publish_recovery, events, account.provider.name),
                ),
            )
            for account in accounts
        ]
        return cls(clients, policy, ranking, events)

    async def ask_balances(self) -> None:
        """Requests the balances, and stops buying at accounts that refuse.

        Purchases wait for the answers, for three seconds at most.
        """
        asked = [client for client in self._clients if client.provider.tells_balance]
        if not asked:
            return
        self._is_asking = True
        answers = [Deferred.fromCoroutine(self._ask_balance(client)) for client in asked]
        opening = CLOCK.callLater(_PATIENCE, self._begin)
        await DeferredList(answers)
        if opening.active():
            opening.cancel()
            self._begin()

    async def _ask_balance(self, client: SolverClient) -> None:
        with suppress(CancelledError):
            try:
                self._events.publish(BalanceKnown(client.provider.name, await client.balance()))
            except SolverError as error:
                if self._policy.action(error) is Action.STOP:
                    self.stop_buying(error)
                self._events.publish(BalanceUnknown(error))

    def _begin(self) -> None:
        self._is_asking = False
        self._begun.resume_all(None)

    def takes(self, captcha: Captcha, proxy: Proxy | None) -> bool:
        """Whether any provider solves *captcha*, through *proxy* or without one."""
        return any(client.provider.takes(captcha, proxy) for client in self._clients)

    async def turn(
        self, captcha: Captcha, proxy: Proxy | None, provider: str = "", avoided: str = ""
    ) -> Turn:
        """Waits until a solution of *captcha* may be bought, at *provider* if begun there already.

        *avoided* is used only if there is no other provider. Raises SolverError if none is left.
        """
        if self._is_asking:
            await self._begun.wait()
        site = site_of(urlsplit(captcha.url).hostname or "")
        while True:
            client = self._choose(captcha, proxy, provider, avoided)
            turn = client.enter(site)
            has_waited = not turn.called
            if await turn:
                settled = {provider, avoided}
                if not (has_waited and self._is_outdone(client, captcha, proxy, settled)):
                    return Turn(client)
                client.leave()

    def is_open(self, captcha: Captcha, proxy: Proxy | None, beside: str = "") -> bool:
        """Whether a solution of *captcha* may be bought now at a provider other than *beside*."""
        asked = self._asked(captcha, proxy)
        return any(client.is_open for client in asked if client.provider.name != beside)

    def is_asked(self, captcha: Captcha, proxy: Proxy | None, beside: str = "") -> bool:
        """The same, now or later."""
        return any(client.provider.name != beside for client in self._asked(captcha, proxy))

    def declined(self, captcha: Captcha, proxy: Proxy | None, provider: str) -> bool:
        """Notes that *provider* does not solve *captcha*; returns whether another may."""
        self._declined.add((provider, captcha.kind))
        return bool(self._asked(captcha, proxy))

    def stop_buying(self, error: SolverError) -> None:
        """Stops buying at the provider of *error*, and publishes that once."""
        for client in self._clients:
            if client.provider.name == error.provider and client not in self._stopped:
                self._stopped.add(client)
                client.stop(error)
                self._events.publish(BuyingStopped(error))

    @property
    def is_left(self) -> bool:
        """Whether there is a provider at which buying has not stopped."""
        return any(not client.is_stopped for client in self._clients)

    @property
    def rivals(self) -> int:
        """The number of other providers beside each one."""
        return len(self._clients) - 1

    def price(self, provider: str, kind: Kind) -> float | None:
        """The approximate price of a solution of *kind* at *provider*; None if unknown."""
        listed = [c.provider.price(kind) for c in self._clients if c.provider.name == provider]
        return next(iter(listed), None)

    async def close_clients(self) -> None:
        """Cancels all that is under way."""
        self._begun.cancel_timers()
        for client in self._clients:
            await maybe_deferred_to_future(client.close())

    def _choose(
        self, captcha: Captcha, proxy: Proxy | None, provider: str, avoided: str
    ) -> SolverClient:
        asked = self._asked(captcha, proxy)
        if not asked:
            raise self._refusal(captcha, proxy)
        begun = [client for client in asked if client.provider.name == provider]

        def rank(client: SolverClient) -> tuple[bool, bool, float, float]:
            is_avoided = client.provider.name == avoided
            return is_avoided, not client.is_open, client.delay, self._cost(client, captcha)

        return min(begun or asked, key=rank)

    def _is_outdone(
        self, client: SolverClient, captcha: Captcha, proxy: Proxy | None, settled: Container[str]
    ) -> bool:
        """Whether another free provider is preferred to *client*, unless that is in *settled*."""
        if client.provider.name in settled:
            return False
        others = [c for c in self._asked(captcha, proxy) if c.provider.name not in settled]
        free = [c for c in others if c is client or c.is_free]
        return min(free, key=lambda c: self._cost(c, captcha), default=client) is not client

    def _cost(self, client: SolverClient, captcha: Captcha) -> float:
        provider = client.provider
        return self._ranking.cost(provider.name, captcha.kind, provider.price(captcha.kind))

    def _asked(self, captcha: Captcha, proxy: Proxy | None) -> list[SolverClient]:
        return [client for client in self._taking(captcha, proxy) if client.refusal is None]

    def _refusal(self, captcha: Captcha, proxy: Proxy | None) -> SolverError:
        for client in self._taking(captcha, proxy):
            if client.refusal is not None:
                return client.refusal.again()
        return SolverError(ErrorCode.METHOD_INVALID)

    def _taking(self, captcha: Captcha, proxy: Proxy | None) -> list[SolverClient]:
        return [
            client
            for client in self._clients
            if client.provider.takes(captcha, proxy)
            and (client.provider.name, captcha.kind) not in self._declined
        ]
