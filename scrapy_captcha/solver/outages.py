"""Options for the time in which a service does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy_captcha.solver.throttle import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy_captcha.errors import SolverError


def _ignore(_what: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Outages:
    """How a client handles outages of its service.

    * ``patience``: seconds for which purchases wait for an answer
    * ``has_rivals``: whether there are other providers, so that purchases do not wait
    * ``on_begin``: called with the error at which an outage begins
    * ``on_end``: called with the seconds that the outage has taken
    """

    patience: float = PATIENCE
    has_rivals: bool = False
    on_begin: Callable[[SolverError], None] = _ignore
    on_end: Callable[[float], None] = _ignore
