"""A site with the captcha that people write themselves, or have a library write, and a session."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from listening import listening
from twisted.internet.task import deferLater
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from scrapy_captcha.sandbox.pictures import draw, new_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from twisted.internet.defer import Deferred
    from twisted.web.server import Request

    from scrapy_captcha.sandbox import Sandbox

SITE_KEY = "6LdAbCdEfGhIjKlMnOpQrStUvWxYz0123456789_"
_WIDGET = f'<div class="g-recaptcha" data-sitekey="{SITE_KEY}"></div>'
_PICTURE = '<img src="/captcha.png" alt="captcha"><input type="text" name="captcha">'
_GATE = (
    "<html><head><title>Are you human?</title>"
    '<script src="https://www.google.com/recaptcha/api.js" async defer></script></head><body>'
    '<h1>Are you human?</h1><form method="post" action="{action}">{hidden}{captcha}'
    '<input type="hidden" name="next" value="{path}"><button type="submit">Continue</button>'
    "</form></body></html>"
)
_CONTENT = (
    "<html><body><h1>{path}</h1><p>"
    + "What was looked for, at length. " * 40
    + "</p></body></html>"
)
_ROOT: dict[str, Any] = {"path": b"/"}
_THANKS = b"<html><body><p>Thank you. You may go on.</p></body></html>"


@dataclass
class Visitor:
    """A session as the server keeps it.

    * *phrase*: the answer that it expects, in which each showing of a captcha puts another
    * *left*, *until*: pages and monotonic time for which it is cleared
    """

    phrase: str = ""
    left: float = 0
    until: float = 0.0
    agent: str = ""


@dataclass(frozen=True)
class Rules:
    """How the site works.

    * *widget*: reCAPTCHA instead of a picture
    * *good_for*: pages that each clearance in turn is good for, the last for all that follow
    * *life*: seconds for which a clearance is good
    * *cookie*: whether a clearance is a cookie, which the next clearance replaces, instead of a
      mark in the server's session
    * *stateless*: no session is kept, and a good answer is answered with its page
    * *bound*: whether a clearance is good for the user agent only that it was given to
    * *nonce*: whether the form holds a word that each showing of a captcha replaces
    * *redirects*: whether a good answer is answered with a redirect to its page, which that uses up
      as any visit, instead of thanks
    * *gate*: the path of the captcha where pages redirect to it, "" where it stands in their place
    * *free*: paths without a captcha
    * *latency*: seconds before an answer
    * *attributes*: of the cookie that is a clearance, *of_session*: of that of the session, as
      ``twisted.web.server.Request.addCookie`` takes them
    """

    widget: bool = False
    good_for: tuple[float, ...] = (1,)
    life: float = float("inf")
    cookie: bool = False
    stateless: bool = False
    bound: bool = False
    nonce: bool = False
    redirects: bool = False
    gate: str = ""
    free: frozenset[str] = frozenset({"/"})
    latency: float = 0.0
    attributes: dict[str, Any] = field(default_factory=dict)
    of_session: dict[str, Any] = field(default_factory=dict)


@dataclass
class Homemade(Resource):
    """The site. ``asked`` counts requests by path, ``came`` contents, ``wrong`` answers refused."""

    rules: Rules
    running: Sandbox
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    agents: dict[str, set[str]] = field(default_factory=dict)
    wrong: int = 0
    right: int = 0

    isLeaf = True  # noqa: N815 - the name in Resource

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._visitors: dict[str, Visitor] = {}
        self._clearances: dict[str, Visitor] = {}
        self._tokens: set[str] = set()
        *some, last = self.rules.good_for
        self._good_for: Iterator[float] = chain(some, repeat(last))

    def __hash__(self) -> int:
        return id(self)

    def render(self, request: Request) -> int:
        from twisted.internet import reactor

        waited: Deferred[None] = deferLater(reactor, self.rules.latency)
        waited.addCallback(lambda _none: self._respond(request))
        request.notifyFinish().addErrback(lambda _gone: waited.cancel())
        waited.addErrback(lambda _failure: None)
        return NOT_DONE_YET

    def _respond(self, request: Request) -> None:
        path = request.path.decode()
        self.asked[path] += 1
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        if path == "/captcha.png":
            body = self._picture(request)
        elif path == "/verify" or request.method == b"POST":
            body = self._verified(request)
        elif path == self.rules.gate:
            body = self._shown(request, request.args[b"next"][0].decode())
        else:
            body = self._page(request, path)
        request.write(body)
        request.finish()

    def _page(self, request: Request, path: str) -> bytes:
        agent = request.getHeader("user-agent") or ""
        if path in self.rules.free or self._is_cleared(request, agent):
            self.came[path] += 1
            self.agents.setdefault(path, set()).add(agent)
            return _CONTENT.format(path=path).encode()
        if self.rules.gate:
            return self._redirect(request, f"{self.rules.gate}?next={path}")
        return self._shown(request, path)

    def _is_cleared(self, request: Request, agent: str) -> bool:
        cleared = self._clearances.get(_cookie(request, b"clearance"))
        if not self.rules.cookie:
            cleared = self._visitor(request)
        if cleared is None or cleared.left < 1 or time.monotonic() > cleared.until:
            return False
        if self.rules.bound and cleared.agent != agent:
            return False
        cleared.left -= 1
        return True

    def _shown(self, request: Request, path: str) -> bytes:
        visitor = Visitor() if self.rules.stateless else self._visitor(request)
        hidden = ""
        if not self.rules.widget or self.rules.nonce:
            visitor.phrase = new_text()
        if self.rules.nonce:
            hidden = f'<input type="hidden" name="nonce" value="{visitor.phrase}">'
        captcha = _WIDGET if self.rules.widget else _PICTURE
        action = path if self.rules.stateless else "/verify"
        return _GATE.format(action=action, path=path, captcha=captcha, hidden=hidden).encode()

    def _picture(self, request: Request) -> bytes:
        """The text is made where it is drawn, as in most such scripts."""
        visitor = self._visitor(request)
        visitor.phrase = new_text()
        picture = draw(visitor.phrase)
        self.running.book.show_picture(picture, visitor.phrase)
        request.setHeader("Content-Type", "image/png")
        return picture

    def _verified(self, request: Request) -> bytes:
        fields = {k.decode(): v[0].decode() for k, v in request.args.items()}
        path = fields["next"]
        if not self._is_right(request, fields):
            self.wrong += 1
            return self._shown(request, path)
        self.right += 1
        if self.rules.stateless:
            self.came[path] += 1
            return _CONTENT.format(path=path).encode()
        cleared = Visitor() if self.rules.cookie else self._visitor(request)
        cleared.left = next(self._good_for)
        cleared.until = time.monotonic() + self.rules.life
        cleared.agent = request.getHeader("user-agent") or ""
        if self.rules.cookie:
            name = secrets.token_hex(8)
            self._clearances[name] = cleared
            request.addCookie(b"clearance", name.encode(), **_ROOT | self.rules.attributes)
        return self._redirect(request, path) if self.rules.redirects else _THANKS

    def _is_right(self, request: Request, fields: dict[str, str]) -> bool:
        phrase = ""
        if not self.rules.stateless:
            visitor = self._visitor(request)
            phrase, visitor.phrase = visitor.phrase, ""
        if self.rules.nonce and fields.get("nonce", "-") != phrase:
            return False
        if not self.rules.widget:
            return bool(phrase) and fields.get("captcha", "").upper() == phrase
        token = fields.get("g-recaptcha-response", "")
        is_new = bool(token) and token not in self._tokens
        self._tokens.add(token)
        return is_new

    def _redirect(self, request: Request, where: str) -> bytes:
        request.setResponseCode(302)
        request.setHeader("Location", where)
        return b""

    def _visitor(self, request: Request) -> Visitor:
        name = _cookie(request, b"session")
        if name not in self._visitors:
            name = secrets.token_hex(8)
            self._visitors[name] = Visitor()
            request.addCookie(b"session", name.encode(), **_ROOT | self.rules.of_session)
        return self._visitors[name]


def _cookie(request: Request, name: bytes) -> str:
    """Of several cookies of one name the first is taken, as by PHP and by Express."""
    header = request.getHeader("cookie") or ""
    pairs = [pair.strip().partition("=") for pair in header.split(";")]
    return next((value for key, _, value in pairs if key == name.decode()), "")


@asynccontextmanager
async def homemade(running: Sandbox, rules: Rules) -> AsyncIterator[Homemade]:
    """The running site, whose captchas the solver of *running* can read."""
    root = Homemade(rules, running)
    async with listening(Site(root)) as port:
        root.url = f"http://127.0.0.1:{port}"
        yield root
