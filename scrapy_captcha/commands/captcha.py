"""``scrapy captcha``: runs its sub-commands."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from importlib import import_module
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

# Each is a module beside this one. Its ``run(settings, arguments)`` returns the exit code; it is
# imported on use, because Scrapy loads this file for every command.
SUBCOMMANDS: Mapping[str, str] = {
    "check": "report what is right and wrong with settings, accounts and a page",
    "solve": "get one page from behind its captcha, step by step; asks before it pays",
    "detect": "classify pages, and show what would be bought for them",
    "balance": "print the balances of the accounts at the solver services",
    "demo": "crawl a local site behind captchas with a local solver; needs no account",
    "sandbox": "run that site and that solver for crawls of your own",
}


class Command(ScrapyCommand):
    """The command; needs no project."""

    # Sub-commands have reactors and settings of their own.
    requires_crawler_process = False

    def syntax(self) -> str:  # noqa: D102 - Scrapy's
        return f"<{'|'.join(SUBCOMMANDS)}> [options]"

    def short_desc(self) -> str:  # noqa: D102 - Scrapy's
        return "Check, try and test captcha handling"

    def long_desc(self) -> str:
        """All sub-commands, a line each."""
        lines = [f"  {name:10}{about}" for name, about in SUBCOMMANDS.items()]
        return "\n".join([*lines, "", "scrapy captcha NAME --help explains each."])

    def add_options(self, parser: ArgumentParser) -> None:
        """Scrapy's own, except that ``--help`` is for the sub-command where one is named."""
        super().add_options(parser)
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("-h", "--help", action="store_true", help="show this and exit")
        self._parser = parser

    def run(self, args: list[str], opts: Namespace) -> None:
        """Run the sub-command that *args* begin with. Raises UsageError when there is none."""
        name, *arguments = args or [""]
        if name in SUBCOMMANDS:
            module = import_module(f"scrapy_captcha.commands.{name}")
            helped = ["--help"] if opts.help else []
            self.exitcode = module.run(self.settings, [*arguments, *helped])
        elif opts.help and not name:
            self._parser.print_help()
        else:
            raise UsageError(f"write one of the sub-commands: {', '.join(SUBCOMMANDS)}")
