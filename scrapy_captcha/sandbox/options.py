"""The options of the local solver."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy_captcha.models import Kind


@dataclass(frozen=True, slots=True)
class SolverOptions:
    """The options of the local solver.

    * *solve_time*: seconds from purchase to solution, or a function of the task
    * *price*: of a task, unless *prices* has another one for its kind; *balance*: of the account,
      in the same currency
    * *capacity*: how many tasks may be unsolved at once, None without limit; one more is answered
      CAPACITY with *retry_after* seconds
    * *token_life*: seconds from solution to expiry
    * *user_agent*: what a solution says it is bound to, None to say nothing
    * *poll_interval*: seconds that have to pass between two polls of a task, None for what the
      service of the dialect asks for
    """

    api_key: str = "sandbox-key"
    solve_time: float | Callable[[Mapping[str, object]], float] = 0.0
    price: float = 0.002
    balance: float = 10.0
    capacity: int | None = None
    retry_after: float = 5
    token_life: float = 120.0
    user_agent: str | None = None
    prices: Mapping[Kind, float] = field(default_factory=dict)
    poll_interval: float | None = None
