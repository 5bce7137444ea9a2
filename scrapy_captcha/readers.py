"""Reads the values of settings: each function returns the value, or raises ValueError.

The error says what to write instead; whoever catches it knows the setting's name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from scrapy.utils.misc import load_object

from scrapy_captcha.captchas import Kind
from scrapy_captcha.detection import DETECTORS
from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.money import micros
from scrapy_captcha.policy import Action
from scrapy_captcha.providers import PROVIDERS, Provider
from scrapy_captcha.proxies import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scrapy_captcha.detection import Detector
    from scrapy_captcha.money import Micros
    from scrapy_captcha.proxies import Chooser

_E = TypeVar("_E", bound=Enum)

_SITE_KEY = re.compile(r"[!-~]{1,4096}")
_MOST_SECONDS = 86_400.0


def read_boolean(value: object) -> bool:
    """True or False, also as words or digits."""
    words = {"1": True, "true": True, "0": False, "false": False}
    try:
        return words[str(value).lower()]
    except KeyError:
        raise ValueError("write True or False") from None


def read_duration(value: object) -> float:
    """A number of seconds above 0, up to a day."""
    seconds = _number(value)
    if not 0 < seconds <= _MOST_SECONDS:
        raise ValueError(f"write a number of seconds above 0 and up to {_MOST_SECONDS:.0f}")
    return seconds


def read_count(value: object) -> int:
    """A whole number from 1."""
    number = _number(value)
    if number < 1 or number != int(number):
        raise ValueError("write a whole number from 1")
    return int(number)


def read_limit(value: object) -> int:
    """A whole number from 0."""
    number = _number(value)
    if number < 0 or number != int(number):
        raise ValueError("write a whole number from 0")
    return int(number)


def read_money(value: object) -> Micros:
    """An amount in the account's currency, from 0, as millionths."""
    if _number(value) < 0:
        raise ValueError("write an amount from 0")
    return micros(str(value))


def read_prices(value: object) -> Mapping[Kind, Micros]:
    """``{"recaptcha_v2": 0.002, …}``: prices of a solve, by kind."""
    prices = {}
    for name, price in _mapping(value, '{"recaptcha_v2": 0.002}').items():
        try:
            kind = Kind(name)
        except ValueError:
            hint = did_you_mean(str(name), [kind.value for kind in Kind])
            raise ValueError(f"{name!r} is no kind of captcha{hint}") from None
        try:
            prices[kind] = read_money(price)
        except ValueError as error:
            raise ValueError(f"{name} is {price!r}; {error}") from None
    return prices


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


def read_domains(value: object) -> tuple[str, ...]:
    """A list of domains, or a string of them with commas between."""
    domains = _strings(value)
    if any(set("/:") & set(domain) or domain.startswith(".") for domain in domains):
        raise ValueError('write domains such as "example.com", without scheme, port or leading dot')
    return domains


def read_word(words: type[_E]) -> Callable[[object], _E]:
    """A reader of one of *words*."""

    def read(value: object) -> _E:
        try:
            return words(value)
        except ValueError:
            raise ValueError(f"write one of {', '.join(repr(w.value) for w in words)}") from None

    return read


def read_kind(value: object) -> Kind:
    """The word of a kind with a site key, or of a wall; pictures have nothing to declare."""
    kinds = [kind.value for kind in Kind if kind is not Kind.IMAGE]
    if value not in kinds:
        hint = did_you_mean(str(value), kinds) or f": write one of {', '.join(kinds)}"
        raise ValueError(f"no kind that can be declared{hint}")
    return Kind(value)


def read_site_key(value: object) -> str:
    """A site key as the page or its script gives it to the widget."""
    if isinstance(value, str) and _SITE_KEY.fullmatch(value):
        return value
    raise ValueError("write the site key as a string, without spaces")


def read_actions(value: object) -> Mapping[ErrorCode, Action]:
    """``{"UNSOLVABLE": "drop", …}`` as rows of the policy; raises ValueError that says why not."""
    actions = {}
    for name, action in _mapping(value, '{"UNSOLVABLE": "drop"}').items():
        if name not in ErrorCode.__members__:
            raise ValueError(
                f"{name!r} is no error code{did_you_mean(str(name), ErrorCode.__members__)}"
            )
        try:
            actions[ErrorCode(name)] = Action(action)
        except ValueError:
            words = ", ".join(repr(a.value) for a in Action)
            raise ValueError(f"{name} is {action!r}; write one of {words}") from None
    return actions


def _mapping(value: object, example: str) -> Mapping[Any, Any]:
    mapping = _from_json(value)
    if not isinstance(mapping, Mapping):
        raise ValueError(f"write a dict such as {example}")
    return mapping


def read_detectors(value: object) -> Mapping[str, Detector]:
    """The built-in detectors with those of *value* added, replaced, or, where it is None, removed.

    A detector is given by its import path or itself.
    """
    if not isinstance(value, Mapping):
        raise ValueError('write a dict such as {"own": "my.module.detector", "pictures": None}')
    detectors: dict[str, Detector] = dict(DETECTORS)
    for name, detector in value.items():
        if detector is None and name not in detectors:
            hint = did_you_mean(str(name), detectors)
            raise ValueError(f"there is no detector {name!r} to remove{hint}")
        detectors.pop(name, None)
        if detector is not None:
            detectors[name] = cast("Detector", _loaded(name, detector))
    return detectors


def _loaded(name: str, value: object) -> Callable[..., object]:
    try:
        loaded: object = load_object(value) if isinstance(value, str) else value
    except (ImportError, NameError, ValueError) as error:
        raise ValueError(f"{name} cannot be imported: {error}") from None
    if not callable(loaded):
        raise ValueError(f"{name} is {loaded!r}; write the import path of what can be called")
    return loaded


def read_proxies(value: object) -> tuple[Proxy, ...] | Chooser:
    """A list of proxy URLs, a string of them with commas between, or the path of a file of them.

    In a file each has a line; empty ones, and those that begin with ``#``, do not count. What is
    wrong is told by its number, since it may hold a password. A class with the methods of
    `Chooser`, or its import path, gives an instance of it.
    """
    chooser = _class_of(value)
    if chooser is not None:
        return chooser
    if isinstance(value, PathLike) or (isinstance(value, str) and "://" not in value and value):
        return tuple(_proxy(f"line {number}", url) for number, url in _lines(value))
    return tuple(_proxy(f"entry {number}", url) for number, url in enumerate(_strings(value), 1))


def _class_of(value: object) -> Chooser | None:
    if isinstance(value, str):
        with suppress(ImportError, NameError, ValueError, OSError):  # a path may be too long
            value = value if Path(value).exists() else load_object(value)
    if not isinstance(value, type):
        return None
    missing = [name for name in ("choose", "refused", "wait") if not hasattr(value, name)]
    if missing:
        raise ValueError(f"the class {value.__name__} has no method {missing[0]}")
    return cast("Chooser", value())


def _lines(path: str | PathLike[str]) -> Iterable[tuple[int, str]]:
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ValueError(
            "it is neither proxies, nor a class, nor a file that can be read "
            f"({type(error).__name__})"
        ) from None
    entries = ((number, line.strip()) for number, line in enumerate(lines, 1))
    return ((number, line) for number, line in entries if line and not line.startswith("#"))


def _proxy(place: str, url: str) -> Proxy:
    try:
        return Proxy.parse(url)
    except ValueError as error:
        raise ValueError(
            f"{place} is no proxy: {error}; write scheme://user:password@host:port"
        ) from None


def read_path(value: object) -> str:
    """A path of a file."""
    if not isinstance(value, (str, PathLike)):
        raise ValueError("write the path of a file")
    return str(value)


def read_providers(value: object) -> tuple[type[Provider], ...]:
    """A list of providers by name, import path or class; also names with commas between."""
    parts = _strings(value) if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not parts:
        raise ValueError('write a list such as ["capsolver", "2captcha"]')
    providers = tuple(_provider(part) for part in parts)
    names = [provider.name for provider in providers]
    if len(set(names)) < len(names):
        raise ValueError("write each provider once: keys and URLs go by its name")
    return providers


def _provider(value: object) -> type[Provider]:
    if isinstance(value, str) and value in PROVIDERS:
        return PROVIDERS[value]
    if isinstance(value, str) and "." not in value:
        raise ValueError(f"there is no provider {value!r}{did_you_mean(value, PROVIDERS)}")
    provider = _loaded("provider", value)
    if not (isinstance(provider, type) and issubclass(provider, Provider)):
        raise ValueError(f"{provider!r} is no subclass of scrapy_captcha.providers.Provider")
    return provider


def read_strings_by_provider(value: object) -> Mapping[str, str]:
    """``{"capsolver": "…"}``, or that as JSON; no value is said in an error."""
    mapping = _from_json(value)
    if not isinstance(mapping, Mapping) or not all(
        isinstance(part, str) for item in mapping.items() for part in item
    ):
        raise ValueError('write a dict of strings such as {"capsolver": "…"}')
    return mapping


def read_urls_by_provider(value: object) -> Mapping[str, str]:
    """``{"generic": "https://…"}``."""
    return {name: read_url(url) for name, url in read_strings_by_provider(value).items()}


def _from_json(value: object) -> object:
    if isinstance(value, str):  # from the command line
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def read_url(value: object) -> str:
    """An http or https URL without credentials and without a slash at its end."""
    wrong = ValueError("write the base URL of the API, such as https://api.example.com")
    try:
        parts = urlsplit(str(value))
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise wrong
    return str(value).rstrip("/")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``: did you mean …?`` with the nearest of *known*, "" when none is near."""
    from difflib import get_close_matches  # takes its time to load, and is rarely needed

    close = get_close_matches(name, list(known), n=1)
    return f": did you mean {close[0]}?" if close else ""
