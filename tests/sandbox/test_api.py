"""The API over real sockets: its scripted errors and faults, as they stand on the wire."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import pytest
import pytest_twisted
import treq
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.web.client import ResponseNeverReceived

from scrapy_captcha.sandbox import Answer, Fault, Sandbox, SolverOptions

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

TASK = {"type": "TurnstileTask", "websiteURL": "http://127.0.0.1/page/1", "websiteKey": "1x00AA"}


async def call(sandbox: Sandbox, method: str, **payload: object) -> tuple[Any, Any]:
    response = await treq.post(
        f"{sandbox.api_url}/{method}",
        json={"clientKey": sandbox.api_key, **payload},
        persistent=False,
    )
    return response, await treq.json_content(response)


class Wire(Protocol):
    """Sends *sent*, and collects *size* bytes, or all until the connection ends."""

    def __init__(self, sent: bytes, size: int | None) -> None:
        self.sent = sent
        self.size = size
        self.got = bytearray()
        self.ended: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:  # noqa: N802
        assert self.transport is not None
        self.transport.write(self.sent)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self.got += data
        if self.size is not None and len(self.got) >= self.size:
            assert self.transport is not None
            self.transport.loseConnection()

    def connectionLost(self, *_: object) -> None:  # noqa: N802
        self.ended.callback(bytes(self.got[: self.size]))


async def wire(sandbox: Sandbox, size: int | None = None) -> bytes:
    """What stands on the wire after a purchase."""
    from twisted.internet import reactor

    body = json.dumps({"clientKey": sandbox.api_key, "task": TASK}).encode()
    head = f"POST /createTask HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n"
    to_api = clientFromString(reactor, "tcp:" + urlsplit(sandbox.api_url).netloc)
    exchange = Wire(head.encode() + body, size)
    await connectProtocol(to_api, exchange)
    return await exchange.ended.addTimeout(5, cast("IReactorTime", reactor))


@pytest_twisted.ensureDeferred
async def test_a_task_is_bought_and_collected() -> None:
    async with Sandbox() as sandbox:
        response, answer = await call(sandbox, "createTask", task=TASK)
        assert (response.code, answer["errorId"]) == (200, 0)
        _, answer = await call(sandbox, "getTaskResult", taskId=answer["taskId"])
        assert (answer["status"], answer["cost"]) == ("ready", "0.00200")
        assert [call.status for call in sandbox.solver.calls] == [200, 200]


@pytest_twisted.ensureDeferred
async def test_a_scripted_error_comes_with_its_header_and_has_no_effect() -> None:
    date = "Mon, 23 Nov 2026 18:00:00 GMT"
    async with Sandbox() as sandbox:
        sandbox.solver.script(Answer(error="CAPACITY", retry_after=5, retry_after_header=date))
        response, answer = await call(sandbox, "createTask", task=TASK)
        assert (response.code, answer["error"], answer["retryAfter"]) == (429, "CAPACITY", 5)
        assert response.headers.getRawHeaders("Retry-After") == [date]
        assert (sandbox.solver.created, sandbox.solver.calls[0].status) == (0, 429)


@pytest_twisted.ensureDeferred
async def test_a_full_solver_says_how_long_to_wait_in_both_forms() -> None:
    async with Sandbox(SolverOptions(capacity=0, retry_after=3)) as sandbox:
        response, answer = await call(sandbox, "createTask", task=TASK)
        assert answer["retryAfter"] == 3
        assert response.headers.getRawHeaders("Retry-After") == ["3"]


@pytest_twisted.ensureDeferred
async def test_any_answer_can_be_given_to_any_method() -> None:
    async with Sandbox() as sandbox:
        sandbox.solver.script(
            Answer(method="getBalance", status=502, headers={"X-By": "a proxy"}, body=b"[]")
        )
        response, answer = await call(sandbox, "getBalance")
        assert (response.code, answer) == (502, [])
        assert response.headers.getRawHeaders("X-By") == ["a proxy"]
        assert (await call(sandbox, "getBalance"))[1]["balance"] == 10


@pytest_twisted.ensureDeferred
async def test_an_answer_can_be_late() -> None:
    async with Sandbox() as sandbox:
        sandbox.solver.script(Answer(method="getBalance", delay=0.2))
        began = time.monotonic()
        _, answer = await call(sandbox, "getBalance")
        assert time.monotonic() - began >= 0.2
        assert answer["balance"] == 10


@pytest_twisted.ensureDeferred
async def test_what_is_no_json_is_refused() -> None:
    async with Sandbox() as sandbox:
        for body, error in ((b"{", "INPUT_BAD_TYPE"), (b"", "INPUT_MISSING")):
            response = await treq.post(f"{sandbox.api_url}/getBalance", body, persistent=False)
            assert (response.code, (await treq.json_content(response))["error"]) == (400, error)


@pytest_twisted.ensureDeferred
async def test_closing_sends_nothing() -> None:
    async with Sandbox() as sandbox:
        sandbox.solver.script(Answer(fault=Fault.CLOSE, times=2))
        assert await wire(sandbox) == b""
        with pytest.raises(ResponseNeverReceived) as caught:
            await call(sandbox, "createTask", task=TASK)
        assert caught.value.reasons[0].check(ConnectionDone)
        assert sandbox.solver.created == 0
        assert sandbox.solver.calls[0].status is None


@pytest_twisted.ensureDeferred
async def test_a_call_can_be_carried_out_and_its_answer_lost() -> None:
    async with Sandbox() as sandbox:
        sandbox.solver.script(Answer(fault=Fault.CLOSE, carried_out=True))
        assert await wire(sandbox) == b""
        assert sandbox.solver.created == 1
        sandbox.solver.script(Answer(error="PROVIDER_TIMEOUT", carried_out=True))
        response, _ = await call(sandbox, "createTask", task=TASK)
        assert (response.code, sandbox.solver.created) == (504, 2)


@pytest_twisted.ensureDeferred
async def test_cutting_sends_the_headers_and_a_part_of_the_body() -> None:
    async with Sandbox() as sandbox:
        sandbox.solver.script(Answer(fault=Fault.CUT, carried_out=True))
        head, _, body = (await wire(sandbox)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert body.startswith(b'{"errorId"')
        assert f"content-length: {len(body)}".encode() not in head.lower()


@pytest_twisted.ensureDeferred
async def test_hanging_sends_nothing_and_keeps_the_connection() -> None:
    async with Sandbox() as sandbox:
        sandbox.solver.script(Answer(fault=Fault.HANG))
        answer = treq.post(f"{sandbox.api_url}/createTask", json={}, timeout=0.2, persistent=False)
        with pytest.raises(ResponseNeverReceived):
            await answer


@pytest_twisted.ensureDeferred
async def test_an_endless_body_is_sent_as_fast_as_it_is_read() -> None:
    async with Sandbox() as sandbox:
        sandbox.solver.script(Answer(fault=Fault.ENDLESS))
        assert len(await wire(sandbox, 3_000_000)) == 3_000_000


@pytest_twisted.ensureDeferred
async def test_a_dripping_body_comes_a_byte_at_a_time() -> None:
    async with Sandbox() as sandbox:
        sandbox.solver.script(Answer(fault=Fault.DRIP))
        began = time.monotonic()
        head, _, body = (await wire(sandbox, 200)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - began < 5
        assert body.replace(b"1\r\n \r\n", b"").strip() in {b"", b"1"}


@pytest_twisted.ensureDeferred
async def test_another_process_can_read_the_state_and_write_the_script() -> None:
    async with Sandbox() as sandbox:
        script = f"{sandbox.api_url}/sandbox/script"
        rule = {"method": "getBalance", "error": "AUTH_FORBIDDEN"}
        for sent, status in ((rule, 200), ({"x": 1}, 400)):
            response = await treq.post(script, json=sent, persistent=False)
            assert (response.code, await treq.content(response) != b"") == (status, True)
        assert (await call(sandbox, "getBalance"))[0].code == 403
        response = await treq.get(f"{sandbox.api_url}/sandbox/state", persistent=False)
        state = await treq.json_content(response)
        assert [call["status"] for call in state["solver"]["calls"]] == [403]
        assert sandbox.api_key not in json.dumps(state)
