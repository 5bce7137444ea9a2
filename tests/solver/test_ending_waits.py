"""Whatever a purchase waits for, its deadline, close(), a stop and a cancel end it, and at once."""

from __future__ import annotations

import gc
import socket
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from twisted.internet._resolver import GAIResolver
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface import implementer

from scrapy_captcha import Captcha, ErrorCode, Kind, SolverClient, SolverError
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.providers import Order, Unified
from scrapy_captcha.sandbox import Answer, Sandbox, SolverOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from twisted.internet.defer import Deferred

CAPTCHA = Captcha(Kind.TURNSTILE, "http://127.0.0.1/page", "1x00000000000000000000AA")
ORDER = Order(CAPTCHA, "purchase-1")
TIME_LIMIT = 1.0  # seconds
HANG = Answer(fault="hang", times=None)


class Names:
    """Resolves each name to this machine, *quick* times at once and then no more until the end."""

    def __init__(self, quick: int) -> None:
        self.asked = 0
        self._quick = quick
        self.end = threading.Event()

    def getaddrinfo(self, _host: str, port: int, *_hints: Any) -> list[Any]:
        self.asked += 1
        if self.asked > self._quick:
            self.end.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@contextmanager
def names(quick: int) -> Iterator[Names]:
    from twisted.internet import reactor

    made: Any = reactor
    ours = Names(quick)
    lookup: Any = ours.getaddrinfo
    resolver = GAIResolver(made, made.getThreadPool, lookup)
    before = made.installNameResolver(resolver)
    try:
        yield ours
    finally:
        made.installNameResolver(before)
        ours.end.set()


@contextmanager
def unanswering(backlog: int | None) -> Iterator[int]:
    """The port of a server that accepts nothing: with *backlog* not even for the kernel."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(5 if backlog is None else backlog)
        others = []
        for _ in range(0 if backlog is None else 4):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(listener.getsockname())
            others.append(other)
        try:
            yield listener.getsockname()[1]
        finally:
            for other in others:
                other.close()


@asynccontextmanager
async def waiting_for(what: str) -> AsyncIterator[tuple[str, Sandbox, float]]:
    """The URL of a service that lets a purchase wait for *what*, and its poll interval."""
    poll_interval = 600.0 if what == "the next poll" else 0.02
    async with Sandbox(SolverOptions(solve_time=600)) as sandbox:
        by_name = sandbox.api_url.replace("127.0.0.1", "solver.example")
        script = sandbox.solver.script
        match what:
            case "a name":
                with names(quick=0):
                    yield by_name, sandbox, poll_interval
            case "a name, for a poll":
                script(Answer(method="getTaskResult", fault="close", times=None))
                with names(quick=1):
                    yield by_name, sandbox, poll_interval
            case "a connection":
                with unanswering(backlog=0) as port:
                    yield f"http://127.0.0.1:{port}", sandbox, poll_interval
            case "TLS":
                with unanswering(backlog=None) as port:
                    yield f"https://127.0.0.1:{port}", sandbox, poll_interval
            case "headers":
                script(HANG)
                yield sandbox.api_url, sandbox, poll_interval
            case "headers, for a poll":
                script(Answer(method="getTaskResult", fault="hang", times=None))
                yield sandbox.api_url, sandbox, poll_interval
            case "a body":
                script(Answer(fault="drip", times=None))
                yield sandbox.api_url, sandbox, poll_interval
            case "a body, for a poll":
                script(Answer(method="getTaskResult", fault="drip", times=None))
                yield sandbox.api_url, sandbox, poll_interval
            case _:
                yield sandbox.api_url, sandbox, poll_interval


@pytest.fixture(autouse=True)
def _nothing_is_unhandled() -> Iterator[None]:
    unhandled = []

    @implementer(ILogObserver)
    def observe(event: dict[str, Any]) -> None:
        if event.get("log_namespace") == "twisted.internet.defer":
            unhandled.append(event)

    globalLogPublisher.addObserver(observe)
    yield
    gc.collect()
    globalLogPublisher.removeObserver(observe)
    assert unhandled == []


WAITS = [
    "a name",
    "a name, for a poll",
    "a connection",
    "TLS",
    "headers",
    "headers, for a poll",
    "a body",
    "a body, for a poll",
    "the next poll",
    "admission",
]


def the_deadline(_client: SolverClient, _bought: Deferred[Any]) -> None:
    """Comes by itself."""


def close(client: SolverClient, _bought: Deferred[Any]) -> None:
    client.close()


def a_stop(client: SolverClient, _bought: Deferred[Any]) -> None:
    client.stop(SolverError(ErrorCode.AUTH_INVALID))


def a_cancel(_client: SolverClient, bought: Deferred[Any]) -> None:
    bought.cancel()


@pytest.mark.parametrize("what", WAITS)
@pytest.mark.parametrize("end", [the_deadline, close, a_stop, a_cancel])
@pytest_twisted.ensureDeferred
async def test_a_wait_ends_at_once_and_for_good(
    what: str, end: Callable[[SolverClient, Deferred[Any]], None]
) -> None:
    if end is the_deadline and what == "admission":
        return  # a purchase has its deadline from when it begins
    errors: list[SolverError] = []
    limit = 0.4 if end is the_deadline else 600
    async with waiting_for(what) as (url, sandbox, poll_interval):
        client = SolverClient(
            Unified(poll_interval=poll_interval),
            api_url=url,
            api_key=sandbox.api_key,
            http_timeout=600,
            solve_timeout=limit,
            concurrent_solves=1,
            on_error=errors.append,
        )
        if what == "admission":
            assert await client.enter()
        bought = client.buy(ORDER)
        await deferLater(CLOCK, 0.0 if end is the_deadline else 0.3)
        assert not bought.called
        began = time.monotonic()
        end(client, bought)
        outcome: list[Any] = []
        bought.addBoth(outcome.append)
        while not outcome and time.monotonic() < began + TIME_LIMIT + 1:
            await deferLater(CLOCK, 0.01)
        assert outcome, "still waiting"
        calls = len(sandbox.solver.calls)
        await deferLater(CLOCK, 0.2)
        assert len(sandbox.solver.calls) == calls
        await client.close()

    failure = outcome[0]
    expected = {the_deadline: ErrorCode.TIMEOUT, a_stop: ErrorCode.AUTH_INVALID}
    if end in expected:
        assert failure.check(SolverError), failure
        assert failure.value.code is expected[end]
    else:
        assert failure.check(CancelledError), failure
    if end is not the_deadline:  # what is ended says nothing of the service
        assert [e.code for e in errors if e.code is not ErrorCode.NETWORK] == []
