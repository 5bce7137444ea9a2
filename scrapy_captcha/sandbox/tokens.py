"""The tokens that the solver sells and the site redeems: single use, bound and short-lived."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class TokenFault(str, Enum):
    """Why the site rejects an answer."""

    UNKNOWN = "unknown"  # no such token was ever sold, or a part of it was changed
    USED = "used"
    EXPIRED = "expired"
    WRONG_KIND = "wrong_kind"
    WRONG_KEY = "wrong_key"
    WRONG_URL = "wrong_url"
    WRONG_TEXT = "wrong_text"
    WRONG_FIELDS = "wrong_fields"  # hidden fields missing, changed or of another session
    REFUSED = "refused"  # a good answer, but the site never opens


@dataclass(slots=True)
class _Token:
    answers: Mapping[str, str]
    kind: Kind
    site_key: str
    url: str
    born: float
    until: float
    used: bool = False


# Which of the answers identifies the token; "token" for all other kinds.
_IDENTITY: Mapping[Kind, str] = {Kind.GEETEST_V3: "validate", Kind.GEETEST_V4: "pass_token"}


def _answers(kind: Kind, token: str, site_key: str, challenge: str) -> dict[str, str]:
    if kind is Kind.GEETEST_V3:
        return {"challenge": challenge, "validate": token, "seccode": f"{token}|jordan"}
    if kind is Kind.GEETEST_V4:
        return {
            "captcha_id": site_key,
            "lot_number": secrets.token_hex(16),
            "pass_token": token,
            "gen_time": str(int(time.time())),
            "captcha_output": secrets.token_urlsafe(60),
        }
    return {"token": token}


class TokenBook:
    """The tokens that were sold and the pictures that were shown.

    *life* is in seconds; *clock* returns seconds that only grow.
    """

    def __init__(self, life: float = 120.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.life = life
        self.clock = clock
        self._tokens: dict[str, _Token] = {}
        self._texts: dict[bytes, str] = {}

    @property
    def minted(self) -> int:
        """How many tokens were sold."""
        return len(self._tokens)

    @property
    def unused(self) -> int:
        """How many tokens were sold and never shown to the site."""
        return sum(not token.used for token in self._tokens.values())

    def mint(
        self,
        kind: Kind,
        site_key: str,
        url: str,
        *,
        challenge: str = "",
        born: float | None = None,
        life: float | None = None,
    ) -> dict[str, str]:
        """A new token as ``Solution.answers`` has it: one word, or GeeTest's three or five.

        *challenge* is GeeTest v3's; the token lives from *born*, now by default, for *life*, the
        book's by default. With the site key "" it is good for any.
        """
        identity = secrets.token_urlsafe(120)
        answers = _answers(kind, identity, site_key, challenge)
        born = self.clock() if born is None else born
        until = born + (self.life if life is None else life)
        self._tokens[identity] = _Token(answers, kind, site_key, urldefrag(url).url, born, until)
        return answers

    def redeem(
        self,
        answers: Mapping[str, str],
        kind: Kind,
        site_key: str,
        *urls: str,
        life: float | None = None,
    ) -> TokenFault | None:
        """Use a token up, for one of *urls*; None when it is good, else why it is not.

        It is not when it was solved *life* seconds ago or earlier, however long it was sold for.
        """
        token = self._tokens.get(answers.get(_IDENTITY.get(kind, "token"), ""))
        if token is None:
            return TokenFault.UNKNOWN
        until = token.until if life is None else min(token.until, token.born + life)
        faults = (
            (token.used, TokenFault.USED),
            (self.clock() >= until, TokenFault.EXPIRED),
            (token.kind is not kind, TokenFault.WRONG_KIND),
            (token.answers != answers, TokenFault.UNKNOWN),
            (token.site_key not in (site_key, ""), TokenFault.WRONG_KEY),
            (token.url not in {urldefrag(url).url for url in urls}, TokenFault.WRONG_URL),
        )
        token.used = True
        return next((reason for failed, reason in faults if failed), None)

    def show_picture(self, picture: bytes, text: str) -> None:
        """Remember what stands on *picture*, for ``read_picture``."""
        self._texts[hashlib.sha256(picture).digest()] = text

    def read_picture(self, picture: bytes) -> str | None:
        """The text on *picture*; None for a picture that the site never showed."""
        return self._texts.get(hashlib.sha256(picture).digest())
