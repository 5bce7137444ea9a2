"""What a purchase is, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy_captcha.models import Kind
    from scrapy_captcha.money import Micros


class Fate(str, Enum):
    """What became of what was bought: the words in stats and the report."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNUSED = "unused"
    FAILED = "failed"  # charged, but no solution came of it


@dataclass(frozen=True, slots=True)
class Need:
    """What is bought for whom; *proxy* is its number, host and port, "" without one."""

    site: str
    kind: Kind
    provider: str
    proxy: str = ""


@dataclass(slots=True)
class Purchase:
    """One purchase from its reservation on; *attempts* is which one it is for its page."""

    need: Need
    url: str
    attempts: int
    price: Micros
    begun: float
    charged: float | None = None
    fate: Fate | None = None

    @property
    def seconds(self) -> float:
        """From the reservation to the solution, 0 while there is none."""
        return 0.0 if self.charged is None else self.charged - self.begun
