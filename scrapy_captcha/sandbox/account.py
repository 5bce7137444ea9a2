"""The money of a customer of the local solver."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .purchases import SoldTask


class ClientAccount:
    """All amounts are in the same currency, rounded to a millionth."""

    def __init__(self, paid_in: float) -> None:
        self._paid_in = paid_in
        self._charged = self._refunded = 0.0

    @property
    def refunded(self) -> float:
        """The amount that was paid back."""
        return round(self._refunded, 6)

    @property
    def spent(self) -> float:
        """The amount that was charged, less what was paid back."""
        return round(self._charged - self._refunded, 6)

    @property
    def balance(self) -> float:
        """The amount that is left."""
        return round(self._paid_in - self.spent, 6)

    def charge(self, purchase: SoldTask) -> None:
        """Take the price of *purchase*."""
        self._charged += purchase.price

    def refund(self, purchase: SoldTask) -> bool:
        """Pay *purchase* back, unless that is done; whether it was."""
        if purchase.refunded:
            return False
        purchase.refunded = True
        self._refunded += purchase.price
        return True
