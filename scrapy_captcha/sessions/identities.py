"""The browser identity of a session's requests, once a solution has been bought for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy_captcha.bounded import Bounded

if TYPE_CHECKING:
    from collections.abc import Hashable

    from scrapy.http import Request

_IMPERSONATE = "impersonate"  # meta: the browser that scrapy-impersonate plays
_KEPT = 10_000  # sessions


@dataclass(slots=True)
class _Identity:
    """*is_proven*: whether the site has taken a solution from it, or the service has named it."""

    user_agent: bytes | str | None
    impersonate: Any
    is_proven: bool = False


class Identities:
    """User agent, and ``meta["impersonate"]``, by session.

    A clearance is often good only for the browser that has earned it.
    """

    def __init__(self) -> None:
        self._identities: Bounded[_Identity] = Bounded(_KEPT)

    def __len__(self) -> int:
        return len(self._identities)

    def hold(self, session: Hashable, request: Request) -> None:
        """Binds *session* to the identity of *request*, unless it is bound already."""
        if self._identities.get(session) is None:
            self._identities.put(session, _of(request))

    def bind(self, session: Hashable, request: Request, user_agent: str) -> None:
        """Binds *session* to *user_agent*, and otherwise to the identity of *request*."""
        identity = self._identities.put(session, _of(request))
        identity.user_agent, identity.is_proven = user_agent, True

    def proven(self, session: Hashable) -> None:
        """Notes that the site has accepted a solution from *session*."""
        identity = self._identities.get(session)
        if identity is not None:
            identity.is_proven = True

    def loosen(self, session: Hashable) -> None:
        """Notes that the site has rejected a solution from *session*, maybe for its user agent."""
        identity = self._identities.get(session)
        if identity is not None and not identity.is_proven:
            self._identities.pop(session)

    def dress(self, session: Hashable, request: Request) -> None:
        """Gives *request* the identity of *session*, whatever other middlewares have set."""
        identity = self._identities.get(session)
        if identity is None:
            return
        if identity.user_agent:
            request.headers["User-Agent"] = identity.user_agent
        if identity.impersonate is not None:
            request.meta[_IMPERSONATE] = identity.impersonate


def _of(request: Request) -> _Identity:
    return _Identity(request.headers.get("User-Agent"), request.meta.get(_IMPERSONATE))


def seen_as(request: Request, user_agent: str = "") -> Hashable:
    """The sender of *request* as a site sees it: its browser, *user_agent* if given, and proxy.

    Credentials of the proxy are left out.
    """
    browser = user_agent.encode() or request.headers.get("User-Agent")
    proxy = urlsplit(str(request.meta.get("proxy") or "")).netloc.rpartition("@")[2]
    return browser, repr(request.meta.get(_IMPERSONATE)), proxy
