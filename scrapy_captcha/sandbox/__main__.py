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
from twisted.internet.error import CannotListenError
from twisted.internet.task import react

from scrapy_captcha.models import Kind

from .guards import Guard, Mode, Passage, Shown
from .options import SolverOptions
from .script import Answer
from .server import Sandbox
from .site import SiteOptions

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from enum import Enum


_ABOUT = (
    "Run a local captcha solver and a local site behind captchas, until interrupted. The line that "
    "is printed says where: crawl site_url with the settings CAPTCHA_API_URL = api_url, "
    "CAPTCHA_API_KEY = api_key and CAPTCHA_DOMAINS = 127.0.0.1. In services are the addresses at "
    "which the solver speaks the language of each service, for CAPTCHA_API_URLS."
)


def _parser(prog: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog=prog,
        description=_ABOUT,
        epilog="The exit code is 0 when it was interrupted, 1 when a port is taken.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="port of the solver, 0 for any that is free")
    add("--site-port", type=int, default=0, help="port of the site, 0 for any that is free")
    add("--pages", type=int, default=10, help="how many pages the site has")
    add("--open-pages", type=int, default=0, help="how many of them, the first, have no captcha")
    _add_choice(parser, "--kind", Kind.RECAPTCHA_V2, "the captcha before each page")
    _add_choice(parser, "--mode", Mode.CLEARANCE, "what a solution opens")
    _add_choice(parser, "--shown", Shown.HERE, "where the challenge stands")
    _add_choice(parser, "--passage", Passage.PAGE, "what an accepted solution is answered with")
    add("--status", type=int, default=200, help="HTTP status of the challenge")
    add(
        "--reject-first",
        type=int,
        default=0,
        help="how many good solutions are rejected, for each page",
    )
    add("--latency", type=float, default=0.0, help="seconds until the site answers")
    add("--api-key", default="sandbox-key", help="key of the account at the solver")
    add("--solve-time", type=float, default=0.0, help="seconds from purchase to solution")
    add("--price", type=float, default=0.002, help="what a task costs")
    add("--balance", type=float, default=10.0, help="what the account holds at first")
    add("--capacity", type=int, help="how many tasks may be unsolved at once, None: any")
    add(
        "--error",
        action="append",
        default=[],
        type=_answer,
        metavar="CODE[@PATH]",
        help="how the first purchase is answered, or the first for a path; may be given often",
    )
    add("--token-life", type=float, default=120.0, help="seconds from solution to expiry")
    add(
        "--poll-interval",
        type=float,
        help="seconds between polls, None: as the service says",
    )
    return parser


def _add_choice(parser: ArgumentParser, flag: str, default: Enum, what: str) -> None:
    words = [member.value for member in type(default)]
    name, what = flag.strip("-").upper(), f"{what}: {', '.join(words)}"
    parser.add_argument(flag, choices=words, default=default.value, metavar=name, help=what)


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
    try:
        await sandbox.start()
    except CannotListenError as error:
        raise SystemExit(str(error)) from None
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


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m scrapy_captcha.sandbox"
) -> None:
    """Run until SIGINT or SIGTERM; *arguments* default to the command line.

    *prog* is what the help calls the command.
    """
    sandbox = _sandbox(_parser(prog).parse_args(arguments))

    def serve(reactor: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(_serve(reactor, sandbox))

    react(serve)


if __name__ == "__main__":
    main()
