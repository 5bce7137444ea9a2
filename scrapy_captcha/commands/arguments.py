"""The arguments of sub-commands, as all of them read and explain them."""

from __future__ import annotations

from argparse import ArgumentParser

_SHARED = (
    "Settings are those of the project that one stands in, if any. Scrapy's own options may be "
    "given too, such as -s NAME=VALUE for a setting and -L LEVEL for the log."
)


def parser_of(name: str, about: str, exit_codes: str) -> ArgumentParser:
    """A parser for ``scrapy captcha <name>``; what it cannot read ends the process with 2."""
    return ArgumentParser(
        f"scrapy captcha {name}", description=about, epilog=f"{exit_codes} {_SHARED}"
    )
