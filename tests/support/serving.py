"""A site of given pages on the loopback interface, for what the sandbox would never serve."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from listening import listening
from twisted.web.resource import Resource
from twisted.web.server import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from twisted.web.server import Request


@dataclass(frozen=True)
class Page:
    """An answer; HTML unless *headers* say otherwise."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Pages(Resource):
    """Serves *pages* by path, which may be changed, and *on_post* for each POST where it is given.

    ``requests`` are method and path of what was asked for, ``authorizations`` what came along, and
    ``cookies`` likewise.
    """

    isLeaf = True  # noqa: N815 - the name in Resource

    def __init__(self, pages: Mapping[str, Page], on_post: Page | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.pages = dict(pages)
        self.authorizations: set[str | None] = set()
        self.cookies: set[str | None] = set()
        self._on_post = on_post
        self.requests: list[tuple[str, str]] = []
        self.url = ""

    def render(self, request: Request) -> bytes:
        path = request.path.decode()
        self.requests.append((request.method.decode(), path))
        self.authorizations.add(request.getHeader("authorization"))
        self.cookies.add(request.getHeader("cookie"))
        page = self.pages.get(path, Page("", 404))
        if request.method == b"POST" and self._on_post:
            page = self._on_post
        request.setResponseCode(page.status)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **page.headers}.items():
            request.setHeader(name, value)
        return page.body.encode()


@asynccontextmanager
async def site(pages: Mapping[str, Page], on_post: Page | None = None) -> AsyncIterator[Pages]:
    """The running site."""
    root = Pages(pages, on_post)
    async with listening(Site(root)) as port:
        root.url = f"http://127.0.0.1:{port}"
        yield root
