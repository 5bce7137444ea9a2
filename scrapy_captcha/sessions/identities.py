"""As which browser the requests of a session go out, once a solution has been bought for it."""

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

    What a site gives for a solution is often good only for the browser that it was given to.
    """

    def __init__(self) -> None:
        self._identities: Bounded[_Identity] = Bounded(_KEPT)

    def __len__(self) -> int:
        return len(self._identities)

    def hold(self, session: Hashable, request: Request) -> None:
        """*session* goes on as *request* went out, unless it is bound already."""
        if self._identities.get(session) is None:
            self._identities.put(session, _of(request))

    def bind(self, session: Hashable, request: Request, user_agent: str) -> None:
        """*session* goes on with *user_agent*, and otherwise as *request* went out."""
        identity = self._identities.put(session, _of(request))
        identity.user_agent, identity.is_proven = user_agent, True

    def proven(self, session: Hashable) -> None:
        """The site has taken a solution from *session*."""
        identity = self._identities.get(session)
        if identity is not None:
            identity.is_proven = True

    def loosen(self, session: Hashable) -> None:
        """The site has rejected a solution from *session*: it may be for the user agent."""
        identity = self._identities.get(session)
        if identity is not None and not identity.is_proven:
            self._identities.pop(session)

    def dress(self, session: Hashable, request: Request) -> None:
        """*request* goes out as *session* does, whatever other middlewares have put into it."""
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
    """What a site knows of whoever sends *request*: its browser, *user_agent* if given, and proxy.

    Credentials of the proxy are left out.
    """
    browser = user_agent.encode() or request.headers.get("User-Agent")
    proxy = urlsplit(str(request.meta.get("proxy") or "")).netloc.rpartition("@")[2]
    return browser, repr(request.meta.get(_IMPERSONATE)), proxy
