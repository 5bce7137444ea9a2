"""Hosts on the public internet, and hosts on a private network or this machine."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv6Address

_LOCAL = "localhost"
_TRANSLATED = 0x0064FF9B << 96  # NAT64, RFC 6052: the IPv4 address is in the last 32 bits


def address_of(host: str) -> str | None:
    """The IP address that *host*, the host of a URL, spells; None for a name.

    IPv4 addresses may be short, decimal, octal or hexadecimal, as systems accept them.
    """
    name = host.strip("[]").rstrip(".").lower()
    if name == _LOCAL or name.endswith("." + _LOCAL):
        return "127.0.0.1"
    try:
        return str(ip_address(name.partition("%")[0]))
    except ValueError:
        return _classful(name)


def is_public(address: str) -> bool:
    """Whether *address*, an IP address, is on the public internet; False if it is no address."""
    try:
        ip = _innermost(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def _innermost(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that *ip* embeds, if it is an IPv6 address that does; else *ip*."""
    if isinstance(ip, IPv4Address):
        return ip
    if int(ip) >> 32 == _TRANSLATED >> 32 or int(ip) >> 32 == 0:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1] or ip


def _classful(name: str) -> str | None:
    """*name* as ``inet_aton`` reads it: up to four numbers, the last fills the remaining bytes."""
    parts = name.split(".")
    numbers = [_number(part) for part in parts[:5]]
    if len(numbers) > 4 or None in numbers:
        return None
    *first, last = (number for number in numbers if number is not None)
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    places = sum(number << 8 * (3 - place) for place, number in enumerate(first))
    return str(IPv4Address(places + last))


def _number(text: str) -> int | None:
    base = 16 if text.startswith("0x") else 8 if text.startswith("0") else 10
    digits = text[2:] if base == 16 else text
    if not (text.isascii() and text.isalnum()) or len(text) > 40:
        return None
    try:
        return int(digits or "0", base)
    except ValueError:
        return None
