"""The accounts at which solutions are bought."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.exceptions import NotConfigured

if TYPE_CHECKING:
    from scrapy_captcha.providers import Provider
    from scrapy_captcha.settings.config import Config

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a provider: the base URL of its API and the key."""

    provider: type[Provider]
    url: str
    key: str = field(repr=False)


def accounts_of(config: Config) -> tuple[Account, ...]:
    """One account for each of ``CAPTCHA_PROVIDERS``, in their order.

    ``CAPTCHA_API_URL`` and ``CAPTCHA_API_KEY`` are those of the first. Raises NotConfigured if the
    only one has no URL or key, ValueError if one of several has none, or if a URL has no TLS.
    """
    return tuple(
        Account(provider, _url(config, provider), _key(config, provider))
        for provider in config.providers
    )


def _url(config: Config, provider: type[Provider]) -> str:
    places = {
        f'CAPTCHA_API_URLS["{provider.name}"]': config.api_urls.get(provider.name),
        "CAPTCHA_API_URL": config.api_url if provider is config.providers[0] else "",
        f"{provider.__name__}.base_url": provider.base_url,
    }
    for place, url in places.items():
        if url:
            _refuse_http(config, place, url)
            return url
    raise _missing(config, provider, "API_URL", "the base URL of your solver's API")


def _refuse_http(config: Config, place: str, url: str) -> None:
    parts = urlsplit(url)
    if not (config.allow_http or parts.scheme == "https" or parts.hostname in _LOOPBACK):
        raise ValueError(
            f"{place} = {parts.scheme}://{parts.netloc} has no TLS, which would send your key "
            "unencrypted: write https://…, or set CAPTCHA_ALLOW_HTTP = True"
        )


def _key(config: Config, provider: type[Provider]) -> str:
    own = config.api_key if provider is config.providers[0] else ""
    key = config.keys.get(provider.name) or os.environ.get(key_variable(provider.name)) or own
    if not key:
        raise _missing(config, provider, "API_KEY", "your key")
    return key


def key_variable(name: str) -> str:
    """The environment variable with the key for the provider *name*."""
    return "CAPTCHA_KEY_" + re.sub(r"\W", "_", name).upper()


def _missing(config: Config, provider: type[Provider], setting: str, what: str) -> Exception:
    if len(config.providers) == 1:
        here = ", here or in the environment," if setting == "API_KEY" else ""
        return NotConfigured(f"set CAPTCHA_{setting}{here} to {what}")
    name = provider.name
    settings = {
        "API_URL": f'CAPTCHA_API_URLS["{name}"]',
        "API_KEY": f'CAPTCHA_KEYS["{name}"], or {key_variable(name)} in the environment,',
    }
    return ValueError(f"{name} is in CAPTCHA_PROVIDERS: set {settings[setting]} to {what}")
