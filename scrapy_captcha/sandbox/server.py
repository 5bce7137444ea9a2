"""Solver and site together, on two ports of the loopback interface."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from .api import SolverApi
from .dialects import DIALECTS
from .options import SolverOptions
from .site import CaptchaSite, SiteOptions
from .solver import Solver
from .tokens import TokenBook
from .web import LOOPBACK, Listener

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    The solver speaks the dialect of every service, each at an address and with an account of its
    own: *services* has the options of services that differ from *solver*, by name. Ports are for
    the solver and the site, 0 for any that is free. In coroutines that the reactor runs,
    ``async with Sandbox() as sandbox:`` starts and stops it.
    """

    def __init__(
        self,
        solver: SolverOptions | None = None,
        site: SiteOptions | None = None,
        *,
        services: Mapping[str, SolverOptions] | None = None,
        port: int = 0,
        site_port: int = 0,
    ) -> None:
        usual = solver or SolverOptions()
        options = dict.fromkeys(DIALECTS, usual) | dict(services or {})
        self.book = TokenBook(usual.token_life)
        self.services = {
            name: Solver(options[name], self.book, dialect) for name, dialect in DIALECTS.items()
        }
        self.solver = self.services["unified"]
        self.site = CaptchaSite(site or SiteOptions(), self.book)
        self._api = Listener(SolverApi(self.services, self.state).respond)
        self._pages = Listener(self.site.respond)
        self._ports = port, site_port

    @property
    def api_url(self) -> str:
        """The solver's address. Raises RuntimeError while the sandbox does not run."""
        return self._api.url

    def url_of(self, service: str) -> str:
        """The address at which the solver speaks the dialect of *service*, like "capsolver".

        Raises KeyError for an unknown one, and RuntimeError while the sandbox does not run.
        """
        return f"{self._api.url}/{self.services[service].dialect.name}"

    @property
    def site_url(self) -> str:
        """The site's address. Raises RuntimeError while the sandbox does not run."""
        return self._pages.url

    @property
    def api_key(self) -> str:
        """The key of the unified API's account, and of all others that have no other options."""
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
            await self._api.stop_listening()
            raise

    async def _stop(self) -> None:
        await self._api.stop_listening()
        await self._pages.stop_listening()

    def state(self) -> dict[str, object]:
        """All records and counters, as plain data."""
        site = self.site
        return {
            "solver": _state(self.solver),
            "services": {name: _state(solver) for name, solver in self.services.items()},
            "site": {
                "shown": site.gate.shown,
                "accepted": site.gate.accepted,
                "rejected": {reason.value: n for reason, n in site.gate.rejected.items()},
                "opened": dict(site.opened),
                "requests": [asdict(visit) for visit in site.requests],
            },
            "tokens": {"minted": self.book.minted, "unused": self.book.unused},
        }


def _state(solver: Solver) -> dict[str, object]:
    return {
        "created": solver.created,
        "resent": solver.resent,
        "delivered": solver.delivered,
        "open_tasks": solver.open_tasks,
        "spent": solver.spent,
        "refunded": solver.refunded,
        "balance": solver.balance,
        "polls": {str(task_id): count for task_id, count in solver.polls.items()},
        "reports": [asdict(report) for report in solver.reports],
        "calls": [asdict(call) for call in solver.calls],
    }
