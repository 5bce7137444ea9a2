"""Proxies: their addresses, and the consequences of their failures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Hashable

SCHEMES = frozenset({"http", "https", "socks4", "socks5"})


_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks5": 1080}


@dataclass(frozen=True, slots=True, repr=False)
class Proxy:
    """A proxy server; ``repr()`` and ``str()`` contain no credentials."""

    scheme: str
    host: str
    port: int
    username: str = ""
    password: str = ""

    @classmethod
    def parse(cls, url: str, *, default_port: bool = False) -> Proxy:
        """From ``scheme://[user:password@]host:port``; credentials may be percent-encoded.

        With *default_port* the port may be left out. Raises ValueError, whose text contains no
        credentials.
        """
        # Split by hand: a password that is not encoded may hold what ends a URL's host.
        scheme, _, rest = url.partition("://")
        login, _, address = rest.rpartition("@")
        username, _, password = login.partition(":")
        try:
            parts = urlsplit(f"//{address}")
            port = parts.port or (_PORTS.get(scheme.lower()) if default_port else None)
        except ValueError:
            raise ValueError("not a URL") from None
        if scheme.lower() not in SCHEMES:
            raise ValueError(f"its scheme is none of {', '.join(sorted(SCHEMES))}")
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise ValueError("it goes on behind the port")
        if not parts.hostname or not port:
            raise ValueError("it has no host or no port")
        return cls(scheme.lower(), parts.hostname, port, unquote(username), unquote(password))

    @property
    def url(self) -> str:
        """The URL with credentials, as in ``request.meta["proxy"]``; not to be logged."""
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


class Rest(Enum):
    """The consequence for a proxy through which a captcha could not be solved."""

    GROWING = "rest"  # longer each time
    BANNED = "ban"  # for the site
    OUT = "out"  # for the crawl


class Chooser(Protocol):
    """A custom pool of proxies: the class that ``CAPTCHA_PROXIES`` may name."""

    def choose(self, site: str, jar: Hashable) -> str | None:
        """The URL of the proxy for the session of *jar* at *site*; None if there is none now."""

    def refused(self, proxy: str, what: str, site: str) -> None:
        """The solver could not use *proxy*, a URL given before, for *site*.

        *what* is ``rest`` (cool down, longer each time), ``ban`` (for the site) or ``out``.
        """

    def wait(self, site: str) -> float | None:
        """The seconds until there is one for *site*, 0 if there is; None if there never will be."""
