"""What a provider is: a conversation with a solver service as a generator, without any I/O.

A provider's generators yield a `Call`; whoever drives them waits ``Call.after`` seconds, sends it,
lets `Provider.read` read the reply, and sends the body in or throws the `SolverError`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, cast

from scrapy_captcha.captchas import Solution
from scrapy_captcha.errors import ErrorCode, SolverError

if TYPE_CHECKING:
    from scrapy_captcha.captchas import Captcha, Kind, Scalar
    from scrapy_captcha.proxies import Proxy

Body = Mapping[str, object]
TaskId = str | int


@dataclass(frozen=True, slots=True)
class Call:
    """One POST: the path below the base URL, the JSON payload without the key, extra headers.

    ``after`` is how many seconds to wait before it is sent; ``task_id`` is the task that it is
    about, None before there is one.
    """

    path: str
    payload: Body
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    task_id: TaskId | None = None


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
    * *task_id*: of a task that was paid for earlier and whose solution is still to be collected
    """

    captcha: Captcha
    purchase_id: str
    image: bytes = b""
    proxy: Proxy | None = None
    user_agent: str | None = None
    task_id: str | int | None = None


@dataclass(frozen=True, slots=True)
class TaskType:
    """How a provider wants one kind of captcha described.

    * *name*, *proxied*: the ``type`` without and with the caller's proxy; None where there is none
    * *fields*: the provider's field -> our name (``url``, ``site_key``, or a parameter of
      `Captcha`); dots make objects in objects; a field whose value is not known is left out
    * *constants*: fields that are always sent, unless *fields* fills them
    """

    name: str
    proxied: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Scalar] = field(default_factory=dict)


class Provider(ABC):
    """A solver service. Subclasses give tables and the three conversations."""

    name: ClassVar[str]
    tasks: ClassVar[Mapping[Kind, TaskType]]

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

    def takes(self, captcha: Captcha) -> bool:
        """Whether the service has tasks for captchas of this kind."""
        return captcha.kind in self.tasks

    def task(self, order: Order) -> dict[str, object]:
        """The ``task`` object for *order*; raises SolverError(METHOD_INVALID) for other kinds."""
        captcha = order.captcha
        task_type = self.tasks.get(captcha.kind)
        if task_type is None:
            raise SolverError(ErrorCode.METHOD_INVALID)
        task: dict[str, object] = {"type": task_type.name, **task_type.constants}
        for name, value in _values(order).items():
            for field_name in (f for f, ours in task_type.fields.items() if ours == name):
                _put(task, field_name, value)
        if order.proxy and task_type.proxied:
            task.update(_proxy_fields(order.proxy), type=task_type.proxied)
        return task


def _values(order: Order) -> dict[str, Scalar]:
    known = {
        "url": order.captcha.url,
        "site_key": order.captcha.site_key,
        "user_agent": order.user_agent,
        "image": b64encode(order.image).decode() if order.image else None,
    }
    return {k: v for k, v in known.items() if v is not None} | dict(order.captcha.parameters)


def _put(task: dict[str, object], dotted: str, value: Scalar) -> None:
    *parents, last = dotted.split(".")
    target = task
    for parent in parents:
        target = cast("dict[str, object]", target.setdefault(parent, {}))
    target[last] = value


def _proxy_fields(proxy: Proxy) -> dict[str, object]:
    fields: dict[str, object] = {
        "proxyType": proxy.scheme,
        "proxyAddress": proxy.host,
        "proxyPort": proxy.port,
    }
    if proxy.username:
        fields |= {"proxyLogin": proxy.username, "proxyPassword": proxy.password}
    return fields
