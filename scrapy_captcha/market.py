"""Which provider is asked for a solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.utils.defer import maybe_deferred_to_future

from scrapy_captcha.errors import ErrorCode, SolverError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from scrapy_captcha.captchas import Captcha, Kind
    from scrapy_captcha.client import SolverClient
    from scrapy_captcha.proxies import Proxy


class Turn:
    """A purchase at ``client`` that may start now, and ends with the ``with`` block."""

    __slots__ = ("client",)

    def __init__(self, client: SolverClient) -> None:
        self.client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.client.leave()


class Market:
    """The providers that a captcha may be bought at, the preferred first; never two at once.

    One that has stopped, or wants to be left alone for a while, is passed over while there is
    another.
    """

    def __init__(self, clients: Sequence[SolverClient]) -> None:
        self._clients = clients
        self._declined: set[tuple[str, Kind]] = set()

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

    def stop(self, error: SolverError) -> None:
        """Buys nothing more at the provider of *error*."""
        for client in self._clients:
            if client.provider.name == error.provider:
                client.stop(error)

    @property
    def is_left(self) -> bool:
        """Whether there is a provider that has not stopped."""
        return any(not client.is_stopped for client in self._clients)

    async def close(self) -> None:
        """Cancels all that is under way."""
        for client in self._clients:
            await maybe_deferred_to_future(client.close())

    def _choose(self, captcha: Captcha, proxy: Proxy | None, provider: str) -> SolverClient:
        asked = self._asked(captcha, proxy)
        if not asked:
            raise self._refusal(captcha, proxy)
        begun = [client for client in asked if client.provider.name == provider]
        # A gate that opens within the second counts as open: the preferred one is the first.
        return min(begun or asked, key=lambda client: int(client.shut_for))

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
