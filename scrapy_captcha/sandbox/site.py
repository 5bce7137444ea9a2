"""The local site behind captchas."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from . import pages, pictures
from .guards import ID_FIELD, Gatekeeper, Guard, Passage, Shown
from .script import HttpReply
from .web import body_of, headers_of, pause, send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.web.server import Request

    from .guards import Challenge
    from .tokens import TokenBook

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_NUMBERED = re.compile(r"/(?:page|form)/([1-9][0-9]{0,8})")
_PICTURE = re.compile(r"/captcha/([0-9a-f]+)\.png")
_RECORDED = ("content-type", "cookie", "referer", "user-agent")
_OPEN: Mapping[str, Callable[[int], str]] = {"/": pages.index, "/widget": pages.guest_book}
_CREDENTIALS = ("authorization", "proxy-authorization")


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """The options of the local site.

    * *pages*: how many ``/page/<n>`` and ``/form/<n>`` there are, from 1
    * *guard*: the captcha before each of them and in the form of ``/search``, None for none
    * *guards*: another one, or None, by path: ``{"/page/2": None}``
    * *latency*: seconds before any answer, or a function of the path
    * *token_life*: seconds from solution to the end of a token here, None for as long as the
      solver says
    * *session_bound*: whether a challenge can be answered in the session only that it was shown to
    * *page_size*: bytes that each page has at least, challenges included
    """

    pages: int = 10
    guard: Guard | None = Guard()  # noqa: RUF009 - frozen
    guards: Mapping[str, Guard | None] = field(default_factory=dict)
    latency: float | Callable[[str], float] = 0.0
    session_bound: bool = True
    token_life: float | None = None
    page_size: int = 0


@dataclass(slots=True)
class Visit:
    """A request as it came in.

    * *path*: with the query; *at*: monotonic seconds
    * *headers*: content-type, cookie, referer and user-agent, where they were sent
    * *credentials*: which of authorization and proxy-authorization were sent
    * *status*: of the answer, None while there is none
    """

    method: str
    path: str
    at: float
    headers: Mapping[str, str]
    credentials: tuple[str, ...]
    status: int | None = None


class CaptchaSite:
    """The site. What it did stands in its public attributes.

    *requests*: every visit; *opened*: how often the content of a guarded path was served;
    *gate*: the captchas, with the counters of accepted and rejected answers.
    """

    def __init__(self, options: SiteOptions, book: TokenBook) -> None:
        self.options = options
        self.requests: list[Visit] = []
        self.opened: Counter[str] = Counter()
        self.gate = Gatekeeper(
            book, session_bound=options.session_bound, token_life=options.token_life
        )
        self._book = book
        self._visitors: set[str] = set()

    async def respond(self, request: Request) -> None:
        """Answer *request*."""
        visit = self._record(request)
        path = request.path.decode("latin-1")
        latency = self.options.latency
        await pause(latency(path) if callable(latency) else latency)
        reply = self._reply(request, path)
        visit.status = reply.status
        send(request, reply)

    def _record(self, request: Request) -> Visit:
        sent = headers_of(request)
        visit = Visit(
            request.method.decode("latin-1"),
            request.uri.decode("latin-1"),
            self._book.clock(),
            {name: sent[name] for name in _RECORDED if name in sent},
            tuple(name for name in _CREDENTIALS if name in sent),
        )
        self.requests.append(visit)
        return visit

    def _reply(self, request: Request, path: str) -> HttpReply:
        if picture := _PICTURE.fullmatch(path):
            return self._picture(request, picture[1])
        if path == "/captcha":
            return self._captcha_page(request)
        if self._number(path):
            return self._numbered(request, path)
        if path == "/search":
            return self._search(request)
        if path not in _OPEN:
            return HttpReply(404, b"")
        self._visitor(request)
        return self._html(_OPEN[path](self.options.pages))

    def _search(self, request: Request) -> HttpReply:
        """The form is open to all; where there is a guard, results are for solutions only."""
        guard = self.options.guards.get("/search", self.options.guard)
        visitor, fields = self._visitor(request), _fields(request)
        if request.method != b"POST":
            url = _url(request)
            shown = self.gate.challenge(guard, visitor, "/search", url, "GET") if guard else None
            return self._html(pages.search(shown))
        if guard is not None and self.gate.judge(visitor, fields).reason is not None:
            return self._challenge(request, visitor, guard, "/search", again=True)
        self.opened["/search"] += 1
        return self._html(pages.results(fields.get("q", ""), self.options.pages))

    def _number(self, path: str) -> int:
        """The number in the path of a page, 0 for any other path."""
        match = _NUMBERED.fullmatch(path)
        return int(match[1]) if match and int(match[1]) <= self.options.pages else 0

    def _numbered(self, request: Request, path: str) -> HttpReply:
        guard = self.options.guards.get(path, self.options.guard)
        if guard is None:
            return self._content(request, path)
        visitor = self._visitor(request)
        if request.method == b"POST" and ID_FIELD.encode() in request.args:
            return self._submission(request, visitor, guard, path)
        shown_at = f"/captcha?next={quote(path)}"
        urls = _url(request), _url(request, shown_at)
        if self.gate.may_pass(guard, visitor, path, _cookies(request), *urls):
            return self._content(request, path)
        if guard.shown is Shown.REDIRECT:
            return HttpReply(302, b"", {"Location": shown_at})
        return self._challenge(request, visitor, guard, path)

    def _captcha_page(self, request: Request) -> HttpReply:
        path = _fields(request).get("next", "")
        guard = self.options.guards.get(path, self.options.guard) if self._number(path) else None
        if guard is None:
            return HttpReply(404, b"")
        answer = self._submission if request.method == b"POST" else self._challenge
        return answer(request, self._visitor(request), guard, path)

    def _challenge(
        self, request: Request, visitor: str, guard: Guard, path: str, *, again: bool = False
    ) -> HttpReply:
        method, action = request.method.decode("latin-1"), request.uri.decode("latin-1")
        challenge = self.gate.challenge(guard, visitor, path, _url(request), method)
        return self._html(pages.wall(challenge, action, again=again), guard.status)

    def _submission(self, request: Request, visitor: str, guard: Guard, path: str) -> HttpReply:
        judgement = self.gate.judge(visitor, _fields(request))
        if judgement.challenge is None or judgement.reason:
            return self._challenge(request, visitor, guard, path, again=True)
        if judgement.clearance:
            request.addCookie(b"clearance", judgement.clearance.encode(), path=b"/")
        return self._passage(request, judgement.challenge)

    def _passage(self, request: Request, challenge: Challenge) -> HttpReply:
        answers: Mapping[Passage, Callable[[], HttpReply]] = {
            Passage.PAGE: lambda: self._content(request, challenge.path),
            Passage.REDIRECT: lambda: HttpReply(302, b"", {"Location": challenge.path}),
            Passage.JSON: lambda: HttpReply.json({"ok": True}),
            Passage.THANKS: lambda: self._html(pages.thanks()),
        }
        return answers[challenge.guard.passage]()

    def _picture(self, request: Request, challenge_id: str) -> HttpReply:
        text = self.gate.picture_text(challenge_id, _cookies(request).get("session", ""))
        if text is None:
            return HttpReply(404, b"")
        picture = pictures.draw(text)
        self._book.show_picture(picture, text)
        return HttpReply(200, picture, {"Content-Type": "image/png", "Cache-Control": "no-store"})

    def _content(self, request: Request, path: str) -> HttpReply:
        self.opened[path] += 1
        if path.startswith("/form/") and request.method == b"POST":
            return _echo(request)
        return self._html(pages.content(self._number(path), self.options.pages))

    def _html(self, page: str, status: int = 200) -> HttpReply:
        return HttpReply(status, page.encode().ljust(self.options.page_size), _HTML)

    def _visitor(self, request: Request) -> str:
        """The session of *request*, which begins here when it has none."""
        visitor = _cookies(request).get("session", "")
        if visitor not in self._visitors:
            visitor = secrets.token_hex(16)
            self._visitors.add(visitor)
            request.addCookie(b"session", visitor.encode(), path=b"/")
        return visitor


def _echo(request: Request) -> HttpReply:
    """What arrived, as JSON; of cookies and credentials, the cookies only."""
    hidden = ("cookie", *_CREDENTIALS)
    return HttpReply.json(
        {
            "method": request.method.decode("latin-1"),
            "body": body_of(request).decode("utf-8", "replace"),
            "headers": {k: v for k, v in headers_of(request).items() if k not in hidden},
            "cookies": _cookies(request),
        }
    )


def _url(request: Request, target: str = "") -> str:
    """The absolute URL of *request*, or of *target* at the same host."""
    host = request.requestHeaders.getRawHeaders("host", [""])[0]
    return f"http://{host}{target or request.uri.decode('latin-1')}"


def _cookies(request: Request) -> dict[str, str]:
    cookies = request.received_cookies
    return {k.decode("latin-1"): v.decode("latin-1") for k, v in cookies.items()}


def _fields(request: Request) -> dict[str, str]:
    return {k.decode("latin-1"): v[-1].decode("utf-8", "replace") for k, v in request.args.items()}
