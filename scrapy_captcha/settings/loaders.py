"""Reads the settings that name code: detectors, providers and proxies.

As in `parsers`, each function returns the value, or raises ValueError, which says what to write.
An error of the user's own code is its ``__cause__``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from inspect import isabstract
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, cast

from scrapy.utils.misc import load_object

from scrapy_captcha.detection import DETECTORS
from scrapy_captcha.providers import PROVIDERS, Provider, TaskType
from scrapy_captcha.proxy import Proxy
from scrapy_captcha.settings.parsers import did_you_mean, read_mapping, read_strings, read_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scrapy_captcha.detection import Detector
    from scrapy_captcha.proxy import Chooser

_DETECTORS = '{"own": "myproject.captchas.detector", "pictures": None}'
_PROVIDERS = 'such as ["capsolver", "2captcha"]'
_PROXIES = "of scheme://user:password@host:port, the path of a file with one a line, or of a class"


def read_detectors(value: object) -> Mapping[str, Detector]:
    """The built-in detectors, with those of *value* added or replaced, or removed if None.

    A detector is an import path or a callable.
    """
    detectors: dict[str, Detector] = dict(DETECTORS)
    for name, detector in read_mapping(value, _DETECTORS).items():
        if detector is None and name not in detectors:
            raise ValueError(
                f"there is no detector {name!r} to remove{did_you_mean(name, detectors)}"
            )
        if detector is None:
            del detectors[name]
        else:
            detectors[name] = cast("Detector", _loaded(detector, "a function"))
    return detectors


def _loaded(value: object, what: str) -> Callable[..., object]:
    try:
        loaded: object = load_object(value) if isinstance(value, str) else value
    except (ImportError, NameError, ValueError) as error:
        raise ValueError(
            f"{value!r} cannot be imported ({error}): write the import path of {what}"
        ) from None
    if not callable(loaded):
        raise ValueError(f"{loaded!r} cannot be called: write the import path of {what}")
    return loaded


def read_providers(value: object) -> tuple[type[Provider], ...]:
    """A list of providers by name, import path or class; also names separated by commas."""
    parts = read_strings(value, _PROVIDERS) if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not parts:
        raise ValueError(f"write a list {_PROVIDERS}")
    providers: dict[str, type[Provider]] = {}
    for provider in map(_provider, parts):
        if provider.name in providers:
            raise ValueError(
                f"{provider.name!r} is there twice: "
                "write each provider once, since keys and URLs go by its name"
            )
        providers[provider.name] = provider
    return tuple(providers.values())


def _provider(value: object) -> type[Provider]:
    if isinstance(value, str) and value in PROVIDERS:
        return PROVIDERS[value]
    if isinstance(value, str) and "." not in value:
        raise ValueError(f"there is no provider {value!r}{did_you_mean(value, PROVIDERS)}")
    provider = _loaded(value, "a class")
    if not (isinstance(provider, type) and issubclass(provider, Provider)):
        raise ValueError(
            f"{provider!r} is no provider: "
            "write a subclass of scrapy_captcha.providers.CreateTask or Provider"
        )
    for problem in _problems(provider):
        raise ValueError(f"the class {provider.__name__} {problem}")
    return provider


def _problems(provider: type[Provider]) -> Iterator[str]:
    """The reasons for which nothing could be bought at *provider*, with advice."""
    if isabstract(provider):
        yield f"lacks methods: write {', '.join(sorted(provider.__abstractmethods__))}"
    if not getattr(provider, "name", ""):
        yield 'has no name: write name = "myservice" in it'
    tasks = getattr(provider, "tasks", None)
    if not (isinstance(tasks, Mapping) and all(isinstance(t, TaskType) for t in tasks.values())):
        yield 'has no table of tasks: write tasks = {Kind.TURNSTILE: TaskType("…")} in it'
    try:
        read_url(provider.base_url or "https://none.example")
    except ValueError as error:
        yield f"has base_url = {provider.base_url!r}: {error}"


def read_proxies(value: object) -> tuple[Proxy, ...] | Chooser:
    """A list of proxy URLs, a string of them separated by commas, or the path of a file of them.

    A file has one per line; empty lines and those that begin with ``#`` are skipped. Errors give
    the number of an entry only, since a URL may contain a password. A class with the methods of
    `Chooser`, or its import path, is instantiated.
    """
    chooser = _chooser(value)
    if chooser is not None:
        return chooser
    if isinstance(value, PathLike) or (isinstance(value, str) and "://" not in value and value):
        return tuple(_proxy(f"line {number}", url) for number, url in _lines(value))
    urls = read_strings(value, _PROXIES)
    return tuple(_proxy(f"entry {number}", url) for number, url in enumerate(urls, 1))


def _chooser(value: object) -> Chooser | None:
    if isinstance(value, str):
        with suppress(ImportError, NameError, ValueError, OSError):  # a path may be too long
            value = value if Path(value).exists() else load_object(value)
    if not isinstance(value, type):
        return None
    wanted = ("choose", "refused", "wait")
    if not all(callable(getattr(value, name, None)) for name in wanted):
        raise ValueError(f"the class {value.__name__} lacks methods: write {', '.join(wanted)}")
    try:
        return cast("Chooser", value())
    except Exception as error:
        raise ValueError(
            f"{value.__name__}() raises {error!r}: write a class that can be made without arguments"
        ) from error


def _lines(path: str | PathLike[str]) -> Iterable[tuple[int, str]]:
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        is_path = not set("@:") & set(str(path))  # otherwise it may contain a password
        raise ValueError(
            f"{repr(str(path)) if is_path else 'it'} is no file that can be read "
            f"({type(error).__name__}): write a list {_PROXIES}"
        ) from None
    entries = ((number, line.strip()) for number, line in enumerate(lines, 1))
    return ((number, line) for number, line in entries if line and not line.startswith("#"))


def _proxy(place: str, url: str) -> Proxy:
    try:
        return Proxy.parse(url)
    except ValueError as error:
        raise ValueError(
            f"{place} is no proxy, {error}: write scheme://user:password@host:port"
        ) from None
