"""Pages that are fetched again: at once, or after a wait in the parking lot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.origin import post_again, to_be_tried_again

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from scrapy.http import Request

    from scrapy_captcha.engine.gates import Gates
    from scrapy_captcha.engine.parking import ParkingLot
    from scrapy_captcha.requests import Wait
    from scrapy_captcha.state import CaptchaState


class Detours:
    """Makes the requests to send back; *priority_adjust* is ``REDIRECT_PRIORITY_ADJUST``."""

    def __init__(self, lot: ParkingLot, gates: Gates, priority_adjust: int) -> None:
        self._lot = lot
        self._gates = gates
        self._priority_adjust = priority_adjust

    def again(self, request: Request) -> Request:
        """The request that the spider meant with *request*, as it is fetched again."""
        is_gate = self._gates.is_of_pages(request)
        return to_be_tried_again(request, priority_adjust=self._priority_adjust, is_gate=is_gate)

    def parked(self, request: Request, state: CaptchaState, wait: Wait) -> Awaitable[Request]:
        """The same, after *wait*; *state* is that of *request*."""
        return self._lot.ticket(self.again(request), wait, leads=bool(state.leads))

    def post_again(self, request: Request) -> Request:
        """The POST that a redirect has led to *request*, which is no page of its result."""
        return post_again(request, priority_adjust=self._priority_adjust)
