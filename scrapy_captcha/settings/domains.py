"""The domains for which solutions may be bought: those of the user only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from scrapy_captcha.urls import host_of


@dataclass(frozen=True, slots=True)
class Domains:
    """*allowed*: the spider's ``allowed_domains``; *bought*: ``CAPTCHA_DOMAINS``.

    If both are given, a URL has to be in both; if neither is, no URL is allowed.
    """

    allowed: tuple[str, ...]
    bought: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.allowed or self.bought)

    def allow(self, url: str) -> bool:
        """Whether the host of *url* is one of the domains or below one."""
        return self.allow_host(host_of(url))

    def allow_host(self, host: str) -> bool:
        """Whether *host* is one of the domains or below one."""
        given = [domains for domains in (self.allowed, self.bought) if domains]
        return bool(given) and all(_is_from(host.lower(), domains) for domains in given)

    def is_named(self, host: str) -> bool:
        """Whether *host* is in ``allowed_domains``; False if that is empty."""
        return bool(self.allowed) and _is_from(host.lower(), self.allowed)

    def is_offsite(self, host: str) -> bool:
        """Whether *host* is not in ``allowed_domains``; False if that is empty."""
        return bool(self.allowed) and not _is_from(host.lower(), self.allowed)


@lru_cache(maxsize=4096)  # asked for each request
def _is_from(host: str, domains: tuple[str, ...]) -> bool:
    names = (domain.lower() for domain in domains)
    return any(host == name or host.endswith(f".{name}") for name in names)
