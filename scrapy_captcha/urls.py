"""URLs, parsed in one way both for checking their origin and for sending requests.

Pages write URLs as browsers read them, with backslashes for slashes and ignored line breaks. A URL
that parsers read in different ways, for example with a user name or escapes in the host, has no
origin, so that nothing is sent there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from w3lib.url import safe_url_string

_PORTS = {"http": 80, "https": 443}
_BLANKS = "".join(map(chr, range(33)))
_LINE_BREAKS = str.maketrans("", "", "\t\r\n")
_QUERY = re.compile(r"[?#]")
_BEGINNING = re.compile(r"(?:(https?):)?(/*)", re.IGNORECASE)
_AUTHORITY = re.compile(
    r"(https?)://([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?(?![^/?#])"
)
_LOOKS_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Origin(NamedTuple):
    """The origin of a URL: *host* in lower case, IPv6 without brackets."""

    scheme: str
    host: str
    port: int


def joined(base: str, reference: str) -> str:
    """*reference* in a page at *base*, made absolute as browsers do.

    Raises ValueError if that is not possible.
    """
    text = reference.strip(_BLANKS).translate(_LINE_BREAKS)
    query = _QUERY.search(text)
    end = query.start() if query else len(text)
    path = text[:end].replace("\\", "/")
    found = _BEGINNING.match(path)
    scheme, slashes = (found[1], found[2]) if found else (None, "")
    rest = path[found.end() :] if found else path
    is_relative = scheme is None or scheme.lower() == urlsplit(base).scheme
    if len(slashes) >= 2 or not is_relative:
        path = f"{scheme}://{rest}" if scheme else f"//{rest}"
    elif scheme:
        path = slashes + rest
    return urljoin(base, path + text[end:])


def as_sent(url: str, encoding: str = "utf-8") -> str:
    """The absolute *url* as a request sends it, with the query in *encoding*.

    Raises ValueError if that is not possible.
    """
    try:
        return safe_url_string(url, encoding)
    except LookupError:
        return safe_url_string(url)


def origin_of(url: str) -> Origin | None:
    """The origin to which a request for *url* is sent; None if it is ambiguous."""
    try:
        found = _AUTHORITY.match(as_sent(url))
        host = _plain_host(found[2]) if found else ""
    except ValueError:
        return None
    if not found or not host:
        return None
    port = int(found[3]) if found[3] else _PORTS[found[1]]
    return Origin(found[1], host, port) if 0 < port < 65_536 else None


@lru_cache(maxsize=256)
def _plain_host(host: str) -> str:
    """*host*; "" if resolvers may read it as a number that is no plain address."""
    if host.startswith("["):
        return str(IPv6Address(host[1:-1]))
    if _LOOKS_NUMERIC.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            return str(IPv4Address(host))
        except AddressValueError:
            return ""
    return host


def host_of(url: str) -> str:
    """The host to which a request for *url* is sent; "" if it is ambiguous."""
    origin = origin_of(url)
    return origin.host if origin else ""


def are_of_one_origin(url: str, other: str) -> bool:
    """Whether both have the same origin; False if one is ambiguous."""
    origin = origin_of(url)
    return origin is not None and origin == origin_of(other)
