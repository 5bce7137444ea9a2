"""Expected prices of solves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.money import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy_captcha.models import Kind
    from scrapy_captcha.money import Micros

_UNLISTED = micros("0.005")  # rather too much than too little


class Prices:
    """Prices per provider and kind: the highest in an answer, else those of the settings.

    *configured* are those of ``CAPTCHA_PRICES``; *listed* returns list prices of a provider, in the
    account's currency.
    """

    def __init__(
        self,
        configured: Mapping[Kind, Micros],
        listed: Callable[[str, Kind], float | None] = lambda _provider, _kind: None,
    ) -> None:
        self._configured = configured
        self._listed = listed
        self._seen: dict[tuple[str, Kind], Micros] = {}

    def expected(self, provider: str, kind: Kind) -> Micros:
        """The expected price of the next solve of *kind* at *provider*."""
        seen = self._seen.get((provider, kind), self._configured.get(kind))
        if seen is not None:
            return seen
        listed = self._listed(provider, kind)
        return _UNLISTED if listed is None else micros(listed)

    def is_guess(self, provider: str, kind: Kind) -> bool:
        """Whether the price of *kind* at *provider* is in no answer and in no setting."""
        return (provider, kind) not in self._seen and kind not in self._configured

    def learn(self, provider: str, kind: Kind, cost: Micros) -> None:
        """Notes that a solve of *kind* has cost *cost*."""
        key = provider, kind
        self._seen[key] = max(self._seen.get(key, 0), cost)
