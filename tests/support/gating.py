"""A site whose pages send visitors without a clearance to a captcha at one fixed URL."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from listening import listening
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from scrapy_captcha.sandbox.pictures import draw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.web.server import Request

KEY = "6LdAbCdEfGhIjKlMnOpQrStUvWxYz0123456789_"
GATE = (
    "<html><head><title>One moment</title>"
    '<script src="https://www.google.com/recaptcha/api.js" async defer></script></head>'
    '<body><form method="post" action="/verify">'
    f'<div class="g-recaptcha" data-sitekey="{KEY}"></div>'
    '<button type="submit">Continue</button></form></body></html>'
)
PICTURE = (
    "<html><head><title>One moment</title></head><body><h1>Security check</h1>"
    '<form method="post" action="/verify"><img src="/captcha.png" alt="captcha">'
    '<input type="text" name="captcha"><button type="submit">Continue</button></form></body></html>'
)
REFRESH = '<html><head><meta http-equiv="refresh" content="0; url={url}"></head></html>'


@dataclass
class Visitor:
    """What the server's session keeps: the wanted page, and what is left of the clearance."""

    wanted: str = "/"
    visits: float = 0
    until: float = 0.0


@dataclass
class Gate(Resource):
    """The pages of the site are all others than ``/``, ``/gate`` and ``/verify``.

    * *status*: of the redirect to the gate; 0 for a meta refresh
    * *where*: it leads to; *at*: the gate's path, where that is another; *home*: whether an answer leads to ``/`` or to the wanted page
    * *life*, *visits*: seconds and pages for which a clearance is good
    * *slow*: seconds that the gate takes; *shows*: its page; *rules*: robots.txt
    * *leaves*: whether the gate sends those with a clearance to ``/``
    * *results*: whether what is posted is carried out, and the page of its result guarded inline
    * *free*: paths that the gate does not guard; *moved*: where paths lead that have moved
    """

    status: int = 302
    where: str = "/gate"
    at: str = "/gate"
    home: bool = False
    life: float = 60.0
    visits: float = float("inf")
    slow: float = 0.0
    free: frozenset[str] = frozenset({"/"})
    moved: dict[str, str] = field(default_factory=dict)
    shows: str = GATE
    rules: str = ""
    leaves: bool = False
    results: bool = False

    isLeaf = True  # noqa: N815 - the name in Resource

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.url = ""
        self.picture = draw("ABCD") if self.shows is PICTURE else b""
        self.asked: Counter[tuple[str, str]] = Counter()
        self.carried_out: Counter[tuple[str, str, bytes]] = Counter()
        self._visitors: dict[bytes, Visitor] = {}

    def render(self, request: Request) -> bytes | int:
        method, path = request.method.decode(), request.path.decode()
        self.asked[method, path] += 1
        visitor = self._visitor(request)
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        moved = self._moved(visitor, method, path)
        if moved:
            return self._to(request, moved, 302)
        if path in {self.at, "/captcha.png"}:
            return self._gate(request, path)
        if path == "/verify":
            visitor.until, visitor.visits = time.monotonic() + self.life, self.visits
            return self._to(request, "/" if self.home else visitor.wanted, 302)
        if path in self.free or self._passes(visitor):
            return self._content(request, method, path)
        visitor.wanted = path
        if self.results:
            return GATE.encode()
        return self._to(request, self.where, self.status)

    def _moved(self, visitor: Visitor, method: str, path: str) -> str:
        if self.results and (method, path) == ("POST", "/form"):
            return "/result"
        if self.leaves and path == self.at and self._passes(visitor):
            return "/"
        return self.moved.get(path, "")

    def _content(self, request: Request, method: str, path: str) -> bytes:
        if path == "/robots.txt":
            request.setHeader("Content-Type", "text/plain")
            return self.rules.encode()
        assert request.content is not None
        self.carried_out[method, path, request.content.read()] += 1
        return f"<html><body><h1>{method} {path}</h1></body></html>".encode()

    def _visitor(self, request: Request) -> Visitor:
        name = request.getCookie(b"sid")
        if name not in self._visitors:
            name = secrets.token_hex(8).encode()
            self._visitors[name] = Visitor()
            request.addCookie("sid", name.decode(), path="/")
        return self._visitors[name]

    def _passes(self, visitor: Visitor) -> bool:
        if visitor.visits < 1 or time.monotonic() > visitor.until:
            return False
        visitor.visits -= 1
        return True

    def _gate(self, request: Request, path: str) -> bytes | int:
        if path != self.at:
            request.setHeader("Content-Type", "image/png")
            return self.picture
        if not self.slow:
            return self.shows.encode()
        from twisted.internet import reactor

        def show() -> None:
            request.write(self.shows.encode())
            request.finish()

        untyped: Any = reactor
        untyped.callLater(self.slow, show)
        return NOT_DONE_YET

    def _to(self, request: Request, url: str, status: int) -> bytes:
        if not status:
            return REFRESH.format(url=url).encode()
        request.setResponseCode(status)
        request.setHeader("Location", url)
        return b""


@asynccontextmanager
async def gate(**options: Any) -> AsyncIterator[Gate]:
    """The running site."""
    root = Gate(**options)
    async with listening(Site(root)) as port:
        root.url = f"http://127.0.0.1:{port}"
        yield root
