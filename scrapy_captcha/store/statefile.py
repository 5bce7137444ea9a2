"""A small JSON file that is replaced as a whole: for state that outlives a run."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scrapy_captcha.files import opened

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)


class StateFile:
    """Keeps one JSON object at *path*. Errors are logged once, and not raised.

    *unread* is the consequence of a damaged file for that log line, *unwritten* that of a file that
    cannot be written.
    """

    def __init__(
        self,
        path: Path,
        unread: str = "what earlier runs spent is not known, the limits begin anew",
        unwritten: str = "the limits begin anew in the next run",
    ) -> None:
        self._path = path
        self._unread = unread
        self._unwritten = unwritten
        self._has_failed = False

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last; None if there is none, or none that can be read."""
        try:
            state = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            state = None
        if not isinstance(state, dict):
            self.damaged()
            return None
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replaces the file by *state*, as a whole or not at all."""
        beside = self._path.with_suffix(".new")
        try:
            with suppress(FileNotFoundError):
                beside.unlink()  # of a run that was killed, or a link
            with opened(beside, "w") as file:
                file.write(json.dumps(state))
            beside.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            self._warn(f"cannot be written ({type(error).__name__}): {self._unwritten}")

    def damaged(self) -> None:
        """Logs that the loaded state is of no use."""
        self._warn(f"is damaged: {self._unread}")

    def _warn(self, what: str) -> None:
        if not self._has_failed:
            self._has_failed = True
            logger.warning("%(path)s %(what)s", {"path": self._path, "what": what})
