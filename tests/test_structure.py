"""No class takes too much, and each name says where it is defined.

What counts as one name: a method and its overrides, in the package or of a class outside; what a
`Protocol` of the package with several members asks for, and the classes that have all of these.
Properties read as fields and do not count. Records (dataclasses, named tuples, exceptions) may have
as many fields as there is to note; a dataclass with coroutines is no record.
"""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
from collections import defaultdict
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import scrapy_captcha

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_COLLABORATORS = 8
MOST_CLASSES = 3  # with a method of one name

# Not mended yet: these lists may only become shorter.
COLLABORATORS = {
    "buying.purchase.Buyer",
    "solver.client.SolverClient",
}
METHOD_NAMES: set[str] = set()
CLASS_NAMES: set[str] = set()


@cache
def classes() -> list[type[Any]]:
    """All classes that the package defines."""
    modules = [
        import_module(module.name)
        for module in pkgutil.walk_packages(scrapy_captcha.__path__, "scrapy_captcha.")
        if not module.name.endswith("__main__")
    ]
    found: dict[type[Any], None] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                found[value] = None
    return list(found)


def name_of(cls: type[Any]) -> str:
    return f"{cls.__module__.removeprefix('scrapy_captcha.')}.{cls.__qualname__}"


def methods(cls: type[Any]) -> Iterator[str]:
    """The public methods that *cls* defines itself."""
    for name, value in vars(cls).items():
        is_method = inspect.isfunction(value) or isinstance(value, (classmethod, staticmethod))
        if is_method and not name.startswith("_"):
            yield name


def members(protocol: type[Any]) -> set[str]:
    """What *protocol* asks for; empty for a class that is none."""
    if not getattr(protocol, "_is_protocol", False):
        return set()
    return {name for name in vars(protocol) if not name.startswith("_")}


def origin(cls: type[Any], method: str) -> type[Any]:
    """The class that has brought *method*, of those that *cls* is made of or conforms to."""
    bases = [base for base in cls.__mro__ if method in vars(base)]
    for protocol in classes():
        asked = members(protocol)
        if len(asked) > 1 and method in asked and all(hasattr(cls, name) for name in asked):
            return protocol
    return bases[-1]


def collaborators(cls: type[Any]) -> int:
    """How many the constructor of *cls* takes, beside *self*; none where *cls* is a record."""
    if dataclasses.is_dataclass(cls):
        has_coroutines = any(map(inspect.iscoroutinefunction, vars(cls).values()))
        return sum(field.init for field in dataclasses.fields(cls)) if has_coroutines else 0
    if "__init__" not in vars(cls) or issubclass(cls, BaseException):
        return 0
    return len(inspect.signature(vars(cls)["__init__"]).parameters) - 1


def test_no_constructor_takes_more_than_eight_collaborators() -> None:
    taking = {name_of(cls) for cls in classes() if collaborators(cls) > MOST_COLLABORATORS}

    assert taking == COLLABORATORS


def test_no_method_name_is_on_more_than_three_classes() -> None:
    on = defaultdict(set)
    for cls in classes():
        for method in methods(cls):
            on[method].add(name_of(origin(cls, method)))
    many = {name: sorted(of) for name, of in on.items() if len(of) > MOST_CLASSES}

    assert many.keys() == METHOD_NAMES, many


def test_no_class_name_is_there_twice() -> None:
    of = defaultdict(list)
    for cls in classes():
        of[cls.__name__].append(name_of(cls))
    twice = {name: found for name, found in of.items() if len(found) > 1}

    assert twice.keys() == CLASS_NAMES, twice
