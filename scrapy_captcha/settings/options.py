"""The options of single requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scrapy_captcha.detection import Declared
from scrapy_captcha.policy import Policy
from scrapy_captcha.settings.choices import GiveUp, Refetch
from scrapy_captcha.settings.parsers import (
    as_shown,
    did_you_mean,
    read_actions,
    read_count,
    read_kind,
    read_site_key,
    read_word,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy_captcha.settings.config import Config


@dataclass(frozen=True)
class Options:
    """The options of one request: the settings, or those in ``request.meta["captcha"]``.

    *ignore*: whether captchas on its page are ignored; *declared*: the captcha as far as the user
    has given it.
    """

    policy: Policy
    on_give_up: GiveUp
    ignore: bool = False
    declared: Declared | None = None
    refetch: Refetch = Refetch.AUTO

    @classmethod
    def of(cls, config: Config, value: object = None) -> Options:
        """The options from the settings and *value*, that of ``meta["captcha"]``.

        *value* is None, True, False or a dict with any of ``policy``, ``retry_times``,
        ``on_give_up`` and ``refetch``, as in the settings, and ``kind`` and ``site_key`` of a
        captcha whose page does not show them. Raises ValueError, which says what to write instead.
        """
        policy = Policy(config.policy, config.retry_times, config.max_delay)
        if value is None or isinstance(value, bool):
            return cls(policy, config.on_give_up, ignore=value is False, refetch=config.refetch)
        if not isinstance(value, Mapping):
            names = ", ".join(KEYS)
            raise ValueError(
                f'meta["captcha"] = {as_shown(value)}: write False or a dict of {names}'
            )
        own = {name: _of_a_request(name, word) for name, word in value.items()}
        policy = Policy(
            {**policy.actions, **own.get("policy", {})},
            own.get("retry_times", policy.retry_times),
            policy.max_delay,
        )
        known = {name: own[name] for name in ("kind", "site_key") if name in own}
        return cls(
            policy,
            own.get("on_give_up", config.on_give_up),
            declared=Declared(**known) if known else None,
            refetch=own.get("refetch", config.refetch),
        )


def _of_a_request(name: object, word: object) -> Any:
    if name not in KEYS:
        hint = did_you_mean(name, KEYS)
        raise ValueError(f'meta["captcha"] has {name!r}, which is no key of it{hint}')
    try:
        return KEYS[str(name)](word)
    except ValueError as error:
        raise ValueError(f'meta["captcha"]["{name}"] = {as_shown(word)}: {error}') from None


# The keys of meta["captcha"], with their readers.
KEYS: Mapping[str, Callable[[object], Any]] = {
    "policy": read_actions,
    "retry_times": read_count,
    "on_give_up": read_word(GiveUp),
    "refetch": read_word(Refetch),
    "kind": read_kind,
    "site_key": read_site_key,
}
