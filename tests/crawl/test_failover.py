"""What goes on through another proxy when its own has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from scrapy import Request
from scrapy.http.request import NO_CALLBACK
from twisted.internet.error import ConnectionRefusedError as Refused

from scrapy_captcha.crawl.failover import Failover
from scrapy_captcha.proxy import Proxy
from scrapy_captcha.publishing import Events
from scrapy_captcha.sessions.routing import Sessions
from scrapy_captcha.state import SUBMISSION

if TYPE_CHECKING:
    from scrapy_captcha.sessions.single_flight import SingleFlight

POOL = tuple(Proxy.parse(f"http://proxy{n}.example:8080") for n in range(3))


class Ignoring:
    """Takes all that is said to it."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_kwargs: None


@pytest.mark.parametrize(
    ("meta", "callback", "goes_on"),
    [
        ({}, None, True),
        ({"captcha": False}, None, True),
        ({}, NO_CALLBACK, True),
        ({"captcha": False}, NO_CALLBACK, False),  # a picture
        ({SUBMISSION: True}, None, False),
    ],
)
def test_a_page_goes_on_elsewhere_and_what_belongs_to_its_session_does_not(
    meta: dict[str, Any], callback: Any, goes_on: bool
) -> None:
    sessions = Sessions(POOL, lambda: 0.0)
    failover = Failover(sessions, cast("SingleFlight", Ignoring()), Events())
    request = Request("https://shop.example/1", meta=meta, callback=callback)
    assert sessions.equip(request, keep_proxy=False)

    again = failover.after_exception(request, Refused())

    assert (again is not None) == goes_on
    later = Request("https://shop.example/2")
    sessions.equip(later, keep_proxy=False)
    assert later.meta["proxy"] != request.meta["proxy"]
