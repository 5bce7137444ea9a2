"""The base class of providers: conversations with solver services, as generators without I/O.

The generators yield a `Call`. Their driver waits ``Call.after`` seconds, sends the call, has
`Provider.read` read the reply, and sends the body into the generator or throws the `SolverError`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Solution
from scrapy_captcha.providers.tasks import values_of

if TYPE_CHECKING:
    from scrapy_captcha.models import Captcha, Kind, Scalar
    from scrapy_captcha.providers.tasks import TaskType
    from scrapy_captcha.proxy import Proxy

Body = Mapping[str, object]
TaskId = str | int


@dataclass(frozen=True, slots=True)
class Call:
    """One POST: the path below the base URL, the JSON payload without the key, extra headers.

    ``after`` is the number of seconds to wait before it is sent; ``task_id`` is the task that it
    is about, None before there is one. A call that *buys* may be charged though its answer is lost.
    """

    path: str
    payload: Body
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    task_id: TaskId | None = None
    buys: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. Header names are lower-case; ``at`` is the Unix time of its arrival."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: float

    def json(self) -> object:
        """The decoded body, None when it is no JSON that Python can hold."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


Flow = Generator[Call, Body, Solution]


@dataclass(frozen=True, slots=True)
class Order:
    """A solution to buy.

    * *purchase_id*: identifies the purchase; the same for a purchase that is sent again
    * *image*: the picture's bytes, b"" for widgets
    * *proxy*, *user_agent*: those with which the page was fetched, if known
    * *cookies*: to solve with, as in a ``Cookie`` header. Crawls leave them out, since they are the
      session of the crawl
    * *task_id*: a task that was paid for earlier and whose solution is to be collected
    * *collect_only*: whether nothing may be bought if the service does not know that task any more
    """

    captcha: Captcha
    purchase_id: str
    image: bytes = b""
    proxy: Proxy | None = None
    user_agent: str | None = None
    cookies: str = field(default="", repr=False)
    task_id: str | int | None = None
    collect_only: bool = False


class Provider(ABC):
    """A solver service. Subclasses define the conversations and the tables of tasks and prices.

    * *base_url*: base URL of the service, "" if the user has to set it
    * *tasks*: kind -> description of a task; a kind without a row is not solved
    * *prices*: kind -> price of a solution, in the account's currency. Those of this package are
      estimates of November 2026, not checked against the services' own lists
    * *tells_balance*: whether the balance is requested when a crawl starts
    * *report_window*: seconds after the solution in which reports count, None without a limit
    """

    name: ClassVar[str]
    base_url: ClassVar[str] = ""
    tasks: ClassVar[Mapping[Kind, TaskType]]
    prices: ClassVar[Mapping[Kind, float]] = {}
    tells_balance: ClassVar[bool] = True
    report_window: ClassVar[float | None] = None

    def __init__(self, *, poll_interval: float) -> None:
        self.poll_interval = poll_interval

    @abstractmethod
    def authenticated(self, payload: Body, api_key: str) -> Body:
        """*payload* with the API key added."""

    @abstractmethod
    def read(self, reply: Reply) -> Body:
        """The body of a successful *reply*; raises SolverError for any other, and nothing else."""

    @abstractmethod
    def solve(self, order: Order) -> Flow:
        """Buys one solution; raises SolverError."""

    @abstractmethod
    def balance(self) -> Generator[Call, Body, float]:
        """The account's balance in its own currency; raises SolverError."""

    def probe(self) -> Call:
        """A call that costs nothing and is answered if the service can be reached."""
        return next(self.balance())

    def report(
        self, task_id: TaskId, kind: Kind, *, accepted: bool
    ) -> Generator[Call, Body, bool] | None:
        """Reports a solution to the service as accepted or not; returns whether it took the report.

        None if the service takes no such reports about solutions of *kind*.
        """
        return None

    def takes(self, captcha: Captcha, proxy: Proxy | None = None) -> bool:
        """Whether a solution of *captcha* can be bought here, through *proxy* or without one."""
        task_type = self.tasks.get(captcha.kind)
        return task_type is not None and task_type.fits(captcha, proxy)

    def task(self, order: Order) -> dict[str, object]:
        """The ``task`` object for *order*; raises SolverError(METHOD_INVALID) if not taken."""
        if not self.takes(order.captcha, order.proxy):
            raise SolverError(ErrorCode.METHOD_INVALID)
        return self.tasks[order.captcha.kind].describe(self.values(order), order.proxy)

    def values(self, order: Order) -> dict[str, Scalar]:
        """The values that describe *order*, by the names of `TaskType.fields`."""
        return values_of(order)

    def price(self, kind: Kind) -> float | None:
        """The approximate price of a solution in the account's currency; None if unknown."""
        return self.prices.get(kind)
