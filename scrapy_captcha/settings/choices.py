"""The values of settings with a fixed set of words."""

from __future__ import annotations

from enum import Enum


class Scope(str, Enum):
    """The values of ``CAPTCHA_SCOPE``: whether a solution opens a site or a page."""

    AUTO = "auto"
    SITE = "site"
    PAGE = "page"


class Refetch(str, Enum):
    """The values of ``CAPTCHA_REFETCH``: whether a page is fetched again after its solution."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Preference(str, Enum):
    """The values of ``CAPTCHA_PROVIDER_ORDER``."""

    LISTED = "listed"
    CHEAPEST = "cheapest"


class GiveUp(str, Enum):
    """The values of ``CAPTCHA_ON_GIVE_UP``: what to do with a page that is not solved."""

    DROP = "drop"
    PASS = "pass"  # noqa: S105 - no password


class NoProxy(str, Enum):
    """The values of ``CAPTCHA_ON_NO_PROXY``: what to do if no proxy is left for a site."""

    DROP = "drop"
    WAIT = "wait"
    DIRECT = "direct"
