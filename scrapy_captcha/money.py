"""Amounts of money as whole millionths of the account's currency, so that sums stay exact."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

_MILLION = 1_000_000
_LEAST_COST, _MOST_COST = 1e-6, 1000.0  # of one task, in any currency

Micros = int


def micros(amount: float | str) -> Micros:
    """*amount*, finite and in the account's currency, rounded up to whole millionths."""
    return int((Decimal(str(amount)) * _MILLION).to_integral_value(ROUND_CEILING))


def known_cost(cost: float | None) -> float | None:
    """*cost*, which a service gives for one task; None if it cannot be the price of a task."""
    if cost is None or not (cost == 0 or _LEAST_COST <= cost <= _MOST_COST):  # which NaN is not
        return None
    return cost


def amount(value: Micros) -> float:
    """*value* in the account's currency, for stats and files."""
    return value / _MILLION


def shown(value: Micros) -> str:
    """*value* for display: two decimals, or more if they are not 0."""
    text = f"{Decimal(value) / _MILLION:.6f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"
