"""What a solve is expected to cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.money import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy_captcha.models import Kind
    from scrapy_captcha.money import Micros

_UNLISTED = micros("0.005")  # rather too much than too little


class Prices:
    """Prices per provider and kind: the highest that an answer has told, else those that are set.

    *told* are the user's (``CAPTCHA_PRICES``); *listed* gives a provider's list prices, in the
    account's currency.
    """

    def __init__(
        self,
        told: Mapping[Kind, Micros],
        listed: Callable[[str, Kind], float | None] = lambda _provider, _kind: None,
    ) -> None:
        self._told = told
        self._listed = listed
        self._seen: dict[tuple[str, Kind], Micros] = {}

    def expected(self, provider: str, kind: Kind) -> Micros:
        """What the next solve of *kind* may cost at *provider*."""
        seen = self._seen.get((provider, kind), self._told.get(kind))
        if seen is not None:
            return seen
        listed = self._listed(provider, kind)
        return _UNLISTED if listed is None else micros(listed)

    def is_guess(self, provider: str, kind: Kind) -> bool:
        """Whether neither an answer nor the user has told what *kind* costs at *provider*."""
        return (provider, kind) not in self._seen and kind not in self._told

    def learn(self, provider: str, kind: Kind, cost: Micros) -> None:
        """A solve of *kind* has cost *cost*."""
        key = provider, kind
        self._seen[key] = max(self._seen.get(key, 0), cost)
