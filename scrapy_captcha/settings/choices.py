"""What some settings let the user choose from."""

from __future__ import annotations

from enum import Enum


class Scope(str, Enum):
    """What a solution opens: the words of ``CAPTCHA_SCOPE``."""

    AUTO = "auto"
    SITE = "site"
    PAGE = "page"


class Refetch(str, Enum):
    """Whether a page is fetched again after a solution for it: the words of the setting."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Preference(str, Enum):
    """The words of ``CAPTCHA_PROVIDER_ORDER``."""

    LISTED = "listed"
    CHEAPEST = "cheapest"


class GiveUp(str, Enum):
    """What becomes of a page whose captcha is not solved."""

    DROP = "drop"
    PASS = "pass"  # noqa: S105 - no password


class NoProxy(str, Enum):
    """What becomes of a page where no proxy of the pool may be used for its site."""

    DROP = "drop"
    WAIT = "wait"
    DIRECT = "direct"
