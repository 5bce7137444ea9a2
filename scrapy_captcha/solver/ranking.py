"""Ranks the providers of a kind by the cost of an accepted solution. Pure bookkeeping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy_captcha.settings.choices import Preference

if TYPE_CHECKING:
    from scrapy_captcha.models import Kind


@dataclass(slots=True)
class _Record:
    """The cost and the acceptance of solutions of one kind from one provider."""

    paid: float = 0.0
    priced: int = 0
    accepted: int = 0
    judged: int = 0


class Ranking:
    """Ranks providers by cost; with LISTED all costs are 0, so that the order is the listed one."""

    def __init__(self, order: Preference) -> None:
        self._order = order
        self._records: dict[tuple[str, Kind], _Record] = {}

    def learn_price(self, provider: str, kind: Kind, cost: float | None) -> None:
        """Counts a solution, with its *cost* in the account's currency if that is known."""
        if cost is not None:
            record = self._record(provider, kind)
            record.paid += cost
            record.priced += 1

    def judged(self, provider: str, kind: Kind, *, accepted: bool) -> None:
        """Counts a solution that a site has accepted or rejected."""
        record = self._record(provider, kind)
        record.judged += 1
        record.accepted += accepted

    def cost(self, provider: str, kind: Kind, listed: float | None) -> float:
        """The expected cost of an accepted solution; *listed* is the provider's list price.

        Infinite for a provider without known prices, which thus comes last.
        """
        if self._order is Preference.LISTED:
            return 0.0
        record = self._record(provider, kind)
        price = record.paid / record.priced if record.priced else listed
        if price is None:
            return float("inf")
        return price * (record.judged + 1) / (record.accepted + 1)

    def _record(self, provider: str, kind: Kind) -> _Record:
        return self._records.setdefault((provider, kind), _Record())
