"""Which rejections are reported to the service that sold the solution.

A service closes the accounts of those that report good solutions, and a good one may be spoilt by
the way in which it is sent. So a rejection counts only if nothing else was wrong, and at a site
where the way has not been seen to work it takes two that say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from scrapy_captcha.bounded import Bounded

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

T = TypeVar("T")

_KEPT = 1024  # sites with their kinds of captcha


def is_about_solution(status: int, circumstances: Collection[Hashable]) -> bool:
    """Whether a captcha that is shown again with *status* says anything about the solution.

    *circumstances* are the browser and the proxy that the site has seen: with its captcha, the
    solution, and the request for the page. They are one where nothing has changed.
    """
    is_broken = status == 429 or status >= 500
    return not is_broken and len(circumstances) <= 1


class Verdicts(Generic[T]):
    """Holds back the report on a solution until another rejection says the same.

    One rejection is enough at a place, a site and a kind, that has accepted the first solution for
    a page: there the way in which solutions are sent is known to work. A site that accepts later
    ones only rejects every first one, whatever it is.
    """

    def __init__(self) -> None:
        self._held: Bounded[T] = Bounded(_KEPT)
        self._proven: Bounded[bool] = Bounded(_KEPT)

    def accepted(self, place: Hashable, *, is_first: bool) -> None:
        """*place* has accepted a solution, which *is_first* for its page."""
        self._held.pop(place)
        if is_first:
            self._proven.put(place, True)

    def rejected(self, place: Hashable, solution: T) -> list[T]:
        """*place* has rejected *solution*, with nothing else wrong; those to be reported now."""
        if self._proven.get(place):
            return [solution]
        held = self._held.pop(place)
        if held is not None:
            return [held, solution]
        self._held.put(place, solution)
        return []
