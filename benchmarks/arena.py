"""Where the alternatives are compared: a site that takes bare tokens, and what sells them.

The sandbox's own site wants the hidden fields of its form and the session that it was shown to;
this one takes what the least of the alternatives can send.
"""

from __future__ import annotations

import json
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import treq

from scrapy_captcha import Captcha, SolverClient
from scrapy_captcha.models import KINDS
from scrapy_captcha.providers import Unified
from scrapy_captcha.sandbox import Mode, Sandbox, SolverOptions
from scrapy_captcha.sandbox.guards import Gatekeeper
from scrapy_captcha.sandbox.pages import content, wall
from scrapy_captcha.sandbox.script import HttpReply
from scrapy_captcha.sandbox.web import Listener, body_of, pause, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.web.server import Request

    from scrapy_captcha.sandbox import Guard
    from scrapy_captcha.sandbox.tokens import TokenBook

LATENCY = 0.1

_HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass
class BareSite:
    """*pages*, of which *guarded* open to whoever sends a token of the captcha by POST.

    In ``Mode.CLEARANCE`` the first token opens all of them, by a cookie. Those in *refusing* refuse
    the first. *opened*: the paths whose content was served.
    """

    pages: int
    guarded: frozenset[int]
    guard: Guard
    refusing: set[int]
    book: TokenBook
    opened: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._gate = Gatekeeper(self.book)
        self._clearance = secrets.token_urlsafe()

    async def respond(self, request: Request) -> None:
        """Answer *request*."""
        await pause(LATENCY)
        path = request.path.decode("latin-1")
        number = int(path.rpartition("/")[2] or 0)
        if number not in self.guarded or self._lets_in(request, number):
            self.opened.add(path)
            page = content(number, self.pages)
        else:
            challenge = self._gate.challenge(self.guard, "", path, _url(request, path), "GET")
            page = wall(challenge, path, again=request.method == b"POST")
        send(request, HttpReply(200, page.encode(), _HTML))

    def _lets_in(self, request: Request, number: int) -> bool:
        if request.received_cookies.get(b"clearance") == self._clearance.encode():
            return True
        name = _field(self.guard).encode()
        token = {"token": request.args.get(name, [b""])[0].decode("latin-1")}
        # As real sites do, it asks for which host a token was sold and not for which page.
        urls = (_url(request, f"/page/{page}") for page in range(1, self.pages + 1))
        if self.book.redeem(token, self.guard.kind, self.guard.key, *urls):
            return False
        if number in self.refusing:
            self.refusing.remove(number)
            return False
        if self.guard.mode is Mode.CLEARANCE:
            request.addCookie(b"clearance", self._clearance.encode(), path=b"/")
        return True


@dataclass(frozen=True)
class StandIns:
    """The other ends of Peak's API and of FlareSolverr's; both buy what they need of *client*."""

    client: SolverClient
    guard: Guard

    async def respond(self, request: Request) -> None:
        """Answer *request*."""
        answer = {b"/solve": self._peak, b"/v1": self._flaresolverr}[request.path]
        send(request, HttpReply.json(await answer(json.loads(body_of(request)))))

    async def _peak(self, order: dict[str, str]) -> dict[str, Any]:
        return {"success": True, "data": {"token": await self._token(order["url"])}}

    async def _flaresolverr(self, order: dict[str, str]) -> dict[str, Any]:
        """As its browser does: opens the page, and solves what it shows until it opens."""
        url = order["url"]
        page = await treq.text_content(await treq.get(url))
        while self.guard.key in page:
            data = {_field(self.guard): await self._token(url)}
            page = await treq.text_content(await treq.post(url, data=data))
        return {"status": "ok", "solution": {"url": url, "status": 200, "response": page}}

    async def _token(self, url: str) -> str:
        captcha = Captcha(self.guard.kind, url, self.guard.key)
        return (await self.client.solve(captcha)).answers["token"]


@dataclass(frozen=True)
class Arena:
    """What stands while a crawl runs: the *sandbox*, whose solver is asked, and the *site*."""

    sandbox: Sandbox
    site: BareSite
    site_url: str
    stand_ins_url: str

    @property
    def bought(self) -> int:
        """Tasks that the solver was given, by whichever API."""
        return sum(solver.created for solver in self.sandbox.services.values())


@asynccontextmanager
async def arena(
    pages: int,
    guarded: frozenset[int],
    guard: Guard,
    refusing: frozenset[int],
    solve_time: float,
) -> AsyncIterator[Arena]:
    """All of it on the loopback interface, and gone at the end; see `BareSite`."""
    options = SolverOptions(solve_time=solve_time, balance=100, poll_interval=0)
    async with Sandbox(options) as sandbox:
        client = SolverClient(
            Unified(poll_interval=solve_time), api_url=sandbox.api_url, api_key=sandbox.api_key
        )
        site = BareSite(pages, guarded, guard, set(refusing), sandbox.book)
        listeners = Listener(site.respond), Listener(StandIns(client, guard).respond)
        for listener in listeners:
            await listener.listen(0)
        try:
            yield Arena(sandbox, site, *(listener.url for listener in listeners))
        finally:
            await client.close()
            for listener in listeners:
                await listener.stop_listening()


def _field(guard: Guard) -> str:
    (name,) = KINDS[guard.kind].answers
    return name


def _url(request: Request, path: str) -> str:
    host = request.requestHeaders.getRawHeaders("host", [""])[0]
    return f"http://{host}{path}"
