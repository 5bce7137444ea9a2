"""The solver's HTTP surface, and the faults it can be told to have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from .script import Answer, Fault, Reply
from .web import begin, body_of, headers_of, pause, send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from twisted.web.server import Request

    from .solver import Solver

_DRIP_SECONDS = 0.05
_CHUNK = b" " * 65536  # white space is legal around JSON


class SolverApi:
    """``POST /createTask`` and its siblings, and the control surface for other processes.

    *state* returns what ``GET /sandbox/state`` answers; ``POST /sandbox/script`` takes a rule.
    """

    def __init__(self, solver: Solver, state: Callable[[], Mapping[str, object]]) -> None:
        self._solver = solver
        self._state = state

    async def respond(self, request: Request) -> None:
        """Answer *request*."""
        control = {
            (b"GET", b"/sandbox/state"): lambda: Reply.of(self._state()),
            (b"POST", b"/sandbox/script"): lambda: self._add_rule(_json(request)),
        }.get((request.method, request.path))
        if control:
            send(request, control())
        else:
            await self._respond_to_client(request)

    async def _respond_to_client(self, request: Request) -> None:
        method = request.path.decode("latin-1").strip("/")
        call = self._solver.receive(method, _json(request), headers_of(request))
        rule = self._solver.rule_for(call) or Answer()
        usual = self._solver.answer(call) if rule.usual or rule.carried_out else None
        # A fault spoils the usual answer of a call that is carried out.
        reply = usual if usual and (rule.usual or rule.fault) else rule.reply()
        await pause(rule.delay)
        if rule.fault:
            await _FAULTS[Fault(rule.fault)](request, reply)
        else:
            call.status = reply.status
            send(request, reply)

    def _add_rule(self, rule: object) -> Reply:
        try:
            self._solver.script(Answer.from_json(rule))
        except ValueError as error:
            return Reply.of({"message": str(error)}, 400)
        return Reply.of({})


def _json(request: Request) -> Any:
    """The decoded body, {} for an empty one, None for what is no JSON."""
    body = body_of(request)
    try:
        return json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return None


async def _close(request: Request, _reply: Reply) -> None:
    request.loseConnection()


async def _cut(request: Request, reply: Reply) -> None:
    begin(request, reply)
    request.setHeader("Content-Length", str(len(reply.body) + 1))
    request.write(reply.body[: len(reply.body) // 2 + 1])
    request.loseConnection()


async def _hang(_request: Request, _reply: Reply) -> None:
    await Deferred()


async def _endless(request: Request, reply: Reply) -> None:
    begin(request, reply)
    request.registerProducer(_Endless(request), False)


async def _drip(request: Request, reply: Reply) -> None:
    begin(request, reply)
    while True:
        request.write(b" ")
        await pause(_DRIP_SECONDS)


@implementer(IPullProducer)
@dataclass(frozen=True, slots=True)
class _Endless:
    request: Request

    def resumeProducing(self) -> None:  # noqa: N802
        self.request.write(_CHUNK)

    def stopProducing(self) -> None:  # noqa: N802
        pass


_FAULTS: Mapping[Fault, Callable[[Request, Reply], Awaitable[None]]] = {
    Fault.CLOSE: _close,
    Fault.CUT: _cut,
    Fault.HANG: _hang,
    Fault.ENDLESS: _endless,
    Fault.DRIP: _drip,
}
