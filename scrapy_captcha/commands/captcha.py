"""``scrapy captcha``: hands over to its sub-commands."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

# Each is a module beside this one. Its ``run(settings, arguments)`` returns the exit code; it is
# imported on use, because Scrapy loads this file for every command of anybody.
SUBCOMMANDS: Mapping[str, str] = {
    "detect": "tell what pages are and what would be bought: [--json] [--url URL] URL|FILE ...",
    "evaluate": "measure detection on labelled pages: [--json] [--verbose] MANIFEST",
    "balance": "print what the accounts at the solver services hold",
    "demo": "crawl a local site behind captchas with a local solver",
    "sandbox": "run both for crawls of your own, until interrupted (flags: python -m "
    "scrapy_captcha.sandbox --help)",
}


class Command(ScrapyCommand):
    """The command; needs no project."""

    # Sub-commands have reactors and settings of their own.
    requires_crawler_process = False

    def syntax(self) -> str:  # noqa: D102 - Scrapy's
        return f"<{'|'.join(SUBCOMMANDS)}> [options]"

    def short_desc(self) -> str:  # noqa: D102 - Scrapy's
        return "Try and test captcha handling"

    def long_desc(self) -> str:  # noqa: D102 - Scrapy's
        return "; ".join(f"{name}: {about}" for name, about in SUBCOMMANDS.items())

    def run(self, args: list[str], opts: Namespace) -> None:
        """Run the sub-command that *args* begin with. Raises UsageError when there is none."""
        name, *arguments = args or [""]
        if name not in SUBCOMMANDS:
            raise UsageError(f"write one of the sub-commands: {', '.join(SUBCOMMANDS)}")
        module = import_module(f"scrapy_captcha.commands.{name}")
        self.exitcode = module.run(self.settings, arguments)
