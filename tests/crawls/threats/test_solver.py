"""Answers of a solver that nobody sane would give: each costs a try, and never more than its page."""

from __future__ import annotations

import gzip
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import API_KEY, crawl, sandbox
from listening import listening
from tls import needs_tls, self_signed
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from pathlib import Path

    from crawling import Crawled

FREE = "/page/90"
ONCE = {"CAPTCHA_RETRY_TIMES": 1, "CAPTCHA_HTTP_TIMEOUT": 1, "CAPTCHA_OUTAGE_PATIENCE": 2}

BODIES: dict[str, bytes] = {
    "empty": b"",
    "truncated": b'{"taskId": 7',
    "page": b"<html><body><h1>Bad Gateway</h1></body></html>",
    "null": b"null",
    "list": b"[]",
    "number": b"1e999",
    "not a number": b'{"taskId": NaN, "status": NaN}',
    "true": b'{"taskId": true, "status": true}',
    "nothing known": b'{"answer": 42}',
    "deep": b"[" * 100_000,
    "digits": b'{"taskId": ' + b"9" * 5000 + b"}",
    "bytes": b"\xff\xfe\x00",
    "a body of 2 MB": b'{"taskId": "' + b"x" * 2_000_000 + b'"}',
    "a bomb": gzip.compress(b" " * 20_000_000),
}
TOKENS: dict[str, object] = {
    "lines": "03AGdBq25\r\nSet-Cookie: a=b",
    "markup": '"><script>alert(1)</script>',
    "control": "03AGdBq25\x1b[31m",
    "number": 5,
    "object": {"token": "x"},
    "empty": "",
    "of 100 kB": "x" * 100_000,
    "none": None,
}


def bad_solution(token: object) -> bytes:
    solution = {"gRecaptchaResponse": token}
    return json.dumps({"status": "ready", "solution": solution}).encode()


async def answered_in_turn(method: str, bodies: dict[str, bytes]) -> list[tuple[Crawled, Any, int]]:
    """Crawls with a few of *bodies* each: after five in a row the service would be left alone."""
    names = list(bodies)
    parts = [{n: bodies[n] for n in names[at : at + 4]} for at in range(0, len(names), 4)]
    crawls = [Deferred.fromCoroutine(answered_once(method, part)) for part in parts]
    found: Any = await gatherResults(crawls)
    return [(*pair, len(part)) for pair, part in zip(found, parts, strict=True)]


async def answered_once(method: str, bodies: dict[str, bytes]) -> tuple[Crawled, Any]:
    """A crawl in which each of *bodies* is the answer for a page, once."""
    paths = {name: f"/page/{number}" for number, name in enumerate(bodies, 11)}
    async with sandbox(guard=Guard(mode=Mode.TOKEN), guards={FREE: None}, pages=90) as running:
        for name, path in paths.items():
            packed = {"Content-Encoding": "gzip"} if "bomb" in name else {}
            rule = Answer(method, path, status=200, body=bodies[name], headers=packed)
            running.solver.script(rule)
        crawled = await crawl(running, [*paths.values(), FREE], {"CAPTCHA_SCOPE": "page"})
        return crawled, running


@pytest.mark.parametrize("method", ["createTask", "getTaskResult"])
@pytest_twisted.ensureDeferred
async def test_an_answer_that_makes_no_sense_costs_a_try_and_no_page(method: str) -> None:
    for crawled, running, count in await answered_in_turn(method, BODIES):
        assert len(crawled.responses) == count + 1
        assert crawled.failures == []
        assert crawled.stat("error_count/BAD_REPLY") >= 1
        # A poll is repeated, and what createTask was answered with here has made no task.
        assert running.solver.created == count


@pytest_twisted.ensureDeferred
async def test_a_token_that_cannot_be_sent_is_not_and_another_is_bought() -> None:
    bodies = {name: bad_solution(token) for name, token in TOKENS.items()}
    for crawled, running, count in await answered_in_turn("getTaskResult", bodies):
        assert len(crawled.responses) == count + 1
        assert running.site.gate.accepted == count
        assert sum(running.site.gate.rejected.values()) == 0
        assert running.solver.created == 2 * count


@pytest.mark.parametrize(
    "rule",
    [
        {"body": bad_solution("x" * 2_000_000), "status": 200},
        {"body": bad_solution("a\r\nb"), "status": 200},
        {"fault": "endless"},
    ],
    ids=["2 MB", "lines", "endless"],
)
@pytest_twisted.ensureDeferred
async def test_solutions_that_are_always_broken_end_as_failed_attempts(
    rule: dict[str, Any],
) -> None:
    async with sandbox(guards={FREE: None}, pages=90) as running:
        running.solver.script(Answer("getTaskResult", times=None, **rule))
        crawled = await crawl(running, ["/page/1", FREE], ONCE)

    assert crawled.reasons == ["BAD_REPLY"]
    assert crawled.paths == [FREE]
    assert running.solver.created == 1
    assert len(running.solver.calls) <= 8


@pytest.mark.parametrize("fault", ["hang", "drip"])
@pytest_twisted.ensureDeferred
async def test_one_deadline_holds_for_a_slow_answer(fault: str) -> None:
    async with sandbox(guards={FREE: None}, pages=90) as running:
        running.solver.script(Answer(fault=fault, times=None))
        crawled = await crawl(running, ["/page/1", FREE], ONCE)

    assert crawled.reasons == ["TIMEOUT"]
    assert crawled.paths == [FREE]
    assert crawled.stats["elapsed_time_seconds"] < 8


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest_twisted.ensureDeferred
async def test_a_redirect_of_the_api_is_not_followed(status: int) -> None:
    async with sandbox() as running, sandbox() as elsewhere:
        there = {"Location": f"{elsewhere.api_url}/createTask"}
        running.solver.script(Answer(status=status, headers=there, body=b"", times=None))
        crawled = await crawl(running, ["/page/1"], ONCE)

    assert len(crawled.failures) == 1
    assert elsewhere.solver.calls == []


class Raw(Factory):
    """Says *answer* to whatever it receives, and closes; ``heard`` is what it received."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.heard = b""

    def buildProtocol(self, _address: object) -> Protocol:  # noqa: N802 - Twisted's name
        return _RawAnswer(self)


class _RawAnswer(Protocol):
    def __init__(self, raw: Raw) -> None:
        self._raw = raw

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - as above
        self._raw.heard += data
        transport: Any = self.transport
        transport.write(self._raw.answer)
        transport.loseConnection()


def http(body: bytes, headers: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 200 OK\r\n" + length + headers + b"\r\n" + body


HEAD = http(b'{"taskId": 7}', b"Content-Type: application/json\r\n")


@pytest_twisted.ensureDeferred
async def test_a_connection_may_break_at_any_byte() -> None:
    raw = Raw()
    async with sandbox(guards={FREE: None}, pages=90) as running, listening(raw) as port:
        for cut in range(0, len(HEAD), 7):
            raw.answer = HEAD[:cut]
            settings = {"CAPTCHA_API_URL": f"http://127.0.0.1:{port}", "CAPTCHA_POLICY": LOST}
            crawled = await crawl(running, ["/page/1", FREE], ONCE | settings)
            assert crawled.reasons in (["NETWORK"], ["BAD_REPLY"])
            assert crawled.paths == [FREE]


LOST = {"NETWORK": "drop", "BAD_REPLY": "drop", "TIMEOUT": "drop"}


@implementer(IPullProducer)
class _EndlessHead(Protocol):
    """Answers with header lines, as fast as they are read, until nobody reads any more."""

    sent = 0
    line = b"X-Filler: " + b"x" * 1000 + b"\r\n"

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - as above
        transport: Any = self.transport
        transport.write(b"HTTP/1.1 200 OK\r\n")
        transport.registerProducer(self, streaming=False)

    def resumeProducing(self) -> None:  # noqa: N802 - as above
        transport: Any = self.transport
        lines = self.line * 64
        type(self).sent += len(lines)
        transport.write(lines)

    def stopProducing(self) -> None:  # noqa: N802 - as above
        """Nothing is left to do."""


@pytest_twisted.ensureDeferred
async def test_headers_without_end_are_cut() -> None:
    endless = Factory.forProtocol(_EndlessHead)
    async with sandbox(guards={FREE: None}, pages=90) as running, listening(endless) as port:
        settings = {"CAPTCHA_API_URL": f"http://127.0.0.1:{port}", "CAPTCHA_POLICY": LOST}
        crawled = await crawl(running, ["/page/1", FREE], {**settings, "CAPTCHA_HTTP_TIMEOUT": 5})

    assert crawled.reasons == ["NETWORK"]
    assert crawled.paths == [FREE]
    assert _EndlessHead.sent < 16_000_000  # much of it is in the buffers of the system
    assert crawled.stats["elapsed_time_seconds"] < 4


@pytest_twisted.ensureDeferred
async def test_a_refused_connection_has_cost_nothing() -> None:
    with socket.socket() as bound:  # nothing listens there, and no other process takes it
        bound.bind(("127.0.0.1", 0))
        async with sandbox(guards={FREE: None}, pages=90) as running:
            settings = {"CAPTCHA_API_URL": f"http://127.0.0.1:{bound.getsockname()[1]}"}
            crawled = await crawl(running, ["/page/1", FREE], ONCE | settings)

    assert crawled.reasons == ["NETWORK"]
    assert crawled.paths == [FREE]
    assert crawled.stat("possibly_paid_count") == 0


@needs_tls
@pytest.mark.filterwarnings("ignore")  # of Twisted's TLS
@pytest.mark.parametrize("is_trusted", [False, True])
@pytest_twisted.ensureDeferred
async def test_nothing_is_sent_where_the_certificate_is_not_trusted(
    is_trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = Raw(http(b'{"error": "PROVIDER_SITEKEY"}'))
    certificate = tmp_path / "certificate.pem"
    options = self_signed(certificate)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    secure = TLSMemoryBIOFactory(options, isClient=False, wrappedFactory=raw)
    async with sandbox(guards={FREE: None}, pages=90) as running, listening(secure) as port:
        settings = {"CAPTCHA_API_URL": f"https://localhost:{port}"}
        crawled = await crawl(running, ["/page/1", FREE], ONCE | settings)

    assert crawled.paths == [FREE]
    assert crawled.reasons == ["PROVIDER_SITEKEY" if is_trusted else "NETWORK"]
    assert (API_KEY.encode() in raw.heard) == is_trusted
    assert bool(raw.heard) == is_trusted
