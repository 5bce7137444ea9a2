"""Real forward proxies on the loopback interface."""

from __future__ import annotations

from base64 import b64encode
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from listening import listening
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.web.client import Agent
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ForwardProxy(Site):
    """An HTTP proxy that asks for *credentials* ("user:password") where they are given.

    ``served`` are the URLs that went through; ``seen`` the credentials that were shown.
    """

    def __init__(self, credentials: str = "") -> None:
        super().__init__(Resource(), requestFactory=_Request)  # type: ignore[no-untyped-call]
        self.credentials = credentials
        self.served: list[str] = []
        self.seen: list[str | None] = []
        self.port = 0

    @property
    def url(self) -> str:
        """For ``CAPTCHA_PROXIES``, credentials included."""
        user, _, password = self.credentials.partition(":")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if self.credentials else ""
        return f"http://{login}127.0.0.1:{self.port}"

    def admits(self, shown: str | None) -> bool:
        """Whether the credentials in a Proxy-Authorization header are right."""
        self.seen.append(shown)
        expected = f"Basic {b64encode(self.credentials.encode()).decode()}"
        return not self.credentials or shown == expected


class _Request(Request):
    def process(self) -> None:
        proxy: ForwardProxy = self.channel.site  # type: ignore[attr-defined]
        if proxy.admits(self.getHeader("proxy-authorization")):
            proxy.served.append(self.uri.decode())
            Deferred.fromCoroutine(self.forward()).addErrback(self.failed)
        else:
            self.setResponseCode(407)
            self.finish()  # type: ignore[no-untyped-call]

    def failed(self, _: object) -> None:
        self.setResponseCode(502)
        self.finish()  # type: ignore[no-untyped-call]

    async def forward(self) -> None:
        from twisted.internet import reactor

        headers = self.requestHeaders.copy()
        for name in ("proxy-authorization", "connection", "content-length"):
            headers.removeHeader(name)
        body = self.content.read() if self.content else b""
        response = await HTTPClient(Agent(reactor)).request(
            self.method.decode(),
            self.uri.decode(),
            headers=headers,
            data=body or None,
            allow_redirects=False,
        )
        page = await response.content()
        self.setResponseCode(response.code)
        for name, values in response.headers.getAllRawHeaders():
            if name.lower() not in {b"connection", b"content-encoding"}:
                self.responseHeaders.setRawHeaders(name, values)
        self.write(page)  # type: ignore[no-untyped-call]
        self.finish()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def proxies(*credentials: str) -> AsyncIterator[list[ForwardProxy]]:
    """As many running proxies as *credentials*, "" for one that asks for none."""
    async with AsyncExitStack() as stack:
        running = [ForwardProxy(login) for login in credentials]
        for proxy in running:
            proxy.port = await stack.enter_async_context(listening(proxy))
        yield running
