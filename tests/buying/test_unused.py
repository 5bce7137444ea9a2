"""Who gets a place for a solution, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_twisted
from scrapy import Request
from scrapy.utils.test import get_crawler
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from scrapy_captcha.buying.unused import UnusedSolutions
from scrapy_captcha.clock import CLOCK
from scrapy_captcha.engine.download_slots import DownloadSlots
from scrapy_captcha.models import Captcha, Kind, Solution

if TYPE_CHECKING:
    import pytest

PAGE = Request("https://example.com/page")
CAPTCHA = Captcha(Kind.DATADOME, PAGE.url, "")
TOKEN = Captcha(Kind.RECAPTCHA_V2, PAGE.url, "key")
COOKIE = Solution({"cookie": "datadome=1"}, task_id=7)


def stock(life: float, *, doubtful: str = "example.com") -> UnusedSolutions:
    """Of a crawl in which the site *doubtful* gets one solution at a time."""
    return UnusedSolutions(
        DownloadSlots(get_crawler()),
        life=life,
        is_doubtful=lambda site: site == doubtful,
        on_expired=lambda _name, _captcha: None,
        on_cookies=lambda: None,
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
    shelf.cancel_timers()


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
    shelf.cancel_timers()


@pytest_twisted.ensureDeferred
async def test_the_doubt_about_a_site_holds_for_no_other_that_shares_its_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DownloadSlots, "interval", lambda _self, _request: 0.0)
    shelf = stock(life=60.0)
    slow = {"download_slot": "shared"}
    pages = [Request(f"https://{host}/", meta=slow) for host in ("example.com", "example.org")]
    with await shelf.place(pages[0], TOKEN):
        again = Deferred.fromCoroutine(shelf.place(pages[0], TOKEN))
        with await shelf.place(pages[1], TOKEN), await shelf.place(pages[1], TOKEN):
            assert not again.called

    with await again:
        pass
    shelf.cancel_timers()


@pytest_twisted.ensureDeferred
async def test_a_cookie_among_tokens_leaves_the_pace_of_their_slot_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DownloadSlots, "interval", lambda _self, _request: 20.0)
    shelf = stock(life=60.0, doubtful="")
    first = await shelf.place(PAGE, TOKEN)
    second = Deferred.fromCoroutine(shelf.place(PAGE, TOKEN))
    with await shelf.place(PAGE, CAPTCHA):
        assert not second.called
    shelf.keep(first, "one", TOKEN, Solution({"token": "t"}))
    sent = shelf.take("one")
    assert sent is not None
    with sent:
        pass

    await deferLater(CLOCK, 0.05)
    assert not second.called  # the slot sends nothing for twenty seconds
    second.addErrback(lambda failure: failure.trap(CancelledError))
    second.cancel()
    shelf.cancel_timers()


@pytest_twisted.ensureDeferred
async def test_where_nothing_was_bought_the_next_does_not_wait_for_the_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At a wall all that wait are given up, not one for each turn of the slot."""
    monkeypatch.setattr(DownloadSlots, "interval", lambda _self, _request: 20.0)
    shelf = stock(life=60.0, doubtful="")
    first = await shelf.place(PAGE, TOKEN)
    second = Deferred.fromCoroutine(shelf.place(PAGE, TOKEN))
    with first:
        pass

    with await second.addTimeout(2.0, CLOCK):
        pass
    shelf.cancel_timers()
