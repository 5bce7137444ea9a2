"""Signals of a crawl, as other components receive them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest_twisted
from crawling import crawl, sandbox

from scrapy_captcha import Captcha, ErrorCode, signals
from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from crawling import Visitor
    from scrapy.crawler import Crawler
    from scrapy.http import Request
    from typing_extensions import Self

NAMES = [name for name in signals.__all__ if name != "proxy_refused"]


class Alarm:
    """An extension that notes what it receives."""

    received: list[tuple[str, dict[str, Any]]]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        alarm = cls()
        cls.received = []
        for name in NAMES:
            crawler.signals.connect(alarm.receiver(name), signal=getattr(signals, name), weak=False)
        return alarm

    def receiver(self, name: str) -> Any:
        def receive(spider: Visitor, signal: object, sender: Crawler, **given: Any) -> None:
            self.received.append((name, given))
            raise ZeroDivisionError  # harms nothing

        return receive


SETTINGS = {"EXTENSIONS": {Alarm: 500}, "CAPTCHA_SCOPE": "page", "LOG_LEVEL": "CRITICAL"}


def path(request: Request) -> str:
    return "/" + request.url.split("/", 3)[3]


@pytest_twisted.ensureDeferred
async def test_a_captcha_is_detected_solved_and_accepted() -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, ["/page/1"], SETTINGS)

    assert crawled.paths == ["/page/1"]
    names = [name for name, _ in Alarm.received]
    assert names == ["captcha_detected", "captcha_solved", "solution_accepted"]
    assert {path(given["request"]) for _, given in Alarm.received} == {"/page/1"}
    assert isinstance(Alarm.received[0][1]["captcha"], Captcha)


@pytest_twisted.ensureDeferred
async def test_a_solution_is_rejected_and_the_page_given_up() -> None:
    settings = SETTINGS | {"CAPTCHA_RETRY_TIMES": 1}
    async with sandbox(guard=Guard(mode=Mode.WALL)) as running:
        crawled = await crawl(running, ["/page/1"], settings)

    assert crawled.reasons == ["rejected"]
    given = dict(Alarm.received)
    assert given["solution_rejected"]["name"] == "recaptcha_v2"
    assert given["captcha_given_up"]["reason"] == "rejected"


@pytest_twisted.ensureDeferred
async def test_buying_stops_once_for_an_account_that_is_empty() -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        running.solver.script(Answer("createTask", error="BALANCE_EMPTY", times=None))
        await crawl(running, ["/page/1", "/page/2"], SETTINGS)

    stopped = [given for name, given in Alarm.received if name == "buying_stopped"]
    assert stopped == [{"provider": "unified", "code": ErrorCode.BALANCE_EMPTY}]
    assert [name for name, _ in Alarm.received].count("captcha_given_up") == 2
