"""Accounts, balances and limits, with a real service where one is asked."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from scrapy.settings import Settings

from scrapy_captcha import Kind
from scrapy_captcha.commands.account_checks import check_balance, check_limits, read_accounts
from scrapy_captcha.commands.findings import Finding, Mark
from scrapy_captcha.sandbox import Answer, Sandbox, SolverOptions
from scrapy_captcha.settings.config import Config

PRICES = {kind.value: 0.001 for kind in Kind}


def config(**settings: Any) -> Config:
    return Config.read(Settings(settings))


def test_accounts_are_told_and_their_keys_are_not() -> None:
    settings: dict[str, Any] = {
        "CAPTCHA_PROVIDERS": ["capsolver", "2captcha"],
        "CAPTCHA_KEYS": {"capsolver": "open-sesame", "2captcha": "melon"},
    }
    accounts, finding = read_accounts(config(**settings))

    assert [account.provider.name for account in accounts] == ["capsolver", "2captcha"]
    assert finding.mark is Mark.GOOD
    assert "capsolver at https://api.capsolver.com, key of 11 characters" in finding.words
    assert "sesame" not in repr(finding)
    assert "melon" not in repr(finding)


@pytest.mark.parametrize(
    ("settings", "mend"),
    [
        ({}, 'CAPTCHA_PROVIDERS = ["2captcha"]'),
        ({"CAPTCHA_API_URL": "https://solver.example"}, "CAPTCHA_API_KEY"),
        ({"CAPTCHA_PROVIDERS": ["capsolver"]}, "CAPTCHA_API_KEY"),
    ],
    ids=["nothing", "no key", "no key for a named service"],
)
def test_without_an_account_it_is_told_what_to_set(settings: dict[str, Any], mend: str) -> None:
    accounts, finding = read_accounts(config(**settings))

    assert accounts == ()
    assert finding.mark is Mark.BAD
    assert mend in finding.mend


def test_one_account_of_two_is_not_enough() -> None:
    settings = {"CAPTCHA_PROVIDERS": "capsolver,2captcha", "CAPTCHA_KEYS": {"capsolver": "sesame"}}
    accounts, finding = read_accounts(config(**settings))

    assert accounts == ()
    assert finding.mark is Mark.BAD
    assert "CAPTCHA_KEY_2CAPTCHA" in finding.words


async def asked(sandbox: Sandbox, **settings: Any) -> Finding:
    url = {"CAPTCHA_API_URL": sandbox.api_url, "CAPTCHA_API_KEY": sandbox.api_key}
    given = config(**url | settings)
    [account], _finding = read_accounts(given)
    return await check_balance(account, given)


@pytest_twisted.ensureDeferred
async def test_a_key_that_is_good_with_money_behind_it_is_good() -> None:
    async with Sandbox(SolverOptions(balance=10.0)) as sandbox:
        finding = await asked(sandbox, CAPTCHA_BUDGET=10)

    assert finding == Finding(Mark.GOOD, "unified: key good, balance 10.00")


@pytest_twisted.ensureDeferred
async def test_a_wrong_key_an_empty_account_and_a_service_that_is_away_are_bad() -> None:
    async with Sandbox() as sandbox:
        wrong = await asked(sandbox, CAPTCHA_API_KEY="melon")
        away = await asked(sandbox, CAPTCHA_API_URL="http://127.0.0.1:1")
    async with Sandbox(SolverOptions(balance=0.0)) as sandbox:
        empty = await asked(sandbox)

    assert {finding.mark for finding in (wrong, away, empty)} == {Mark.BAD}
    assert "AUTH_INVALID" in wrong.words
    assert "melon" not in repr(wrong)
    assert "NETWORK" in away.words
    assert "balance 0.00" in empty.words
    assert "top the account up" in empty.mend


@pytest_twisted.ensureDeferred
async def test_little_money_is_a_warning_against_the_budget_or_the_dearest_price() -> None:
    async with Sandbox(SolverOptions(balance=0.4)) as sandbox:
        few = await asked(sandbox)
        enough = await asked(sandbox, CAPTCHA_BUDGET=0.4, CAPTCHA_PRICES=PRICES)
        budget = await asked(sandbox, CAPTCHA_BUDGET=5, CAPTCHA_PRICES=PRICES)

    assert few.mark is Mark.WARNING
    assert "enough for 80 solves at 0.005" in few.words
    assert enough.mark is Mark.GOOD
    assert budget.mark is Mark.WARNING
    assert "CAPTCHA_BUDGET = 5.00" in budget.words


@pytest_twisted.ensureDeferred
async def test_a_service_that_does_not_tell_its_balance_is_not_bad() -> None:
    async with Sandbox() as sandbox:
        sandbox.solver.script(Answer("getBalance", error="METHOD_INVALID"))
        finding = await asked(sandbox)

    assert finding.mark is Mark.WARNING
    assert "balance unknown, METHOD_INVALID" in finding.words


def test_limits_are_told_and_none_is_a_warning() -> None:
    [none] = check_limits(config())
    [site] = check_limits(config(CAPTCHA_BUDGET_PER_SITE=1))
    [both] = check_limits(config(CAPTCHA_BUDGET=2.5, CAPTCHA_MAX_SOLVES_PER_HOUR=7))
    [dry] = check_limits(config(CAPTCHA_DRY_RUN=True))

    assert [none.mark, site.mark, dry.mark] == [Mark.WARNING] * 3
    assert "CAPTCHA_BUDGET = 5.00" in none.mend
    assert both.mark is Mark.GOOD
    assert both.words == "limits: CAPTCHA_BUDGET = 2.50, CAPTCHA_MAX_SOLVES_PER_HOUR = 7"
