"""The addresses of a host, as the reactor resolves its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IResolutionReceiver
from zope.interface import implementer

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress


@implementer(IResolutionReceiver)
class _Receiver:
    def __init__(self) -> None:
        self._addresses: list[str] = []
        self.done: Deferred[list[str]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: Any) -> None:  # noqa: N802, N803 - of Twisted
        pass

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802 - of Twisted
        if isinstance(address, IPv4Address | IPv6Address):
            self._addresses.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802 - of Twisted
        if not self.done.called:  # else cancelled
            self.done.callback(self._addresses)


async def addresses_of(host: str) -> list[str]:
    """All addresses of *host*, which Scrapy's resolver caches; none if it does not resolve."""
    from twisted.internet import reactor

    receiver = _Receiver()
    reactor.nameResolver.resolveHostName(receiver, host)  # type: ignore[attr-defined]
    return await maybe_deferred_to_future(receiver.done)
