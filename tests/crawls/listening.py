"""Servers on the loopback interface, for as long as a test needs them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def listening(factory: Any) -> AsyncIterator[int]:
    """The free port at which *factory* serves."""
    from twisted.internet import reactor

    untyped: Any = reactor
    port = untyped.listenTCP(0, factory, interface="127.0.0.1")
    try:
        yield port.getHost().port
    finally:
        await port.stopListening()
