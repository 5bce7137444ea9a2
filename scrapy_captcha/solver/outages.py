"""What happens while a service does not answer."""

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
    """What a client does while its service does not answer.

    * ``patience``: seconds for which purchases wait for it
    * ``has_rivals``: whether there are other providers; purchases do not wait then, but are
      turned away
    * ``on_begin``: called with the error at which an outage begins
    * ``on_end``: called with the seconds that the outage has taken
    """

    patience: float = PATIENCE
    has_rivals: bool = False
    on_begin: Callable[[SolverError], None] = _ignore
    on_end: Callable[[float], None] = _ignore
