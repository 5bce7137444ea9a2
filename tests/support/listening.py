"""Servers on the loopback interface, for as long as a test needs them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def listening(factory: Any, interface: str = "127.0.0.1") -> AsyncIterator[int]:
    """The free port of *interface* at which *factory* serves."""
    from twisted.internet import reactor

    untyped: Any = reactor
    port = untyped.listenTCP(0, factory, interface=interface)
    try:
        yield port.getHost().port
    finally:
        await port.stopListening()
