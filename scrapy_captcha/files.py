"""Files that only their owner may read, since they contain URLs and the spending of a crawl."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from pathlib import Path

_PRIVATE = 0o600


def opened(path: Path, mode: Literal["w", "a"]) -> TextIO:
    """Opens the text file at *path*; a new one is readable by its owner only.

    Raises OSError, also for a symbolic link, which may lead to any file of the user.
    """
    return open(path, mode, encoding="utf-8", opener=_private)


def make_private(path: Path) -> None:
    """Makes *path* a file for its owner only, created if missing. Raises OSError."""
    os.close(_private(path, os.O_WRONLY | os.O_CREAT))
    with suppress(OSError):  # of another user, who shares the directory
        path.chmod(_PRIVATE)


def _private(path: str | Path, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), _PRIVATE)
