"""``scrapy captcha balance``: the balances of the accounts at the solver services."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from scrapy.exceptions import NotConfigured

from scrapy_captcha.commands.arguments import parser_of
from scrapy_captcha.commands.running import run_in_reactor
from scrapy_captcha.errors import SolverError
from scrapy_captcha.settings.config import Config
from scrapy_captcha.solver.accounts import accounts_of
from scrapy_captcha.solver.client import SolverClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy.settings import BaseSettings

    from scrapy_captcha.solver.accounts import Account

_ABOUT = "Print the balance of each account of CAPTCHA_PROVIDERS, in the account's own currency."
_EXIT_CODES = "The exit code is 0 when the balance of each account is known, else 1."


def run(settings: BaseSettings, arguments: Sequence[str]) -> int:
    """Print the balance of each account in *settings*, in the account's own currency."""
    parser_of("balance", _ABOUT, _EXIT_CODES).parse_args(arguments)
    try:
        config = Config.read(settings)
        accounts = accounts_of(config)
    except (NotConfigured, ValueError) as error:
        sys.stderr.write(f"scrapy captcha balance: {error}\n")
        return 1
    return run_in_reactor(_tell(accounts, config.http_timeout))


async def _tell(accounts: Sequence[Account], timeout: float) -> int:
    told = [await _told(account, timeout) for account in accounts]
    return 0 if all(told) else 1


async def _told(account: Account, timeout: float) -> bool:
    try:
        balance = await balance_of(account, timeout)
    except SolverError as error:
        sys.stderr.write(f"{account.provider.name}: {error}\n")
        return False
    sys.stdout.write(f"{account.provider.name}: {round(balance, 6)}\n")
    return True


async def balance_of(account: Account, timeout: float) -> float:
    """The balance of *account*; waits *timeout* seconds at most. Raises SolverError."""
    provider = account.provider(poll_interval=0)
    client = SolverClient(provider, api_url=account.url, api_key=account.key, http_timeout=timeout)
    try:
        return await client.balance()
    finally:
        await client.close()
