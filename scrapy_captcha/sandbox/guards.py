"""The site's captchas and sessions, which decide what a visitor may see; without any I/O."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from scrapy_captcha.models import KINDS, Kind

from .pictures import new_text
from .tokens import TokenFault
from .widgets import WIDGETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .tokens import TokenBook

ID_FIELD, STATE_FIELD = "csrf_token", "state"
PICTURE_FIELD = "captcha"


class Mode(str, Enum):
    """What a solution is good for."""

    CLEARANCE = "clearance"  # one lets the session into the whole site, by a cookie
    TOKEN = "token"  # noqa: S105 - one visit of one page
    WALL = "wall"  # nothing: every solution is rejected


class Shown(str, Enum):
    """Where the challenge stands."""

    HERE = "here"  # at the page's own URL
    REDIRECT = "redirect"  # at /captcha?next=..., where a 302 leads


class Passage(str, Enum):
    """What an accepted solution is answered with."""

    PAGE = "page"  # the page itself
    REDIRECT = "redirect"  # a 302 to the page
    JSON = "json"  # {"ok": true}; the page has to be asked for again
    THANKS = "thanks"  # an HTML page that says thank you; likewise


@dataclass(frozen=True, slots=True)
class Guard:
    """A captcha before a page.

    *status* is the HTTP status of the challenge, *site_key* another than the usual one of the kind;
    the first *reject_first* good solutions for each page are rejected all the same.
    """

    kind: Kind = Kind.RECAPTCHA_V2
    mode: Mode = Mode.CLEARANCE
    shown: Shown = Shown.HERE
    passage: Passage = Passage.PAGE
    status: int = 200
    site_key: str = ""
    reject_first: int = 0

    @property
    def key(self) -> str:
        """The site key that the page shows, "" for pictures."""
        return self.site_key or WIDGETS[self.kind].site_key


@dataclass(frozen=True, slots=True)
class Challenge:
    """One showing of a captcha.

    *id* and *state* are in hidden fields of the form; *url* is where it is shown, *path* the page
    behind it, *method* how that was asked for; *secret* is the text on the picture, or GeeTest's
    ``challenge``, or Amazon's ``context``.
    """

    id: str
    state: str
    visitor: str
    guard: Guard
    path: str
    url: str
    method: str
    secret: str
    until: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """On a submission. *reason* is None for accepted; *clearance* is the cookie that it earned.

    *challenge* is what was answered, None when the hidden fields name none.
    """

    challenge: Challenge | None
    reason: TokenFault | None
    clearance: str | None = None


class Gatekeeper:
    """Shows challenges, judges answers, and knows which visitors may pass.

    With *session_bound* a challenge can be answered by the visitor only to whom it was shown.
    Tokens older than *token_life* seconds are rejected, and all that are older than they say.
    """

    def __init__(
        self, book: TokenBook, *, session_bound: bool = True, token_life: float | None = None
    ) -> None:
        self.accepted = 0
        self.rejected: Counter[TokenFault] = Counter()
        self.shown = 0
        self._book = book
        self._session_bound = session_bound
        self._token_life = token_life
        self._challenges: dict[str, Challenge] = {}
        self._pictures: set[str] = set()
        self._clearances: set[str] = set()
        self._passes: Counter[tuple[str, str]] = Counter()
        self._left_to_reject: dict[str, int] = {}

    def challenge(self, guard: Guard, visitor: str, path: str, url: str, method: str) -> Challenge:
        """Show *visitor* a captcha at *url*, before the page at *path*."""
        self.shown += 1
        challenge = Challenge(
            id=secrets.token_hex(16),
            state=secrets.token_urlsafe(24),
            visitor=visitor,
            guard=guard,
            path=path,
            url=url,
            method=method,
            secret=new_text() if guard.kind is Kind.IMAGE else secrets.token_hex(16),
            until=self._book.clock() + self._book.life,
        )
        self._challenges[challenge.id] = challenge
        self._pictures.add(challenge.id)
        return challenge

    def picture_text(self, challenge_id: str, visitor: str) -> str | None:
        """What to draw for a challenge; None for another's, an unknown one, and the second time."""
        challenge = self._challenges.get(challenge_id)
        if (
            challenge is None
            or challenge.id not in self._pictures
            or not self._is_of(challenge, visitor)
        ):
            return None
        self._pictures.remove(challenge.id)
        return challenge.secret

    def may_pass(
        self, guard: Guard, visitor: str, path: str, cookies: Mapping[str, str], *urls: str
    ) -> bool:
        """Whether *visitor* sees the page at *path*. Uses up what is good for one visit.

        *urls*: of the page and of its challenge, for which a token in a cookie may be.
        """
        if guard.mode is Mode.CLEARANCE and cookies.get("clearance") in self._clearances:
            return True
        if self._passes[visitor, path]:
            self._passes[visitor, path] -= 1
            return True
        token = cookies.get(KINDS[guard.kind].cookie or "")
        return token is not None and self._cookie_passes(guard, path, token, urls)

    def _cookie_passes(self, guard: Guard, path: str, token: str, urls: tuple[str, ...]) -> bool:
        if guard.mode is Mode.CLEARANCE and token in self._clearances:
            return True
        reason = self._redeem(guard, {"token": token}, *urls)
        if reason is TokenFault.USED:  # a browser sends a cookie again and again: no new answer
            return False
        reason = self._count(reason or self._refusal(guard, path))
        if reason is None and guard.mode is Mode.CLEARANCE:
            self._clearances.add(token)
        return reason is None

    def judge(self, visitor: str, fields: Mapping[str, str]) -> Judgement:
        """Accept or reject a submitted form; its challenge and its token are used up."""
        challenge = self._challenges.pop(fields.get(ID_FIELD, ""), None)
        reason = self._count(self._fault(challenge, visitor, fields))
        if challenge is None or reason is not None:
            return Judgement(challenge, reason)
        guard = challenge.guard
        if guard.mode is Mode.CLEARANCE:
            clearance = secrets.token_urlsafe(32)
            self._clearances.add(clearance)
            return Judgement(challenge, None, clearance)
        # A browser is sent on to the page, or its user repeats the form that he had sent.
        if guard.passage is not Passage.PAGE or challenge.method == "POST":
            self._passes[visitor, challenge.path] += 1
        return Judgement(challenge, None)

    def _fault(
        self, challenge: Challenge | None, visitor: str, fields: Mapping[str, str]
    ) -> TokenFault | None:
        if (
            challenge is None
            or fields.get(STATE_FIELD) != challenge.state
            or not self._is_of(challenge, visitor)
        ):
            return TokenFault.WRONG_FIELDS
        return self._answer_fault(challenge, fields) or self._refusal(
            challenge.guard, challenge.path
        )

    def _answer_fault(self, challenge: Challenge, fields: Mapping[str, str]) -> TokenFault | None:
        guard = challenge.guard
        if guard.kind is not Kind.IMAGE:
            names = KINDS[guard.kind].answers
            answers = {name: fields.get(field, "") for field, name in names.items()}
            if answers.get("challenge", challenge.secret) != challenge.secret:
                return TokenFault.WRONG_FIELDS
            return self._redeem(guard, answers, challenge.url)
        if self._book.clock() >= challenge.until:
            return TokenFault.EXPIRED
        right = fields.get(PICTURE_FIELD, "").strip().upper() == challenge.secret
        return None if right else TokenFault.WRONG_TEXT

    def _redeem(self, guard: Guard, answers: Mapping[str, str], *urls: str) -> TokenFault | None:
        return self._book.redeem(answers, guard.kind, guard.key, *urls, life=self._token_life)

    def _refusal(self, guard: Guard, path: str) -> TokenFault | None:
        left = self._left_to_reject.setdefault(path, guard.reject_first)
        self._left_to_reject[path] = max(0, left - 1)
        return TokenFault.REFUSED if left or guard.mode is Mode.WALL else None

    def _count(self, reason: TokenFault | None) -> TokenFault | None:
        if reason is None:
            self.accepted += 1
        else:
            self.rejected[reason] += 1
        return reason

    def _is_of(self, challenge: Challenge, visitor: str) -> bool:
        return not self._session_bound or challenge.visitor == visitor
