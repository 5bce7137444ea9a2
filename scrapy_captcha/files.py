"""Files that only their owner may read: what a crawl writes may name its pages and its spending."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from pathlib import Path

_PRIVATE = 0o600


def opened(path: Path, mode: Literal["w", "a"]) -> TextIO:
    """The text file at *path*; one that is made here is for its owner only.

    Raises OSError, for a symbolic link as well: it may lead to any file of the user.
    """
    return open(path, mode, encoding="utf-8", opener=_private)


def make_private(path: Path) -> None:
    """Makes *path* a file for its owner only, empty where there is none. Raises OSError."""
    os.close(_private(path, os.O_WRONLY | os.O_CREAT))
    with suppress(OSError):  # of another user, who shares the directory
        path.chmod(_PRIVATE)


def _private(path: str | Path, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), _PRIVATE)
