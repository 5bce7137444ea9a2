"""The solver's HTTP surface, and the faults that can be scripted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from . import classic
from .script import Answer, Fault, HttpReply
from .web import begin, body_of, headers_of, pause, send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from twisted.web.server import Request

    from .solver import Solver

_DRIP_SECONDS = 0.05
_CHUNK = b" " * 65536  # white space is legal around JSON


class SolverApi:
    """``POST /createTask`` and its siblings, and the control surface for other processes.

    The unified API stands at the root, every service below its name: ``/capsolver/createTask``.
    *state* returns what ``GET /sandbox/state`` answers; ``POST /sandbox/script``, or
    ``/capsolver/sandbox/script``, takes a rule.
    """

    def __init__(
        self, services: Mapping[str, Solver], state: Callable[[], Mapping[str, object]]
    ) -> None:
        self._services = services
        self._state = state

    async def respond(self, request: Request) -> None:
        """Answer *request*."""
        solver, method = self._addressed(request.path.decode("latin-1").strip("/"))
        control = {
            (b"GET", "sandbox/state"): lambda: HttpReply.json(self._state()),
            (b"POST", "sandbox/script"): lambda: _add_rule(solver, _json(request)),
        }.get((request.method, method))
        if control:
            send(request, control())
        else:
            await _respond_to_client(solver, method, request)

    def _addressed(self, path: str) -> tuple[Solver, str]:
        service, _, method = path.partition("/")
        if service in self._services:
            return self._services[service], method
        return self._services["unified"], path


async def _respond_to_client(solver: Solver, path: str, request: Request) -> None:
    form = {name.decode("latin-1"): values[-1] for name, values in request.args.items()}
    older = path in classic.PATHS and solver.dialect.classic
    method, payload = classic.as_call(path, form) if older else (path, _json(request))
    call = solver.receive(method, payload, headers_of(request))
    rule = solver.rule_for(call) or Answer()
    usual = solver.answer(call) if rule.usual or rule.carried_out else None
    # A fault spoils the usual answer of a call that is carried out.
    reply = usual if usual and (rule.usual or rule.fault) else solver.scripted(call, rule)
    reply = classic.as_reply(reply, form) if older else reply
    await pause(rule.delay)
    if rule.fault:
        await _FAULTS[Fault(rule.fault)](request, reply)
    else:
        call.status = reply.status
        send(request, reply)


def _add_rule(solver: Solver, rule: object) -> HttpReply:
    try:
        solver.script(Answer.from_json(rule))
    except ValueError as error:
        return HttpReply.json({"message": str(error)}, 400)
    return HttpReply.json({})


def _json(request: Request) -> Any:
    """The decoded body, {} for an empty one, None for what is no JSON."""
    body = body_of(request)
    try:
        return json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return None


async def _close(request: Request, _reply: HttpReply) -> None:
    request.loseConnection()


async def _cut(request: Request, reply: HttpReply) -> None:
    begin(request, reply)
    request.setHeader("Content-Length", str(len(reply.body) + 1))
    request.write(reply.body[: len(reply.body) // 2 + 1])
    request.loseConnection()


async def _hang(_request: Request, _reply: HttpReply) -> None:
    await Deferred()


async def _endless(request: Request, reply: HttpReply) -> None:
    begin(request, reply)
    request.registerProducer(_Endless(request), False)


async def _drip(request: Request, reply: HttpReply) -> None:
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


_FAULTS: Mapping[Fault, Callable[[Request, HttpReply], Awaitable[None]]] = {
    Fault.CLOSE: _close,
    Fault.CUT: _cut,
    Fault.HANG: _hang,
    Fault.ENDLESS: _endless,
    Fault.DRIP: _drip,
}
