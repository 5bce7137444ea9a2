"""Who gets a place for a solution, and for how long."""

from __future__ import annotations

import pytest_twisted
from scrapy import Request
from scrapy.utils.test import get_crawler
from twisted.internet.defer import Deferred

from scrapy_captcha.captchas import Captcha, Kind, Solution
from scrapy_captcha.slots import Slots
from scrapy_captcha.stock import Stock

PAGE = Request("https://example.com/page")
CAPTCHA = Captcha(Kind.DATADOME, PAGE.url, "")
COOKIE = Solution({"cookie": "datadome=1"}, task_id=7)


def stock(life: float) -> Stock:
    """Of a crawl whose site gets one solution at a time."""
    return Stock(
        Slots(get_crawler()),
        life=life,
        is_doubtful=lambda _site: True,
        on_expired=lambda _name, _captcha: None,
    )


@pytest_twisted.ensureDeferred
async def test_a_request_that_never_comes_for_its_cookie_does_not_keep_others_waiting() -> None:
    """Another middleware may have dropped it."""
    shelf = stock(life=0.05)
    shelf.keep(await shelf.place(PAGE, CAPTCHA), "one", CAPTCHA, COOKIE)

    with await shelf.place(PAGE, CAPTCHA):
        pass

    late = shelf.take("one")
    assert late is not None
    assert late.solution is COOKIE
    shelf.close()


@pytest_twisted.ensureDeferred
async def test_room_that_was_given_up_is_not_given_up_again() -> None:
    shelf = stock(life=0.05)
    shelf.keep(await shelf.place(PAGE, CAPTCHA), "one", CAPTCHA, COOKIE)
    with await shelf.place(PAGE, CAPTCHA):
        taken = shelf.take("one")
        assert taken is not None
        with taken:
            pass
        third = Deferred.fromCoroutine(shelf.place(PAGE, CAPTCHA))
        assert not third.called

    with await third:
        pass
    shelf.close()
