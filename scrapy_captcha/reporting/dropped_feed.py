"""The file of pages that are given up, from which a later crawl can start."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from scrapy_captcha.files import opened
from scrapy_captcha.origin import wanted_url

if TYPE_CHECKING:
    from scrapy.http import Request

logger = logging.getLogger(__name__)


class DroppedFeed:
    """Writes a line of JSON for each page, at once: ``url``, ``method``, ``reason``, ``callback``.

    *goes_on* keeps the lines that an earlier run of the same job has written.
    """

    def __init__(self, path: str, *, goes_on: bool) -> None:
        self._path = Path(path)
        self._has_failed = False
        if not goes_on:
            self._write("", "w")

    def write_line(self, request: Request, reason: str) -> None:
        """Writes the line of *request*, given up for *reason*; its URL is the spider's own."""
        line = {
            "url": wanted_url(request),
            "method": request.method,
            "reason": reason,
            "callback": getattr(request.callback, "__name__", None),
        }
        self._write(json.dumps(line) + "\n", "a")

    def _write(self, text: str, mode: Literal["w", "a"]) -> None:
        try:
            with opened(self._path, mode) as file:
                file.write(text)
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                logger.warning(
                    "CAPTCHA_DROPPED_FEED = %(path)s cannot be written (%(why)s): "
                    "write a path that can",
                    {"path": str(self._path), "why": type(error).__name__},
                )
