"""Bodies that are refused: an error of the purchase, and nothing beside it in the log."""

from __future__ import annotations

import gc
import gzip
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from listening import listening
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site
from zope.interface import implementer

from scrapy_captcha import Captcha, ErrorCode, Kind, SolverClient, SolverError
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.providers import Order, Unified

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.web.server import Request

ORDER = Order(Captcha(Kind.TURNSTILE, "http://127.0.0.1/page", "key"), "purchase-1")
ANSWER = json.dumps({"errorId": 0, "taskId": 1}).encode()
LARGE = b" " * 3_000_000 + ANSWER


class Service(Resource):
    isLeaf = True  # noqa: N815 - the name in Resource

    def __init__(self, answer: Callable[[Request], bytes | int]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._answer = answer

    def render(self, request: Request) -> bytes | int:
        return self._answer(request)


def large(request: Request) -> bytes:
    return LARGE


def large_in_chunks(request: Request) -> int:
    for _ in range(30):
        request.write(b" " * 100_000)
    request.finish()
    return NOT_DONE_YET


def large_without_end(request: Request) -> int:
    request.setHeader("Content-Length", "900000000")
    request.write(LARGE)
    return NOT_DONE_YET


def compressed(request: Request) -> bytes:
    request.setHeader("Content-Encoding", "gzip")
    return gzip.compress(ANSWER)


def compressed_and_large(request: Request) -> bytes:
    request.setHeader("Content-Encoding", "gzip")
    return LARGE


def compressed_without_body(request: Request) -> bytes:
    request.setHeader("Content-Encoding", "gzip")
    return b""


def compressed_without_end(request: Request) -> int:
    request.setHeader("Content-Encoding", "br")
    request.write(b"x" * 10)
    return NOT_DONE_YET


def cut(request: Request) -> int:
    request.setHeader("Content-Length", "1000")
    request.write(b"{")
    transport: Any = request.transport
    CLOCK.callLater(0.01, transport.abortConnection)
    return NOT_DONE_YET


@pytest.mark.parametrize(
    "answer",
    [
        large,
        large_in_chunks,
        large_without_end,
        compressed,
        compressed_and_large,
        compressed_without_body,
        compressed_without_end,
        cut,
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_refused_body_is_an_error_and_nothing_is_unhandled(
    answer: Callable[[Request], bytes | int], caplog: pytest.LogCaptureFixture
) -> None:
    failed = []

    @implementer(ILogObserver)
    def observe(event: dict[str, Any]) -> None:
        if "log_failure" in event and event.get("log_namespace") != "twisted.web.server":
            failed.append(event)

    globalLogPublisher.addObserver(observe)
    try:
        with caplog.at_level(logging.WARNING):
            async with listening(Site(Service(answer))) as port:
                client = SolverClient(
                    Unified(poll_interval=1),
                    api_url=f"http://127.0.0.1:{port}",
                    api_key="k",
                    http_timeout=5,
                )
                for _ in range(3):
                    with pytest.raises(SolverError) as caught:
                        await client.buy(ORDER)
                await deferLater(CLOCK, 0.1)
                await client.close()
                gc.collect()
                await deferLater(CLOCK, 0.05)
                gc.collect()
    finally:
        globalLogPublisher.removeObserver(observe)

    assert caught.value.code is ErrorCode.BAD_REPLY
    assert failed == []
