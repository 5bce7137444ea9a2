"""Reads the values of settings: each function returns the value, or raises ValueError.

The error says what to write instead, and what is wrong unless the value shows it; the caller adds
the name of the setting and the value.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.money import micros
from scrapy_captcha.policy import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scrapy_captcha.money import Micros

_E = TypeVar("_E", bound=Enum)
_T = TypeVar("_T")

_SITE_KEY = re.compile(r"[!-~]{1,4096}")
_LONGEST_NAME = 99  # characters that are compared with names
_MOST_SHOWN = 200  # characters of a value
_MOST_READ = 1_000  # from which credentials are removed, in quadratic time
_CREDENTIALS = re.compile(r"""[^\s'"/]*@|\?[^\s'"]*""")  # credentials in a URL
_MOST_SECONDS = 86_400.0
_DOMAINS = 'such as ["example.com"]'


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
    return _whole(value, 1)


def read_limit(value: object) -> int:
    """A whole number from 0."""
    return _whole(value, 0)


def read_ratio(value: object) -> float:
    """A number not below 1, or 0 for no limit."""
    ratio = _number(value)
    if not (ratio >= 1 or ratio == 0):
        raise ValueError("write a number from 1, or 0 for no limit")
    return ratio


def read_money(value: object) -> Micros:
    """An amount in the account's currency, not below 0, in millionths."""
    if not _number(value) >= 0:
        raise ValueError("write an amount from 0, such as 0.5, without its currency")
    return micros(str(value))


def read_prices(value: object) -> Mapping[Kind, Micros]:
    """``{"recaptcha_v2": 0.002, …}``: prices of a solve, by kind."""
    prices = {}
    for name, price in read_mapping(value, '{"recaptcha_v2": 0.002}').items():
        kind = _member(Kind, name, "kind of captcha")
        prices[kind] = _part(name, read_money, price)
    return prices


def _whole(value: object, least: int) -> int:
    number = _number(value)
    if not (number >= least and number.is_integer()):
        raise ValueError(f"write a whole number from {least}")
    return int(number)


def _number(value: object) -> float:
    """*value* as a number; NaN if it is no finite number."""
    with suppress(ValueError):
        number = float(str(value))
        if math.isfinite(number):  # "True" and "False" are no numbers either
            return number
    return math.nan


def _part(name: str, read: Callable[[object], _T], value: object) -> _T:
    """Reads *value*, which a dict has under *name*."""
    try:
        return read(value)
    except ValueError as error:
        raise ValueError(f"for {name!r} {error}") from None


def read_strings(value: object, example: str) -> tuple[str, ...]:
    """A list of strings, or one string of them separated by commas."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, (list, tuple, set)) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise ValueError(f"write a list {example}")


def read_domains(value: object) -> tuple[str, ...]:
    """A list of domains, or one string of them separated by commas."""
    domains = read_strings(value, _DOMAINS)
    for domain in domains:
        if set("/:*@ ") & set(domain) or domain.startswith("."):
            raise ValueError(
                f"{domain!r} is no domain: write a list {_DOMAINS}, "
                "without scheme, port, path or leading dot"
            )
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
    """A kind with a site key, or of a wall; kinds of pictures cannot be declared."""
    kinds = [kind.value for kind in Kind if kind is not Kind.IMAGE]
    if value not in kinds:
        raise ValueError(f"no kind that can be declared{did_you_mean(value, kinds)}")
    return Kind(value)


def read_site_key(value: object) -> str:
    """A site key, as the page or its script passes it to the widget."""
    if isinstance(value, str) and _SITE_KEY.fullmatch(value):
        return value
    raise ValueError("write the site key as a string, without spaces")


def read_actions(value: object) -> Mapping[ErrorCode, Action]:
    """``{"UNSOLVABLE": "drop", …}`` as rows of the policy."""
    actions = {}
    for name, action in read_mapping(value, '{"UNSOLVABLE": "drop"}').items():
        code = _member(ErrorCode, name, "error code")
        actions[code] = _part(name, read_word(Action), action)
    return actions


def _member(words: type[_E], name: object, what: str) -> _E:
    try:
        return words(name)
    except ValueError:
        hint = did_you_mean(name, [word.value for word in words])
        raise ValueError(f"{name!r} is no {what}{hint}") from None


def read_mapping(value: object, example: str) -> Mapping[Any, Any]:
    """A dict, or a JSON object, as on the command line."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    if not isinstance(value, Mapping):
        raise ValueError(f"write a dict such as {example}")
    return value


def read_path(value: object) -> str:
    """The path of a file."""
    if not isinstance(value, (str, PathLike)):
        raise ValueError("write the path of a file")
    return str(value)


def read_key(value: object) -> str:
    """The key of an account, without surrounding whitespace."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError("write the key as a string")
    return str(value).strip()


def read_keys(value: object) -> Mapping[str, str]:
    """``{"capsolver": "…"}``, or that as JSON; errors contain no values."""
    keys = read_mapping(value, '{"capsolver": "…"}')
    return {name: _part(name, read_key, key) for name, key in keys.items()}


def read_urls(value: object) -> Mapping[str, str]:
    """``{"generic": "https://…"}``."""
    urls = read_mapping(value, '{"generic": "https://api.example.com"}')
    return {name: _part(name, read_url, url) for name, url in urls.items()}


def read_url(value: object) -> str:
    """An http or https URL without credentials and without a trailing slash."""
    wrong = ValueError(
        "write the base URL of the API, such as https://api.example.com, "
        "without user name and password"
    )
    try:
        parts = urlsplit(str(value))
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise wrong
    return str(value).rstrip("/")


def did_you_mean(name: object, known: Iterable[str], otherwise: str = "") -> str:
    """A hint at what to write instead of *name*: the nearest of *known*, else *otherwise*."""
    from difflib import get_close_matches  # slow to import, and rarely used

    known = list(known)
    close = get_close_matches(str(name)[:_LONGEST_NAME], known, n=1, cutoff=0.7)
    otherwise = otherwise or f"write one of {', '.join(known)}"
    return f": did you mean {close[0]}?" if close else f": {otherwise}"


def as_shown(value: object) -> str:
    """*value* as it may be shown in an error: shortened, without credentials."""
    text = _CREDENTIALS.sub("…", repr(value)[:_MOST_READ])
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
