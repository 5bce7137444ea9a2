"""Saved pages: their files, and a URL in place of an unknown one."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# For pages of unknown URL; no name below "invalid" can ever be in use.
UNKNOWN_URL = "https://unknown.invalid/"


def read_body(path: Path) -> bytes:
    """The page saved at *path*, decompressed if it is gzipped; raises OSError."""
    body = path.read_bytes()
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return gzip.decompress(body)
    except (EOFError, zlib.error) as error:
        raise OSError(f"{path}: {error}") from None
