"""A site whose pages stand behind one given challenge page, for as long as it is not answered."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from listening import listening
from twisted.web.resource import Resource
from twisted.web.server import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twisted.web.server import Request


@dataclass
class Wall:
    """The challenge: *markup* in a page of *status*, shown at */gate* where it *redirects*.

    * *answer*: the name of the field that has to come, not empty
    * *fields*: what has to come with it
    * *files*: what else the site serves, by path: the type and the bytes
    """

    markup: str
    answer: str
    status: int = 200
    redirects: bool = False
    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    content_type: str = "text/html; charset=utf-8"


class Guarded(Resource):
    """Shows the wall to who has no cookie, sets one for the right answer, and leads back."""

    isLeaf = True  # noqa: N815 - the name in Resource

    def __init__(self, wall: Wall) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.wall = wall
        self.answers: list[dict[str, str]] = []
        self.url = ""

    def render(self, request: Request) -> bytes:
        path = request.path.decode()
        request.setHeader("Content-Type", self.wall.content_type)
        if path in self.wall.files:
            kind, body = self.wall.files[path]
            request.setHeader("Content-Type", kind)
            return body
        if request.method == b"POST":
            return self._judge(request)
        if request.getCookie(b"passed"):
            return f"<title>Page</title><h1>Page {path}</h1>".encode()
        if self.wall.redirects and path != "/gate":
            request.setResponseCode(302)
            request.setHeader("Location", f"/gate?next={path}")
            return b""
        request.setResponseCode(self.wall.status)
        return self.wall.markup.encode()

    def _judge(self, request: Request) -> bytes:
        sent = {name.decode(): values[0].decode() for name, values in request.args.items()}
        self.answers.append(sent)
        came = {name: sent.get(name) for name in self.wall.fields}
        if sent.get(self.wall.answer) and came == self.wall.fields:
            request.addCookie(b"passed", b"1", path=b"/")
        request.setResponseCode(302)
        back = sent.get("next") or request.args.get(b"next", [b"/"])[0].decode()
        request.setHeader("Location", back if back.startswith("/") else "/")
        return b""


@asynccontextmanager
async def guarded(wall: Wall) -> AsyncIterator[Guarded]:
    """The running site."""
    root = Guarded(wall)
    async with listening(Site(root)) as port:
        root.url = f"http://127.0.0.1:{port}"
        yield root
