"""Which provider is asked for a solution."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import CancelledError

from scrapy_captcha.accounts import accounts_of
from scrapy_captcha.client import SolverClient
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.policy import Action
from scrapy_captcha.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from scrapy_captcha.captchas import Captcha, Kind, Solution
    from scrapy_captcha.config import Config
    from scrapy_captcha.policy import Policy
    from scrapy_captcha.providers import TaskId
    from scrapy_captcha.proxies import Proxy
    from scrapy_captcha.tally import Tally


class Turn:
    """A purchase at ``client`` that may start now, and ends with the ``with`` block."""

    __slots__ = ("client",)

    def __init__(self, client: SolverClient) -> None:
        self.client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.client.leave()


@dataclass(frozen=True, slots=True)
class _Sale:
    client: SolverClient
    kind: Kind
    task_id: TaskId | None
    at: float


class Market:
    """The providers that a captcha may be bought at, the preferred first; never two at once.

    One that has stopped, or wants to be left alone for a while, is passed over while there is
    another.
    """

    def __init__(
        self,
        clients: Sequence[SolverClient],
        policy: Policy,
        ranking: Ranking,
        tally: Tally,
    ) -> None:
        self._clients = clients
        self._ranking = ranking
        self._policy = policy
        self._tally = tally
        self._declined: set[tuple[str, Kind]] = set()
        self._stopped: set[SolverClient] = set()
        self._sold: dict[str, _Sale] = {}

    @classmethod
    def of(cls, config: Config, policy: Policy, tally: Tally) -> Self:
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
                on_error=tally.error,
                has_rivals=len(accounts) > 1,
            )
            for account in accounts
        ]
        return cls(clients, policy, Ranking(config.provider_order), tally)

    async def ask_balances(self) -> None:
        """Says what the accounts hold, and which of them nothing can be bought from."""
        for client in self._clients:
            if not client.provider.tells_balance:
                continue
            with suppress(CancelledError):
                try:
                    self._tally.balance(client.provider.name, await client.balance())
                except SolverError as error:
                    if self._policy.action(error) is Action.STOP:
                        self.stop(error)
                    self._tally.unknown_balance(error)

    def takes(self, captcha: Captcha, proxy: Proxy | None) -> bool:
        """Whether any of them has tasks for *captcha*, seen through *proxy*."""
        return any(client.provider.takes(captcha, proxy) for client in self._clients)

    async def turn(self, captcha: Captcha, proxy: Proxy | None, provider: str = "") -> Turn:
        """The turn to buy a solution of *captcha*, at *provider* where that has begun already.

        Raises SolverError when nobody is to be asked.
        """
        while True:
            client = self._choose(captcha, proxy, provider)
            if await client.enter():
                return Turn(client)

    def is_open(self, captcha: Captcha, proxy: Proxy | None) -> bool:
        """Whether somebody may be asked for a solution of *captcha* at once."""
        return any(client.shut_for == 0 for client in self._asked(captcha, proxy))

    def declined(self, captcha: Captcha, proxy: Proxy | None, provider: str) -> bool:
        """*provider* has no task for *captcha* after all; whether another may have one."""
        self._declined.add((provider, captcha.kind))
        return bool(self._asked(captcha, proxy))

    def solved(self, name: str, captcha: Captcha, solution: Solution, client: SolverClient) -> None:
        """*client* has brought *solution*, which is *name* from now on."""
        self._ranking.solved(client.provider.name, captcha.kind, solution.cost)
        self._sold[name] = _Sale(client, captcha.kind, solution.task_id, time.monotonic())

    def judged(self, name: str, *, accepted: bool) -> None:
        """The site has accepted or rejected the solution *name*: its provider is told, once."""
        sale = self._sold.pop(name, None)
        if sale is None:
            return
        provider = sale.client.provider
        self._ranking.judged(provider.name, sale.kind, accepted=accepted)
        window = provider.report_window
        if window is not None and time.monotonic() - sale.at > window:
            return
        if sale.task_id is not None:
            noted = sale.client.report(sale.task_id, sale.kind, accepted=accepted)
            noted.addCallback(self._reported)

    def _reported(self, noted: bool) -> None:
        if noted:
            self._tally.reported()

    def stop(self, error: SolverError) -> None:
        """Buys nothing more at the provider of *error*, and says so once."""
        for client in self._clients:
            if client.provider.name == error.provider and client not in self._stopped:
                self._stopped.add(client)
                client.stop(error)
                self._tally.stopped(error)

    @property
    def is_left(self) -> bool:
        """Whether there is a provider that has not stopped."""
        return any(not client.is_stopped for client in self._clients)

    @property
    def rivals(self) -> int:
        """How many others each provider has."""
        return len(self._clients) - 1

    def price(self, provider: str, kind: Kind) -> float | None:
        """About what a solution of *kind* costs at *provider*; None where nobody knows."""
        listed = [c.provider.price(kind) for c in self._clients if c.provider.name == provider]
        return next(iter(listed), None)

    async def close(self) -> None:
        """Cancels all that is under way."""
        for client in self._clients:
            await maybe_deferred_to_future(client.close())

    def _choose(self, captcha: Captcha, proxy: Proxy | None, provider: str) -> SolverClient:
        asked = self._asked(captcha, proxy)
        if not asked:
            raise self._refusal(captcha, proxy)
        begun = [client for client in asked if client.provider.name == provider]

        def rank(client: SolverClient) -> tuple[int, float]:
            price = client.provider.price(captcha.kind)
            # A gate that opens within the second counts as open.
            return int(client.shut_for), self._ranking.cost(
                client.provider.name, captcha.kind, price
            )

        return min(begun or asked, key=rank)

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
