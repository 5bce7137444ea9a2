"""A road to a service that can be cut: refuses, closes, or carries what comes along."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twisted.protocols.portforward import ProxyFactory, ProxyServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.protocol import Protocol


class _Carrier(ProxyServer):
    """One connection of a `Road`."""

    def connectionMade(self) -> None:  # noqa: N802 - the name in Protocol
        road: Any = self.factory
        road.connections.add(self)
        if not road.closes:
            super().connectionMade()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - as above
        road: Any = self.factory
        transport: Any = self.transport
        if road.closes:
            road.closed += 1
            transport.loseConnection()
        elif not transport.disconnecting:
            super().dataReceived(data)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802 - as above
        road: Any = self.factory
        road.connections.discard(self)
        if getattr(self, "peer", None) is not None:
            super().connectionLost(reason)  # type: ignore[no-untyped-call]


class Road(ProxyFactory):
    """Leads to the API at *url*; ``api_url`` is its own beginning.

    With ``closes`` each call is closed once it has come, which ``closed`` counts.
    """

    protocol = _Carrier
    noisy = False

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        super().__init__(parts.hostname or "", parts.port or 80)
        self._path = parts.path
        self.connections: set[Protocol] = set()
        self.closes = False
        self.closed = 0
        self._port: Any = None
        self._number = 0

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._number}{self._path}"

    def open(self) -> None:
        """Carries what comes, at the same port each time."""
        from twisted.internet import reactor

        untyped: Any = reactor
        self._port = untyped.listenTCP(self._number, self, interface="127.0.0.1")
        self._number = self._port.getHost().port

    async def shut(self) -> None:
        """Refuses all connections, and ends those that there are."""
        if self._port is not None:
            port, self._port = self._port, None
            await port.stopListening()
        for connection in list(self.connections):
            transport: Any = connection.transport
            transport.abortConnection()


@asynccontextmanager
async def road_to(url: str) -> AsyncIterator[Road]:
    """An open road to the API at *url*."""
    road = Road(url)
    road.open()
    try:
        yield road
    finally:
        await road.shut()
