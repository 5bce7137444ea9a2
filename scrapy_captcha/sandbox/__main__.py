"""``python -m scrapy_captcha.sandbox``: the sandbox as a process of its own.

Prints one line, a JSON object with ``api_url``, ``site_url``, ``api_key`` and, in ``services``, the
addresses by name at which the solver speaks the dialects of services; and runs until it is
interrupted. ``GET api_url/sandbox/state`` answers all counters and records; ``POST
api_url/sandbox/script``, or that of a service, takes a rule, a JSON object with the fields of
``Answer``.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, ArgumentTypeError
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from scrapy_captcha.captchas import Kind

from .guards import Guard, Mode, Passage, Shown
from .options import SolverOptions
from .script import Answer
from .server import Sandbox
from .site import SiteOptions

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from enum import Enum


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m scrapy_captcha.sandbox",
        description="A local captcha solver and a local site behind captchas.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="of the solver, 0 for any that is free")
    add("--site-port", type=int, default=0, help="of the site, 0 for any that is free")
    add("--pages", type=int, default=10, help="how many pages the site has")
    add("--open-pages", type=int, default=0, help="how many of them, the first, have no captcha")
    _add_choice(parser, "--kind", Kind.RECAPTCHA_V2, "of captcha")
    _add_choice(parser, "--mode", Mode.CLEARANCE, "what a solution opens")
    _add_choice(parser, "--shown", Shown.HERE, "where the challenge stands")
    _add_choice(parser, "--passage", Passage.PAGE, "what an accepted solution is answered with")
    add("--status", type=int, default=200, help="HTTP status of the challenge")
    add("--reject-first", type=int, default=0, help="good solutions rejected, for each page")
    add("--latency", type=float, default=0.0, help="of the site, in seconds")
    add("--api-key", default="sandbox-key", help="of the solver's account")
    add("--solve-time", type=float, default=0.0, help="seconds from purchase to solution")
    add("--price", type=float, default=0.002, help="of a task")
    add("--balance", type=float, default=10.0, help="of the account")
    add("--capacity", type=int, help="how many tasks may be unsolved at once")
    add(
        "--error",
        action="append",
        default=[],
        type=_answer,
        metavar="CODE[@PATH]",
        help="how the first purchase is answered, or the first for a path; may be given often",
    )
    add("--token-life", type=float, default=120.0, help="seconds from solution to expiry")
    add("--poll-interval", type=float, help="seconds between polls, by default the service's own")
    return parser


def _add_choice(parser: ArgumentParser, flag: str, default: Enum, what: str) -> None:
    words = [member.value for member in type(default)]
    parser.add_argument(flag, choices=words, default=default.value, help=what)


def _answer(word: str) -> Answer:
    error, _, path = word.partition("@")
    try:
        return Answer(error=error, url_contains=path)
    except ValueError as wrong:
        raise ArgumentTypeError(str(wrong)) from wrong


def _sandbox(arguments: Namespace) -> Sandbox:
    given = vars(arguments)
    guard = Guard(
        kind=Kind(arguments.kind),
        mode=Mode(arguments.mode),
        shown=Shown(arguments.shown),
        passage=Passage(arguments.passage),
        status=arguments.status,
        reject_first=arguments.reject_first,
    )
    solver = (
        "api_key",
        "solve_time",
        "price",
        "balance",
        "capacity",
        "token_life",
        "poll_interval",
    )
    open_pages = {f"/page/{n}": None for n in range(1, arguments.open_pages + 1)}
    sandbox = Sandbox(
        SolverOptions(**{name: given[name] for name in solver}),
        SiteOptions(arguments.pages, guard, open_pages, arguments.latency),
        port=arguments.port,
        site_port=arguments.site_port,
    )
    sandbox.solver.script(*arguments.error)
    return sandbox


async def _serve(reactor: Any, sandbox: Sandbox) -> None:
    from twisted.internet.defer import Deferred

    await sandbox.start()
    reactor.addSystemEventTrigger("before", "shutdown", sandbox.stop)
    where = {
        "api_url": sandbox.api_url,
        "site_url": sandbox.site_url,
        "api_key": sandbox.api_key,
        "services": {name: sandbox.url_of(name) for name in sandbox.services},
    }
    sys.stdout.write(json.dumps(where) + "\n")
    sys.stdout.flush()
    await Deferred()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGINT or SIGTERM; *arguments* are those of the command line by default."""
    sandbox = _sandbox(_parser().parse_args(arguments))

    def serve(reactor: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(_serve(reactor, sandbox))

    react(serve)


if __name__ == "__main__":
    main()
