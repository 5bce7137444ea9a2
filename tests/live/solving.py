"""A solver that knows what the sites' pictures say, and a siteverify that knows its tokens."""

from __future__ import annotations

import hashlib
import json
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox import SolverOptions
from scrapy_captcha.sandbox.api import SolverApi
from scrapy_captcha.sandbox.solver import Solver
from scrapy_captcha.sandbox.tokens import TokenBook
from scrapy_captcha.sandbox.web import Listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

API_KEY = "key-0123456789abcdef"
KINDS = {
    "/recaptcha": (Kind.RECAPTCHA_V2, Kind.RECAPTCHA_V3),
    "/turnstile": (Kind.TURNSTILE,),
}


class AnswerBook(TokenBook):
    """What was sold, and the pictures whose text a site has written to *answers*, by their hash."""

    def __init__(self, answers: Path) -> None:
        super().__init__()
        self._answers = answers
        self._sold: dict[str, tuple[Kind, str, str]] = {}

    def read_picture(self, picture: bytes) -> str | None:
        written = self._answers / hashlib.sha256(picture).hexdigest()
        return written.read_text(encoding="utf-8") if written.exists() else None

    def mint(self, kind: Kind, site_key: str, url: str, **more: Any) -> dict[str, str]:
        answers = super().mint(kind, site_key, url, **more)
        self._sold[answers["token"]] = (kind, site_key, url)
        return answers

    def verify(self, token: str, kinds: tuple[Kind, ...]) -> bool:
        """Whether *token* is good, once, for a site that takes one of *kinds*."""
        kind, site_key, url = self._sold.get(token, (None, "", ""))
        return kind in kinds and self.redeem({"token": token}, kind, site_key, url) is None


@contextmanager
def siteverify(book: AnswerBook) -> Iterator[str]:
    """The address of a server that answers as reCAPTCHA's and Turnstile's do."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            good = book.verify(dict(parse_qsl(body)).get("response", ""), KINDS[self.path])
            codes = [] if good else ["invalid-input-response"]
            answer = {"success": good, "score": 0.9, "action": "page", "error-codes": codes}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@asynccontextmanager
async def solving(book: AnswerBook, solve_time: float) -> AsyncIterator[tuple[Solver, str]]:
    """A solver with an account of its own, and its address."""
    solver = Solver(SolverOptions(API_KEY, solve_time), book)
    api = Listener(SolverApi({"unified": solver}, dict).respond)
    await api.listen(0)
    try:
        yield solver, api.url
    finally:
        await api.stop_listening()
