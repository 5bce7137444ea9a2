"""Proxies and the pool of them: who serves which session, who rests, who is banned where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

SCHEMES = frozenset({"http", "https", "socks4", "socks5"})
_FIRST_REST = 60.0  # seconds
_LONGEST_REST = 3600.0  # seconds


@dataclass(frozen=True, slots=True, repr=False)
class Proxy:
    """A proxy server; ``repr()`` and ``str()`` show no credentials."""

    scheme: str
    host: str
    port: int
    username: str = ""
    password: str = ""

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """From ``scheme://[user:password@]host:port``, credentials percent-encoded.

        Raises ValueError, whose text holds no credentials.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("not a URL") from None
        if parts.scheme not in SCHEMES:
            raise ValueError(f"its scheme is none of {', '.join(sorted(SCHEMES))}")
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise ValueError("it goes on behind the port")
        if not parts.hostname or not port:
            raise ValueError("it has no host or no port")
        return cls(
            parts.scheme,
            parts.hostname,
            port,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    @property
    def url(self) -> str:
        """With credentials: for ``request.meta["proxy"]``, not for a log."""
        if not self.username:
            return str(self)
        login = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return f"{self.scheme}://{login}@{self._address}"

    @property
    def _address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self._address}"

    def __repr__(self) -> str:
        return f"<Proxy {self}>"


class ProxyPool:
    """Chooses a proxy per session and keeps to it. Proxies are known outside by their index.

    Times are seconds on any clock that only goes forward.
    """

    def __init__(self, proxies: Sequence[Proxy]) -> None:
        self._proxies = tuple(proxies)
        self._chosen: dict[Hashable, int] = {}
        self._rests: dict[int, tuple[float, float]] = {}  # index -> until, length of that rest
        self._banned: set[tuple[int, str]] = set()
        self._out: set[int] = set()
        self._next = 0

    def __len__(self) -> int:
        return len(self._proxies)

    def __getitem__(self, index: int) -> Proxy:
        return self._proxies[index]

    def choose(self, site: str, jar: Hashable, now: float) -> int | None:
        """The proxy of the session of *jar* at *site*; None when no proxy may go there.

        It stays the same for as long as it may be used. A resting proxy serves only where all do.
        """
        session = (site, jar)
        kept = self._chosen.get(session)
        if kept is not None and self._usable(kept, site) and not self._rests_at(kept, now):
            return kept
        index = min(self._usable_ones(site), key=lambda i: self._preference(i, now), default=None)
        if index is not None:
            self._chosen[session] = index
            self._next = index + 1
        return index

    def rest(self, index: int, now: float) -> None:
        """*index* is not chosen for a minute, then for twice as long as the last time."""
        length = min(self._rests.get(index, (0.0, _FIRST_REST / 2))[1] * 2, _LONGEST_REST)
        self._rests[index] = (now + length, length)

    def ban(self, index: int, site: str) -> None:
        """*index* never goes to *site* again in this crawl."""
        self._banned.add((index, site))

    def take_out(self, index: int) -> None:
        """*index* is not used again in this crawl."""
        self._out.add(index)

    def _usable_ones(self, site: str) -> Iterable[int]:
        return (i for i in range(len(self._proxies)) if self._usable(i, site))

    def _usable(self, index: int, site: str) -> bool:
        return index not in self._out and (index, site) not in self._banned

    def _rests_at(self, index: int, now: float) -> bool:
        return self._rests.get(index, (0.0, 0.0))[0] > now

    def _preference(self, index: int, now: float) -> tuple[float, int]:
        """The one whose rest is over, or ends first; among equals the next in turn."""
        until = self._rests.get(index, (0.0, 0.0))[0]
        return max(0.0, until - now), (index - self._next) % len(self._proxies)
