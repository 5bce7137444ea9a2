"""The arguments that all sub-commands read and explain in the same way."""

from __future__ import annotations

from argparse import ArgumentParser

_SHARED = (
    "Settings are read from the project in the current directory, if any. Scrapy's own options may "
    "be given too, such as -s NAME=VALUE for a setting and -L LEVEL for the log."
)


def parser_of(name: str, about: str, exit_codes: str) -> ArgumentParser:
    """A parser for ``scrapy captcha <name>``; invalid arguments end the process with code 2."""
    return ArgumentParser(
        f"scrapy captcha {name}", description=about, epilog=f"{exit_codes} {_SHARED}"
    )
