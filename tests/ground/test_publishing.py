"""What happens is heard by all that listen, whatever one of them does."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy_captcha.events import PagesLost
from scrapy_captcha.publishing import Events

if TYPE_CHECKING:
    import pytest

    from scrapy_captcha.events import Event


def test_listeners_hear_an_event_in_their_order() -> None:
    heard: list[tuple[str, Event]] = []
    events = Events(
        lambda event: heard.append(("first", event)), lambda event: heard.append(("second", event))
    )
    events.publish(PagesLost(3))

    assert heard == [("first", PagesLost(3)), ("second", PagesLost(3))]


def test_a_listener_that_raises_is_logged_and_harms_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def break_down(_event: Event) -> None:
        raise ZeroDivisionError

    heard: list[Event] = []
    Events(break_down, heard.append).publish(PagesLost(3))

    assert heard == [PagesLost(3)]
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "'PagesLost' could not be handled"
    assert record.exc_info
