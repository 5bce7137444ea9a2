"""HTTP to a service that is not trusted: stops here what treq and Twisted would let through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet import error as internet_error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import (
    HTTPConnectionPool,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent
from zope.interface import implementer

from scrapy_captcha.errors import ErrorCode, SolverError

if TYPE_CHECKING:
    from treq.response import _Response
    from twisted.internet.interfaces import IProtocol, IProtocolFactory, ITransport
    from twisted.web._newclient import HTTP11ClientProtocol
    from twisted.web.iweb import IBodyProducer, IResponse

LARGEST_BODY = 1_000_000  # bytes; solutions have a few thousand
_LARGEST_ANSWER = LARGEST_BODY + 100_000  # bytes, headers included

# Failures before anything was sent: nothing can have been charged.
_NEVER_SENT = (
    internet_error.ConnectError,
    internet_error.DNSLookupError,
)
_CANCELLED = (CancelledError, internet_error.ConnectingCancelledError)

# A handshake that fails so comes before anything is sent.
_UNTRUSTED = "TLS certificate refused"
# The first that fits names the cause in the log.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (internet_error.ConnectionRefusedError, "connection refused"),
    (internet_error.DNSLookupError, "no such host"),
    (internet_error.TimeoutError, "connection timed out"),
    (internet_error.NoRouteError, "no route to the host"),
    (internet_error.ConnectError, "no connection"),
    (internet_error.ConnectionClosed, "connection closed"),
)


_WRAPPERS = (
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
)


class BodyError(Exception):
    """An answer's body is too large, compressed or cut short."""


@implementer(IAgent)
class PlainAgent:
    """Asks for bodies without compression, refuses others, and lets no cookie through.

    A small gzip body can become gigabytes, and treq unpacks all of it; solutions gain nothing.
    """

    def __init__(self, agent: IAgent) -> None:
        self._agent = agent

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,  # noqa: N803 - the name in IAgent
    ) -> Deferred[IResponse]:
        """As in IAgent; fails with BodyError for a compressed answer."""
        headers = Headers() if headers is None else headers.copy()
        headers.setRawHeaders(b"accept-encoding", [b"identity"])
        response = self._agent.request(method, uri, headers, bodyProducer)
        return response.addCallback(self._plain)

    def _plain(self, response: IResponse) -> IResponse:
        response.headers.removeHeader(b"set-cookie")
        if response.headers.getRawHeaders(b"content-encoding", [b"identity"]) != [b"identity"]:
            response.deliverBody(_Body(None, limit=0))
            raise BodyError
        return response


class BoundedPool(HTTPConnectionPool):
    """Drops a connection that brings more than an answer: Twisted takes headers without end."""

    def getConnection(  # noqa: N802 - the name in HTTPConnectionPool
        self, key: object, endpoint: IStreamClientEndpoint
    ) -> Deferred[HTTP11ClientProtocol]:
        """As in HTTPConnectionPool."""
        return super().getConnection(key, _BoundedEndpoint(endpoint))


@implementer(IStreamClientEndpoint)
class _BoundedEndpoint:
    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    async def _connected(self, factory: IProtocolFactory) -> IProtocol:
        bounding = WrappingFactory(factory)
        bounding.protocol = _BoundedAnswers
        bounded: Any = await self._endpoint.connect(bounding)
        protocol: IProtocol = bounded.wrappedProtocol
        return protocol

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        return Deferred.fromCoroutine(self._connected(protocolFactory))


class _BoundedAnswers(ProtocolWrapper):
    """Counts what has come since the last call was sent."""

    _size = 0

    def write(self, data: bytes) -> None:
        self._size = 0
        super().write(data)  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - the name in Protocol
        self._size += len(data)
        if self._size <= _LARGEST_ANSWER:
            super().dataReceived(data)  # type: ignore[no-untyped-call]
        else:
            self.abortConnection()


class _Body(Protocol):
    """Collects a body for *done*; one byte above *limit* the connection is dropped."""

    def __init__(self, done: Deferred[bytes] | None, limit: int) -> None:
        self._done = done
        self._limit = limit
        self._chunks: list[bytes] = []
        self._size = 0

    def connectionMade(self) -> None:  # noqa: N802 - the name in Protocol
        if not self._limit:
            self.abort()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - the name in Protocol
        self._size += len(data)
        if self._size <= self._limit:
            self._chunks.append(data)
        else:
            self._end(Failure(BodyError()))
            self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - as above
        complete = reason.check(ResponseDone, PotentialDataLoss)
        self._end(b"".join(self._chunks) if complete else Failure(BodyError()))

    def abort(self) -> None:
        """Closes the connection without waiting for the other side."""
        transport = cast("ITransport", self.transport)
        getattr(transport, "abortConnection", transport.loseConnection)()

    def _end(self, result: bytes | Failure) -> None:
        done, self._done = self._done, None
        if done is not None and not done.called:
            done.callback(result)


def read_body(response: _Response, limit: int = LARGEST_BODY) -> Deferred[bytes]:
    """The body of an unbuffered treq response; cancelling it closes the connection.

    Fails with BodyError when there are more than *limit* bytes or the connection breaks.
    """
    done: Deferred[bytes] = Deferred(lambda _: protocol.abort())
    protocol = _Body(done, limit)
    response.original.deliverBody(protocol)
    return done


# What a call that did not end in an answer can fail with.
NETWORK_FAILURES = (
    *_WRAPPERS,
    *_NEVER_SENT,
    *_CANCELLED,
    internet_error.ConnectionClosed,
    BodyError,
)


def network_error(error: Exception) -> Exception:
    """The one place where failures of treq and Twisted become ours.

    Cancellation stays what it is, however it is wrapped.
    """
    causes = _causes(error)
    if any(isinstance(cause, _CANCELLED) for cause in causes):
        return CancelledError()
    if any(isinstance(cause, BodyError) for cause in causes):
        return SolverError(ErrorCode.BAD_REPLY, possibly_paid=True)
    words = _words(causes)
    sent = not isinstance(error, _NEVER_SENT) and words != _UNTRUSTED
    failed = SolverError(ErrorCode.NETWORK, possibly_paid=sent)
    failed.cause = words
    return failed


def _words(causes: list[BaseException]) -> str:
    if any(_is_of_tls(cause) for cause in causes):
        untrusted = any("verif" in f"{type(cause).__name__} {cause}".lower() for cause in causes)
        return _UNTRUSTED if untrusted else "TLS failed"
    fitting = (words for kind, words in _WORDS if any(isinstance(c, kind) for c in causes))
    return next(fitting, "")


def _is_of_tls(cause: BaseException) -> bool:
    """By the package that has raised it: neither is among our own dependencies."""
    return type(cause).__module__.partition(".")[0] in {"OpenSSL", "service_identity"}


def _causes(error: Exception) -> list[BaseException]:
    if not isinstance(error, _WRAPPERS):
        return [error]
    return [failure.value for failure in error.reasons if failure.value is not None]
