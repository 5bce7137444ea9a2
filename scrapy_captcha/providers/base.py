"""What a provider is: a conversation with a solver service as a generator, without any I/O.

A provider's generators yield a `Call`; whoever drives them waits ``Call.after`` seconds, sends it,
lets `Provider.read` read the reply, and sends the body in or throws the `SolverError`.
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

    ``after`` is how many seconds to wait before it is sent; ``task_id`` is the task that it is
    about, None before there is one. One that *buys* may be charged though its answer is lost.
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
    """What is to be bought.

    * *purchase_id*: names the purchase; the same again where its answer was lost
    * *image*: the picture's bytes, b"" for widgets
    * *proxy*, *user_agent*: with which the page was fetched, where known
    * *cookies*: to solve with, as in a ``Cookie`` header. A crawl gives none: they are its session
    * *task_id*: of a task that was paid for earlier and whose solution is still to be collected
    * *collect_only*: whether nothing may be bought should the service not know that task any more
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
    """A solver service. Subclasses give the conversations, and tables of what they can talk about.

    * *base_url*: where the service is, "" where only the user knows
    * *tasks*: kind -> how the service wants it described; a kind without a row is not solved
    * *prices*: kind -> price of a solution, in the account's currency. Those of this package are
      estimates of November 2026, not checked against the services' own lists
    * *tells_balance*: whether the account is asked what it holds when a crawl starts
    * *report_window*: seconds after the solution in which a report counts, None without a limit
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
        """*payload* with the key where the service wants it."""

    @abstractmethod
    def read(self, reply: Reply) -> Body:
        """The body of *reply*; raises SolverError for anything but success, and nothing else."""

    @abstractmethod
    def solve(self, order: Order) -> Flow:
        """Buys one solution; raises SolverError."""

    @abstractmethod
    def balance(self) -> Generator[Call, Body, float]:
        """The account's balance in its own currency; raises SolverError."""

    def probe(self) -> Call:
        """A call that costs nothing, by whose answer a service shows that it can be reached."""
        return next(self.balance())

    def report(
        self, task_id: TaskId, kind: Kind, *, accepted: bool
    ) -> Generator[Call, Body, bool] | None:
        """Tells the service what the site did with a solution; returns whether it took note.

        None where the service does not want to know that about solutions of *kind*.
        """
        return None

    def takes(self, captcha: Captcha, proxy: Proxy | None = None) -> bool:
        """Whether *captcha* can be bought here, the caller's proxy being *proxy*."""
        task_type = self.tasks.get(captcha.kind)
        return task_type is not None and task_type.fits(captcha, proxy)

    def task(self, order: Order) -> dict[str, object]:
        """The ``task`` object for *order*; raises SolverError(METHOD_INVALID) if not taken."""
        if not self.takes(order.captcha, order.proxy):
            raise SolverError(ErrorCode.METHOD_INVALID)
        return self.tasks[order.captcha.kind].describe(self.values(order), order.proxy)

    def values(self, order: Order) -> dict[str, Scalar]:
        """What is known about *order*, by our names."""
        return values_of(order)

    def price(self, kind: Kind) -> float | None:
        """About what one solution costs, in the account's currency; None where nobody knows."""
        return self.prices.get(kind)
