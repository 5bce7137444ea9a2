"""Decides which rejections are reported to the service that sold the solution.

Services close accounts that report good solutions, and a good one may be rejected because of the
way in which it is sent. So a rejection counts only if nothing else was wrong, and at a site that
has not accepted a solution yet, two rejections are required.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from scrapy_captcha.bounded import Bounded

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

T = TypeVar("T")

_KEPT = 1024  # sites with their kinds of captcha


def is_about_solution(status: int, circumstances: Collection[Hashable]) -> bool:
    """Whether a captcha that is shown again with *status* means that the solution was wrong.

    *circumstances* are the browsers and proxies that the site has seen: with its captcha, with the
    solution, and with the request for the page. There is one if none has changed.
    """
    is_broken = status == 429 or status >= 500
    return not is_broken and len(circumstances) <= 1


class Verdicts(Generic[T]):
    """Holds back the report on a solution until there is a second rejection.

    One rejection is enough for a place (a site and a kind) that has accepted the first solution of
    a page, since the way in which solutions are sent is known to work there. Sites that accept only
    later ones reject every first one.
    """

    def __init__(self) -> None:
        self._held: Bounded[T] = Bounded(_KEPT)
        self._proven: Bounded[bool] = Bounded(_KEPT)

    def prove(self, place: Hashable, *, is_first: bool) -> None:
        """*place* has accepted a solution; *is_first*: whether it was the first of its page."""
        self._held.pop(place)
        if is_first:
            self._proven.put(place, True)

    def reportable(self, place: Hashable, solution: T) -> list[T]:
        """*place* has rejected *solution*, with nothing else wrong; returns those to report now."""
        if self._proven.get(place):
            return [solution]
        held = self._held.pop(place)
        if held is not None:
            return [held, solution]
        self._held.put(place, solution)
        return []
