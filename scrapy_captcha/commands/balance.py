"""``scrapy captcha balance``: what the accounts at the solver services hold."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import TYPE_CHECKING

from scrapy.exceptions import NotConfigured
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from scrapy_captcha.accounts import accounts_of
from scrapy_captcha.client import SolverClient
from scrapy_captcha.config import Config
from scrapy_captcha.errors import SolverError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy.settings import BaseSettings

    from scrapy_captcha.accounts import Account

_ABOUT = "The exit code is 0 when each account has told what it holds, else 1."


def run(settings: BaseSettings, arguments: Sequence[str]) -> int:
    """Print the balance of each account in *settings*, in the account's own currency."""
    ArgumentParser("scrapy captcha balance", epilog=_ABOUT).parse_args(arguments)
    try:
        config = Config.read(settings)
        accounts = accounts_of(config)
    except (NotConfigured, ValueError) as error:
        sys.stderr.write(f"scrapy captcha balance: {error}\n")
        return 1
    try:
        react(lambda _reactor: Deferred.fromCoroutine(_tell(accounts, config.http_timeout)))
    except SystemExit as end:
        return int(end.code or 0)


async def _tell(accounts: Sequence[Account], timeout: float) -> None:
    told = [await _told(account, timeout) for account in accounts]
    if not all(told):
        raise SystemExit(1)


async def _told(account: Account, timeout: float) -> bool:
    provider = account.provider(poll_interval=0)
    client = SolverClient(provider, api_url=account.url, api_key=account.key, http_timeout=timeout)
    try:
        balance = await client.balance()
    except SolverError as error:
        sys.stderr.write(f"{provider.name}: {error}\n")
        return False
    else:
        sys.stdout.write(f"{provider.name}: {round(balance, 6)}\n")
        return True
    finally:
        await client.close()
