"""Checks of the accounts: whether there are any, their balances, and the limits on spending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import NotConfigured

from scrapy_captcha.commands.balance import balance_of
from scrapy_captcha.commands.findings import bad, good, warning
from scrapy_captcha.commands.offers import price_of
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.money import micros, shown
from scrapy_captcha.providers import PROVIDERS
from scrapy_captcha.solver.accounts import accounts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scrapy_captcha.commands.findings import Finding
    from scrapy_captcha.settings.config import Config
    from scrapy_captcha.solver.accounts import Account

_FEW = 100  # solves that an account is expected to have money for

_NO_ACCOUNT = (
    'name your service, as in CAPTCHA_PROVIDERS = ["2captcha"], of '
    f"{', '.join(name for name, provider in PROVIDERS.items() if provider.base_url)}, and set "
    "CAPTCHA_API_KEY, here or in the environment; for any other set CAPTCHA_API_URL too. To try "
    "it without an account: scrapy captcha sandbox"
)

# Errors that mean that nothing can be bought, and what to do about each.
_HOPELESS: Mapping[ErrorCode, str] = {
    ErrorCode.AUTH_INVALID: "copy the key anew from the service's site, without spaces or quotes",
    ErrorCode.AUTH_FORBIDDEN: "check on the service's site whether it allows this IP address",
    ErrorCode.BALANCE_EMPTY: "top the account up",
    ErrorCode.NETWORK: "correct its URL in the settings, or see whether a firewall is between",
    ErrorCode.TIMEOUT: "try again, or raise CAPTCHA_HTTP_TIMEOUT",
}

_LIMITS = ("budget", "max_solves", "budget_per_hour", "max_solves_per_hour")


def read_accounts(config: Config) -> tuple[tuple[Account, ...], Finding]:
    """The accounts of *config*, none if one is missing, and the finding about them."""
    try:
        accounts = accounts_of(config)
    except NotConfigured as error:
        is_named = config.providers[0].base_url or config.api_url
        return (), bad("account: none", str(error) if is_named else _NO_ACCOUNT)
    except ValueError as error:
        return (), bad(f"account: {error}")
    told = ", ".join(f"{a.provider.name} at {a.url}, {_masked(a.key)}" for a in accounts)
    return accounts, good(f"account: {told}")


def _masked(key: str) -> str:
    return f"key of {len(key)} characters"


async def check_balance(account: Account, config: Config) -> Finding:
    """Whether the key of *account* is good, and there is money for more than a few solves."""
    name = account.provider.name
    try:
        balance = micros(await balance_of(account, config.http_timeout))
    except SolverError as error:
        if error.code in _HOPELESS:
            return bad(f"{name}: {error}", _HOPELESS[error.code])
        return warning(
            f"{name}: balance unknown, {error}",
            "check its URL, and the balance on its site",
        )
    if balance <= 0:
        return bad(f"{name}: balance {shown(balance)}", _HOPELESS[ErrorCode.BALANCE_EMPTY])
    return _judged(account, balance, config)


def _judged(account: Account, balance: int, config: Config) -> Finding:
    name, told = account.provider.name, f"{account.provider.name}: key good, balance"
    provider = account.provider(poll_interval=0)
    dearest = max(price_of(kind, provider, config)[0] for kind in provider.tasks)
    if config.budget is not None and balance < config.budget:
        return warning(
            f"{told} {shown(balance)}: less than CAPTCHA_BUDGET = {shown(config.budget)}",
            f"top {name} up, or lower CAPTCHA_BUDGET",
        )
    if balance < _FEW * dearest:
        solves = balance // dearest
        return warning(
            f"{told} {shown(balance)}: enough for {solves} solves at {shown(dearest)}",
            f"top {name} up, unless you need no more",
        )
    return good(f"{told} {shown(balance)}")


def check_limits(config: Config) -> Iterator[Finding]:
    """Whether the spending of a crawl is limited."""
    if config.dry_run:
        yield warning("limits: nothing is bought, CAPTCHA_DRY_RUN = True", "remove it to buy")
        return
    given = {name: getattr(config, name) for name in _LIMITS}
    told = [
        f"CAPTCHA_{name.upper()} = {shown(value) if 'budget' in name else value}"
        for name, value in given.items()
        if value is not None
    ]
    if told:
        yield good(f"limits: {', '.join(told)}")
    else:
        yield warning(
            "limits: none, a crawl may spend all that the account holds",
            "write CAPTCHA_BUDGET = 5.00, in the currency of the account, or CAPTCHA_MAX_SOLVES",
        )
