"""The lines of the log."""

from __future__ import annotations

import logging
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from scrapy import Request, Spider
from scrapy.utils.test import get_crawler

from scrapy_captcha import events
from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import Captcha, Kind
from scrapy_captcha.reporting.log import LINES, Log

if TYPE_CHECKING:
    from scrapy_captcha.events import Event

PAGE = Request("https://shop.example/1")
BOX = Captcha(Kind.TURNSTILE, PAGE.url, "key")
ERROR = SolverError(ErrorCode.UNSOLVABLE, provider="capsolver", http_status=422)
OWN = SolverError(
    ErrorCode.UNSOLVABLE, provider="capsolver", provider_code="ERROR_CAPTCHA_UNSOLVABLE"
)
UNKNOWN = SolverError(ErrorCode.UNKNOWN, provider="capsolver", provider_code="ERROR_NEW")
STOPPED = SolverError(ErrorCode.BALANCE_EMPTY, provider="capsolver", http_status=402)

SAID: list[tuple[Event, str]] = [
    (
        events.CaptchaDetected(PAGE, BOX),
        "Captcha detected (turnstile): <GET https://shop.example/1>",
    ),
    (
        events.TaskCreated(PAGE, BOX, "capsolver", ""),
        "Task - created at capsolver (turnstile): <GET https://shop.example/1>",
    ),
    (
        events.PageGivenUp(PAGE, "UNSOLVABLE", BOX, ERROR),
        (
            "Giving up on <GET https://shop.example/1>: captcha not solved (turnstile), UNSOLVABLE "
            "(capsolver, HTTP 422: not solved after several attempts)"
        ),
    ),
    (
        events.PageGivenUp(PAGE, "UNSOLVABLE", BOX, OWN),
        (
            "Giving up on <GET https://shop.example/1>: captcha not solved (turnstile), UNSOLVABLE "
            "(capsolver, ERROR_CAPTCHA_UNSOLVABLE: not solved after several attempts)"
        ),
    ),
    (
        events.PageGivenUp(PAGE, "rejected", BOX, ERROR),
        (
            "Giving up on <GET https://shop.example/1>: captcha not solved (turnstile), rejected "
            f"(capsolver: {ERROR})"
        ),
    ),
    (
        events.PurchaseRescheduled(PAGE, BOX, OWN, 2.5),
        (
            "Retrying <GET https://shop.example/1> in 2.5 s: captcha not solved (turnstile), "
            "capsolver: UNSOLVABLE (ERROR_CAPTCHA_UNSOLVABLE): not solved after several attempts"
        ),
    ),
    (
        events.PageGivenUp(PAGE, "closing"),
        (
            "Giving up on <GET https://shop.example/1>: captcha not solved, closing (the crawl ended "
            "while a solution was awaited)"
        ),
    ),
    (
        events.PageGivenUp(PAGE, "kasada"),
        "Giving up on <GET https://shop.example/1>: captcha not solved, kasada (a bot wall)",
    ),
    (
        events.PurchaseRescheduled(PAGE, BOX, ERROR, 2.5),
        (
            "Retrying <GET https://shop.example/1> in 2.5 s: captcha not solved (turnstile), "
            f"capsolver: {ERROR}"
        ),
    ),
    (
        events.BuyingStopped(STOPPED),
        (
            f"Stopped buying solutions from capsolver: {STOPPED}: top the account up. Pages with "
            "captchas are given up unless another provider is left"
        ),
    ),
    (events.BalanceKnown("capsolver", 0.1234567), "Balance at capsolver: 0.123457"),
    (events.BalanceKnown("capsolver", 0.0), "Balance at capsolver: 0.0: top the account up"),
    (
        events.SubmissionFailed(PAGE, ConnectionError("secret")),
        "Solution not sent (ConnectionError): <GET https://shop.example/1>",
    ),
    (
        events.TasksAbandoned(2, 4_000),
        (
            "Abandoned 2 tasks that were paid for as the crawl ends, 0.004: set JOBDIR to a directory, "
            "and the next run collects them"
        ),
    ),
]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    caplog.set_level(logging.DEBUG)
    return Log(get_crawler(Spider))


@pytest.mark.parametrize(("event", "line"), SAID, ids=lambda value: type(value).__name__)
def test_each_event_has_its_line(
    event: Event, line: str, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    log(event)

    assert [record.getMessage() for record in caplog.records] == [line]


def test_an_account_that_is_empty_is_a_warning(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    log(events.BalanceKnown("capsolver", 1.0))
    log(events.BalanceKnown("capsolver", 0.0))

    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]


def test_what_holds_for_a_site_is_said_once(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    for site in ("a.example", "a.example", "b.example"):
        log(events.ProxiesCoolDown(site))
        log(events.ProxiesUsedUp(site))
    for cause in (TypeError(), ValueError()):
        log(events.RequestNotSerializable(PAGE, cause))

    assert len(caplog.records) == 2 + 2 + 1


def test_an_error_of_a_call_has_a_line_where_its_name_is_new(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    for error in (UNKNOWN, UNKNOWN, ERROR):
        log(events.CallFailed(error))

    assert caplog.messages == ["Unknown error from capsolver: ERROR_NEW"]


def test_so_many_unknown_names_are_logged_and_no_more(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100):
        error = SolverError(ErrorCode.UNKNOWN, provider="odd", provider_code=f"ODD_{number}")
        log(events.CallFailed(error))

    assert len(caplog.records) == 20


def test_controls_of_a_terminal_are_escaped(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    log(events.WallDetected(PAGE, "odd\x1b[31m\u202e"))

    assert caplog.messages == ["Blocked by odd\\x1b[31m\\u202e: <GET https://shop.example/1>"]


def test_all_lines_have_what_they_name() -> None:
    """Words of lines are fields of their events, or made of them."""
    made = {"kind", "provider", "unknown", "advice", "of_kind", "meaning", "cause_type", "paid"}
    for kind, (_, line) in LINES.items():
        named = {part.partition(")")[0] for part in line.split("%(")[1:]}
        assert named <= {field.name for field in fields(kind)} | made, kind
