"""A captcha is answered with the cookies under which its page was served."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from listening import listening
from scrapy import Request
from twisted.internet.task import deferLater
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from scrapy_captcha.sandbox.pictures import draw, new_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.internet.defer import Deferred
    from twisted.web.server import Request as Asked

    from scrapy_captcha.sandbox import Sandbox

PATHS = [f"/item/{n}" for n in range(1, 5)]
SLOW = "/item/2"


class Gated(Resource):
    """A gate whose form and picture belong to a session, as those of ASP.NET and Yii do.

    A visitor without a cookie gets a new session; that of `SLOW` is given out last. With *rotates*
    each answer gives the session another name.
    """

    isLeaf = True  # noqa: N815 - the name in Resource

    def __init__(self, running: Sandbox, *, rotates: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._running = running
        self._rotates = rotates
        self._sessions: dict[str, dict[str, str]] = {}

    def render(self, request: Asked) -> int:
        from twisted.internet import reactor

        cookie = request.getCookie(b"sid")
        delay = 0.3 if request.path.decode() == SLOW and cookie is None else 0.0
        waited: Deferred[None] = deferLater(reactor, delay)
        waited.addCallback(lambda _none: self._respond(request, (cookie or b"").decode()))
        return NOT_DONE_YET

    def _respond(self, request: Asked, name: str) -> None:
        session = self._sessions.get(name, {"csrf": secrets.token_hex(8)})
        if self._rotates or name not in self._sessions:
            name = secrets.token_hex(8)
            self._sessions[name] = session
            request.addCookie(b"sid", name.encode(), path=b"/")
        request.write(self._body(request, request.path.decode(), session))
        request.finish()

    def _body(self, request: Asked, path: str, session: dict[str, str]) -> bytes:
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        if path == "/picture":
            session["phrase"] = new_text()
            picture = draw(session["phrase"])
            self._running.book.show_picture(picture, session["phrase"])
            request.setHeader("Content-Type", "image/png")
            return picture
        if path == "/captcha" and not self._is_solved(request, session):
            return (
                f'<h1>Are you human?</h1><form method="post"><img src="/picture" alt="captcha">'
                f'<input type="hidden" name="csrf" value="{session["csrf"]}">'
                '<input name="captcha"><button>Go</button></form>'
            ).encode()
        if path != "/captcha" and "cleared" in session:
            return f"<h1>{path}</h1>".encode()
        session.setdefault("wanted", path)
        request.redirect(b"/captcha" if path != "/captcha" else session["wanted"].encode())
        return b""

    def _is_solved(self, request: Asked, session: dict[str, str]) -> bool:
        given = [
            (request.args or {}).get(name, [b""])[0].decode() for name in (b"csrf", b"captcha")
        ]
        if request.method == b"POST" and given == [session["csrf"], session.pop("phrase", None)]:
            session["cleared"] = "yes"
        return "cleared" in session


@asynccontextmanager
async def gated(running: Sandbox, *, rotates: bool) -> AsyncIterator[str]:
    async with listening(Site(Gated(running, rotates=rotates))) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("rotates", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_captcha_of_a_session_that_was_replaced_is_fetched_again(*, rotates: bool) -> None:
    async with sandbox() as running, gated(running, rotates=rotates) as url:
        crawled = await crawl(running, [Request(url + path) for path in PATHS])

    assert (crawled.paths, crawled.reasons) == (PATHS, [])
    assert running.solver.created == 1
