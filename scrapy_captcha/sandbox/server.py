"""Solver and site together, on two ports of the loopback interface."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from .api import SolverApi
from .site import CaptchaSite, SiteOptions
from .solver import Solver, SolverOptions
from .tokens import TokenBook
from .web import LOOPBACK, Listener

if TYPE_CHECKING:
    from typing_extensions import Self


def settings_for(api_url: str, api_key: str) -> dict[str, object]:
    """The Scrapy settings with which a crawl of the local site uses the local solver."""
    return {
        "ADDONS": {"scrapy_captcha.Addon": 500},
        "CAPTCHA_API_URL": api_url,
        "CAPTCHA_API_KEY": api_key,
        "CAPTCHA_DOMAINS": [LOOPBACK],
        "CAPTCHA_POLL_INTERVAL": 0.1,
    }


class Sandbox:
    """A local solver and a local site that takes its solutions.

    Ports are those of the solver and of the site, 0 for any that is free. In coroutines that the
    reactor runs, ``async with Sandbox() as sandbox:`` starts and stops it.
    """

    def __init__(
        self,
        solver: SolverOptions | None = None,
        site: SiteOptions | None = None,
        *,
        port: int = 0,
        site_port: int = 0,
    ) -> None:
        solver_options = solver or SolverOptions()
        self.book = TokenBook(solver_options.token_life)
        self.solver = Solver(solver_options, self.book)
        self.site = CaptchaSite(site or SiteOptions(), self.book)
        self._api = Listener(SolverApi(self.solver, self.state).respond)
        self._pages = Listener(self.site.respond)
        self._ports = port, site_port

    @property
    def api_url(self) -> str:
        """The solver's address. Raises RuntimeError while the sandbox does not run."""
        return self._api.url

    @property
    def site_url(self) -> str:
        """The site's address. Raises RuntimeError while the sandbox does not run."""
        return self._pages.url

    @property
    def api_key(self) -> str:
        """The key of the solver's only account."""
        return self.solver.options.api_key

    @property
    def settings(self) -> dict[str, object]:
        """Scrapy settings for a crawl of the site. Raises RuntimeError as ``api_url`` does."""
        return settings_for(self.api_url, self.api_key)

    def start(self) -> Deferred[None]:
        """Begin to listen. Fails with ``CannotListenError`` when a port is taken."""
        return Deferred.fromCoroutine(self._start())

    def stop(self) -> Deferred[None]:
        """Stop listening and drop all connections. Harmless when it does not run."""
        return Deferred.fromCoroutine(self._stop())

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _start(self) -> None:
        await self._api.listen(self._ports[0])
        try:
            await self._pages.listen(self._ports[1])
        except CannotListenError:
            await self._api.close()
            raise

    async def _stop(self) -> None:
        await self._api.close()
        await self._pages.close()

    def state(self) -> dict[str, object]:
        """All records and counters, as plain data."""
        solver, site = self.solver, self.site
        return {
            "solver": {
                "created": solver.created,
                "resent": solver.resent,
                "delivered": solver.delivered,
                "open_tasks": solver.open_tasks,
                "spent": solver.spent,
                "balance": solver.balance,
                "polls": {str(task_id): count for task_id, count in solver.polls.items()},
                "calls": [asdict(call) for call in solver.calls],
            },
            "site": {
                "shown": site.gate.shown,
                "accepted": site.gate.accepted,
                "rejected": {reason.value: n for reason, n in site.gate.rejected.items()},
                "opened": dict(site.opened),
                "requests": [asdict(visit) for visit in site.requests],
            },
            "tokens": {"minted": self.book.minted, "unused": self.book.unused},
        }
