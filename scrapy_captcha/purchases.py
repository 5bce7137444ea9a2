"""Purchases and their outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from scrapy_captcha.money import Micros


class Fate(str, Enum):
    """The outcome of a purchase: the values in stats and the report."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNUSED = "unused"
    FAILED = "failed"  # charged without a solution


@dataclass(frozen=True, slots=True)
class Need:
    """The site, kind and provider of a purchase; *proxy* is number, host and port, or ""."""

    site: str
    kind: Kind
    provider: str
    proxy: str = ""


@dataclass(slots=True)
class Purchase:
    """One purchase from its reservation on; *attempts* is its number among those of its page."""

    need: Need
    url: str
    attempts: int
    price: Micros
    begun: float
    charged: float | None = None
    fate: Fate | None = None

    @property
    def seconds(self) -> float:
        """The seconds from the reservation to the solution, 0 while there is none."""
        return 0.0 if self.charged is None else self.charged - self.begun


def stored(purchase: Purchase) -> dict[str, Any]:
    """*purchase* as plain data for `restored`, while nothing was charged for it."""
    need = purchase.need
    return {
        "need": [need.site, need.kind.value, need.provider, need.proxy],
        "url": purchase.url,
        "attempts": purchase.attempts,
        "price": purchase.price,
    }


def restored(data: Any, now: float) -> Purchase:
    """The purchase of *data*, which `stored` has returned, begun *now*.

    Raises KeyError, TypeError or ValueError for other data.
    """
    site, kind, provider, proxy = data["need"]
    if not all(isinstance(text, str) for text in (site, provider, proxy, data["url"])):
        raise TypeError
    attempts, price = counts([data["attempts"], data["price"]], 2)
    need = Need(site, Kind(kind), provider, proxy)
    return Purchase(need, data["url"], attempts, price, now)


def counts(values: Any, length: int) -> list[int]:
    """*values* if they are *length* counts. Raises TypeError or ValueError otherwise."""
    if len(values) != length or not all(type(v) is int and v >= 0 for v in values):
        raise ValueError
    return list(values)
