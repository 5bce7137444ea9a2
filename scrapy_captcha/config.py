"""Every ``CAPTCHA_…`` setting: read and checked here, once, and nowhere else."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from scrapy.exceptions import NotConfigured

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.policy import Action, Policy
from scrapy_captcha.proxies import Proxy
from scrapy_captcha.sites import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from dataclasses import Field

    from scrapy.settings import BaseSettings

PREFIX = "CAPTCHA_"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRET = frozenset({"api_key", "api_url", "proxies"})
_MOST_SECONDS = 86_400.0

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)


class GiveUp(str, Enum):
    """What becomes of a page whose captcha is not solved."""

    DROP = "drop"
    PASS = "pass"  # noqa: S105 - no password


def _boolean(value: object) -> bool:
    words = {"1": True, "true": True, "0": False, "false": False}
    try:
        return words[str(value).lower()]
    except KeyError:
        raise ValueError("write True or False") from None


def _seconds(value: object) -> float:
    seconds = _number(value)
    if not 0 < seconds <= _MOST_SECONDS:
        raise ValueError(f"write a number of seconds above 0 and up to {_MOST_SECONDS:.0f}")
    return seconds


def _count(value: object) -> int:
    number = _number(value)
    if number < 1 or number != int(number):
        raise ValueError("write a whole number from 1")
    return int(number)


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise ValueError("write a number") from None
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError("write a number")
    return number


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, (list, tuple, set)) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise ValueError("write a list of strings")


def _domains(value: object) -> tuple[str, ...]:
    domains = _strings(value)
    if any(set("/:") & set(domain) or domain.startswith(".") for domain in domains):
        raise ValueError('write domains such as "example.com", without scheme, port or leading dot')
    return domains


def _word(words: type[_E]) -> Callable[[object], _E]:
    def read(value: object) -> _E:
        try:
            return words(value)
        except ValueError:
            raise ValueError(f"write one of {', '.join(repr(w.value) for w in words)}") from None

    return read


def read_actions(value: object) -> Mapping[ErrorCode, Action]:
    """``{"UNSOLVABLE": "drop", …}`` as rows of the policy; raises ValueError that says why not."""
    if isinstance(value, str):  # from the command line
        with suppress(ValueError):
            value = json.loads(value)
    if not isinstance(value, Mapping):
        raise ValueError('write a dict such as {"UNSOLVABLE": "drop"}')
    actions = {}
    for name, action in value.items():
        if name not in ErrorCode.__members__:
            raise ValueError(
                f"{name!r} is no error code{_did_you_mean(str(name), ErrorCode.__members__)}"
            )
        try:
            actions[ErrorCode(name)] = Action(action)
        except ValueError:
            words = ", ".join(repr(a.value) for a in Action)
            raise ValueError(f"{name} is {action!r}; write one of {words}") from None
    return actions


def _proxies(value: object) -> tuple[Proxy, ...]:
    proxies = []
    for number, url in enumerate(_strings(value), 1):
        try:
            proxies.append(Proxy.parse(url))
        except ValueError as error:
            raise ValueError(
                f"entry {number} is no proxy: {error}; write scheme://user:password@host:port"
            ) from None
    return tuple(proxies)


def _url(value: object) -> str:
    wrong = ValueError("write the base URL of the API, such as https://api.example.com")
    try:
        parts = urlsplit(str(value))
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise wrong
    return str(value).rstrip("/")


def _setting(read: Callable[[object], _T], default: _T, about: str, *, repr: bool = True) -> _T:  # noqa: A002
    result: Any = field(
        default_factory=lambda: default, repr=repr, metadata={"read": read, "about": about}
    )
    return result  # type: ignore[no-any-return]  # what dataclasses make of a field at run time


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings, by their names in lower case without ``CAPTCHA_``."""

    enabled: bool = _setting(_boolean, True, "whether captchas are handled at all")
    api_url: str = _setting(_url, "", "base URL of the solver API")
    api_key: str = _setting(str, "", "key of the account at the solver", repr=False)
    allow_http: bool = _setting(
        _boolean, False, "whether the API may be called without TLS on another machine"
    )
    domains: tuple[str, ...] = _setting(
        _domains, (), "domains to buy for, beside the spider's ``allowed_domains``"
    )
    retry_times: int = _setting(_count, 3, "purchases per page; free errors are retried as often")
    max_delay: float = _setting(_seconds, 300.0, "longest wait before a page is tried again")
    poll_interval: float = _setting(_seconds, 3.0, "time between two looks at a task")
    http_timeout: float = _setting(_seconds, 20.0, "limit for one call of the API, body included")
    solve_timeout: float = _setting(_seconds, 180.0, "limit for one purchase, polls included")
    concurrent_solves: int = _setting(_count, 16, "purchases under way at once")
    proxies: tuple[Proxy, ...] = _setting(_proxies, (), "proxies to crawl and to solve through")
    scope: Scope = _setting(
        _word(Scope), Scope.AUTO, "whether a solution opens the site or a page; learned with auto"
    )
    policy: Mapping[ErrorCode, Action] = _setting(
        read_actions, {}, "what to do about an error, where it is not as in the table"
    )
    on_give_up: GiveUp = _setting(
        _word(GiveUp), GiveUp.DROP, "what becomes of a page whose captcha is not solved"
    )
    close_on_stop: bool = _setting(
        _boolean, False, "whether an account error closes the spider instead of the tap only"
    )

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> Config:
        """Reads all settings and, for the key, the environment.

        Raises NotConfigured when it is switched off or no API is given, and ValueError, naming the
        setting and what to write instead, for anything else that is wrong.
        """
        given = _given(settings)
        config = cls(**{f.name: _read(f, given[f.name]) for f in fields(cls) if f.name in given})
        if not config.enabled:
            raise NotConfigured
        if not config.api_url:
            raise NotConfigured("set CAPTCHA_API_URL to the base URL of your solver's API")
        if not config.api_key:
            raise NotConfigured("set CAPTCHA_API_KEY, here or in the environment, to your key")
        if not (config.allow_http or _is_confidential(config.api_url)):
            raise ValueError(
                "CAPTCHA_API_URL has no TLS, so that anybody on the way could read your key: "
                "write https://…, or set CAPTCHA_ALLOW_HTTP = True"
            )
        return config


def _given(settings: BaseSettings) -> dict[str, object]:
    """What the user has set, by field name; refuses names that mean nothing."""
    known = {PREFIX + f.name.upper(): f.name for f in fields(Config)}
    given: dict[str, object] = {"api_key": os.environ.get("CAPTCHA_API_KEY", "")}
    for name in settings:
        if not str(name).startswith(PREFIX) or settings[name] in (None, ""):
            continue
        if name not in known:
            raise ValueError(f"{name} is no setting{_did_you_mean(str(name), known)}")
        given[known[name]] = settings[name]
    return given


def _read(setting: Field[Any], value: object) -> Any:
    try:
        return setting.metadata["read"](value)
    except ValueError as error:
        name = PREFIX + setting.name.upper()
        shown = f" = {value!r}" if setting.name not in _SECRET else ""
        raise ValueError(f"{name}{shown}: {error}") from None


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f": did you mean {close[0]}?" if close else ""


def _is_confidential(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


@dataclass(frozen=True)
class Options:
    """What holds for one request: the settings, or its own words in ``request.meta["captcha"]``.

    *ignore* leaves its captchas alone, whatever the page shows.
    """

    policy: Policy
    on_give_up: GiveUp
    ignore: bool = False

    @classmethod
    def of(cls, config: Config, value: object = None) -> Options:
        """From the settings and the *value* of ``meta["captcha"]``: None, True, False or a dict.

        The dict may have ``policy``, ``retry_times`` and ``on_give_up``, as in the settings.
        Raises ValueError that says what is wrong and what to write instead.
        """
        policy = Policy(config.policy, config.retry_times, config.max_delay)
        if value is None or isinstance(value, bool):
            return cls(policy, config.on_give_up, ignore=value is False)
        if not isinstance(value, Mapping) or not set(value) <= set(_OF_A_REQUEST):
            names = ", ".join(_OF_A_REQUEST)
            raise ValueError(f'meta["captcha"] is {value!r}: write False or a dict of {names}')
        own = {}
        for name, word in value.items():
            try:
                own[name] = _OF_A_REQUEST[name](word)
            except ValueError as error:
                raise ValueError(f'meta["captcha"]["{name}"] = {word!r}: {error}') from None
        policy = Policy(
            {**policy.actions, **own.get("policy", {})},
            own.get("retry_times", policy.retry_times),
            policy.max_delay,
        )
        return cls(policy, own.get("on_give_up", config.on_give_up))


_OF_A_REQUEST: Mapping[str, Callable[[object], Any]] = {
    "policy": read_actions,
    "retry_times": _count,
    "on_give_up": _word(GiveUp),
}
