"""The steps of a command, printed as they happen."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING

from scrapy_captcha.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

_OFTEN = 10.0  # seconds between two lines about waiting, if they cannot replace each other


class StepPrinter:
    """Writes a line for each step, after the seconds since the beginning.

    Between two steps, `tick` shows that the command still waits: in place if *out* is a terminal.
    """

    def __init__(self, out: TextIO = sys.stdout, now: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._now = now
        self._begun = self._last = now()
        self._is_ticking = False

    def tell(self, words: str) -> None:
        """Writes the line of a step."""
        self._clear()
        self._write(f"{self._elapsed():7.1f}  {printable(words)}\n")
        self._last = self._now()

    def tick(self) -> None:
        """Shows that no step has come for about a second."""
        if self._out.isatty():
            self._clear()
            self._is_ticking = True
            self._write(f"{self._elapsed():7.1f}  waiting")
        elif self._now() - self._last >= _OFTEN:
            self.tell("waiting")

    def _clear(self) -> None:
        if self._is_ticking:
            self._is_ticking = False
            self._write("\r\x1b[K")

    def _elapsed(self) -> float:
        return self._now() - self._begun

    def _write(self, text: str) -> None:
        encoding = self._out.encoding or "ascii"
        self._out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._out.flush()


class LogSteps(logging.Handler):
    """Writes the lines of a log about one request as steps, without its name in each."""

    def __init__(self, steps: StepPrinter) -> None:
        super().__init__()
        self._steps = steps

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line of *record*."""
        words = record.args if isinstance(record.args, dict) else {}
        request, text = words.get("request"), record.getMessage()
        for part in (f": {request}", f" on {request}", f" {request}"):
            text = text.replace(part, "")
        self._steps.tell(text)
