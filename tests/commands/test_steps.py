from __future__ import annotations

import io
import logging

from scrapy import Request

from scrapy_captcha.commands.steps import LogSteps, StepPrinter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_steps_are_lines_with_the_seconds_since_the_beginning() -> None:
    out, clock = io.StringIO(), Clock()
    steps = StepPrinter(out, clock)
    steps.tell("fetched")
    clock.now += 12.34
    steps.tell("solved")

    assert out.getvalue() == "    0.0  fetched\n   12.3  solved\n"


def test_on_a_terminal_waiting_is_one_line_that_the_next_step_replaces() -> None:
    out, clock = Terminal(), Clock()
    steps = StepPrinter(out, clock)
    for _ in range(2):
        clock.now += 1
        steps.tick()
    steps.tell("solved")

    first, second, solved = out.getvalue().split("\r\x1b[K")
    assert (first, second) == ("    1.0  waiting", "    2.0  waiting")
    assert solved == "    2.0  solved\n"


def test_elsewhere_waiting_is_a_line_now_and_then() -> None:
    out, clock = io.StringIO(), Clock()
    steps = StepPrinter(out, clock)
    for _ in range(25):
        clock.now += 1
        steps.tick()

    assert out.getvalue() == "   10.0  waiting\n   20.0  waiting\n"


def test_lines_of_the_log_are_told_without_their_request() -> None:
    out = io.StringIO()
    logger = logging.getLogger("test_steps")
    logger.addHandler(LogSteps(StepPrinter(out, Clock())))
    words = {"kind": "hcaptcha", "request": Request("https://shop.example/")}
    logger.warning("Captcha detected (%(kind)s): %(request)s", words)
    logger.warning("Giving up on %(request)s: captcha not solved", words)
    logger.warning("Retrying %(request)s in 2.0 s: captcha not solved", words)
    logger.warning("No proxy is left")

    assert [line[9:] for line in out.getvalue().splitlines()] == [
        "Captcha detected (hcaptcha)",
        "Giving up: captcha not solved",
        "Retrying in 2.0 s: captcha not solved",
        "No proxy is left",
    ]
