"""The base of both servers: answers in coroutines, and listening that ends cleanly."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

if TYPE_CHECKING:
    from twisted.internet.interfaces import IListeningPort
    from twisted.protocols.policies import ProtocolWrapper
    from twisted.python.failure import Failure

    from .script import HttpReply

Respond = Callable[[Request], Coroutine[Any, Any, None]]

LOOPBACK = "127.0.0.1"
_log = Logger()


def _reactor() -> Any:
    from twisted.internet import reactor

    return reactor


async def pause(seconds: float) -> None:
    """Return after *seconds*; at once for none."""
    if seconds > 0:
        await deferLater(_reactor(), seconds)


def body_of(request: Request) -> bytes:
    """The whole body of *request*, however often it is asked for."""
    content: Any = request.content
    content.seek(0)
    return bytes(content.read())


def headers_of(request: Request) -> dict[str, str]:
    """The headers of *request*, with lower-case names."""
    raw = request.requestHeaders.getAllRawHeaders()
    return {name.decode("latin-1").lower(): v[-1].decode("latin-1") for name, v in raw}


def begin(request: Request, reply: HttpReply) -> None:
    """Set the status and headers of *reply*."""
    request.setResponseCode(reply.status)
    for name, value in reply.headers.items():
        request.setHeader(name, value)


def send(request: Request, reply: HttpReply) -> None:
    """Answer *request* with *reply*, and be done with it."""
    request.setHeader("Content-Length", str(len(reply.body)))
    begin(request, reply)
    request.write(reply.body)
    request.finish()


class _Leaf(Resource):
    """Answers everything in a coroutine, which is cancelled when the client goes away."""

    isLeaf = True  # noqa: N815

    def __init__(self, respond: Respond) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._respond = respond

    def render(self, request: Request) -> int:
        work = Deferred.fromCoroutine(self._respond(request))
        request.notifyFinish().addErrback(lambda _: work.cancel())
        work.addErrback(self._failed, request)
        return NOT_DONE_YET

    def _failed(self, failure: Failure, request: Request) -> None:
        if not failure.check(CancelledError):
            _log.failure("The sandbox failed to answer", failure)
            request.setResponseCode(500)
            request.finish()


class _QuietSite(Site):
    def log(self, request: object) -> None:
        """Write no access log: the sandbox keeps a record."""


class Listener(WrappingFactory):
    """An HTTP server on the loopback interface, answering with *respond*."""

    def __init__(self, respond: Respond) -> None:
        super().__init__(_QuietSite(_Leaf(respond)))  # type: ignore[no-untyped-call]
        self._port: IListeningPort | None = None
        self._all_gone: Deferred[None] | None = None

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``. Raises RuntimeError while it does not listen."""
        if self._port is None:
            raise RuntimeError("The sandbox is not running")
        address: Any = self._port.getHost()
        return f"http://{LOOPBACK}:{address.port}"

    async def listen(self, port: int) -> None:
        """Listen on *port*, 0 for any that is free. Raises CannotListenError when it is taken."""
        self._port = await TCP4ServerEndpoint(_reactor(), port, interface=LOOPBACK).listen(self)

    async def stop_listening(self) -> None:
        """Stop listening and drop all connections; leaves nothing in the reactor."""
        if self._port is None:
            return
        port, self._port = self._port, None
        await maybeDeferred(port.stopListening)
        if self.protocols:
            all_gone: Deferred[None] = Deferred()
            self._all_gone = all_gone
            for connection in list(self.protocols):
                connection.transport.abortConnection()
            await all_gone

    def unregisterProtocol(self, p: ProtocolWrapper) -> None:  # noqa: N802, D102 - Twisted's name
        super().unregisterProtocol(p)  # type: ignore[no-untyped-call]
        if self._all_gone is not None and not self.protocols:
            all_gone, self._all_gone = self._all_gone, None
            all_gone.callback(None)
