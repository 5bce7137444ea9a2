"""What becomes of a request before it is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError

from scrapy_captcha.origin import disown
from scrapy_captcha.state import KEY, SUBMISSION, CaptchaState, Stage

if TYPE_CHECKING:
    from scrapy.http import Request, Response

    from scrapy_captcha.crawl.borders import Borders
    from scrapy_captcha.crawl.carrier import Carrier
    from scrapy_captcha.crawl.delivery import Delivery
    from scrapy_captcha.crawl.departures import Departures
    from scrapy_captcha.crawl.inspector import Inspector
    from scrapy_captcha.crawl.outcomes import Outcomes
    from scrapy_captcha.engine.gates import Gates
    from scrapy_captcha.engine.parking import ParkingLot


class Outgoing:
    """Sends requests on their way: past their solutions, or into the parking lot."""

    def __init__(
        self,
        inspector: Inspector,
        lot: ParkingLot,
        gates: Gates,
        borders: Borders,
        delivery: Delivery,
        departures: Departures,
        carrier: Carrier,
        outcomes: Outcomes,
    ) -> None:
        self._inspector = inspector
        self._lot = lot
        self._gates = gates
        self._borders = borders
        self._delivery = delivery
        self._departures = departures
        self._carrier = carrier
        self._outcomes = outcomes

    async def dispatch(self, request: Request) -> Request | Response | None:
        """As `Handler.sent`."""
        self._lot.left(request)
        if request in self._lot:
            return await self._waited_in_place(request)
        if SUBMISSION not in request.meta:
            return await self._page_sent(request)
        stopped = self._borders.stopped(request)
        return stopped or await self._departures.routed(request, CaptchaState(), keep=True)

    async def _page_sent(self, request: Request) -> Request | Response | None:
        disown(request)
        options = self._inspector.options(request)
        state = _fetched(request)
        if state.stage is Stage.FAILED:
            raise self._outcomes.failure_of(request, state)
        if state.stage is Stage.DROPPED:
            return self._gates.drop_again(request)
        if self._borders.has_left_the_site(request, state):
            raise self._outcomes.dropped(request, "offsite")
        if state.asked and state.stage is not Stage.SUBMITTED:
            return await self._carrier.sent(request, state)
        tried_again = state.priority is not None
        page = await self._delivery.page_of(request, state, tried_again=tried_again)
        if page is not None:
            return page
        again = await self._departures.routed(request, state, keep=state.stage is Stage.SOLVED)
        return again or await self._departures.held_back(request, state, options)

    async def _waited_in_place(self, ticket: Request) -> Request:
        try:
            return await self._lot.wait_in_place(ticket)
        except CancelledError:
            raise self._outcomes.dropped(ticket, "closing") from None


def _fetched(request: Request) -> CaptchaState:
    """The state of *request*, which is fetched now."""
    state = CaptchaState.of(request.meta)
    fetched = state.to_fetched()
    if fetched is not state:
        request.meta[KEY] = fetched.to_meta()
    return fetched
