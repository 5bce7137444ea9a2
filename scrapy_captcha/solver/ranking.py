"""Which provider is the cheapest for a kind, as far as a crawl has seen: pure bookkeeping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy_captcha.settings.choices import Preference

if TYPE_CHECKING:
    from scrapy_captcha.models import Kind


@dataclass(slots=True)
class _Record:
    """What solutions of one kind from one provider have cost, and how many a site took."""

    paid: float = 0.0
    priced: int = 0
    accepted: int = 0
    judged: int = 0


class Ranking:
    """Puts providers in order; with LISTED all are alike, so that the first listed comes first."""

    def __init__(self, order: Preference) -> None:
        self._order = order
        self._records: dict[tuple[str, Kind], _Record] = {}

    def solved(self, provider: str, kind: Kind, cost: float | None) -> None:
        """A solution has come, at *cost* in the account's currency where that is known."""
        if cost is not None:
            record = self._record(provider, kind)
            record.paid += cost
            record.priced += 1

    def judged(self, provider: str, kind: Kind, *, accepted: bool) -> None:
        """A site has accepted or rejected a solution."""
        record = self._record(provider, kind)
        record.judged += 1
        record.accepted += accepted

    def cost(self, provider: str, kind: Kind, listed: float | None) -> float:
        """What an accepted solution is expected to cost; *listed* is the provider's list price.

        Infinite for a provider of whose prices nothing is known: it comes last.
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
