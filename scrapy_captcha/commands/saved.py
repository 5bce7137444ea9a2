"""Saved pages."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Of pages that nobody knows the URL of; no name can ever be in use below "invalid".
UNKNOWN_URL = "https://unknown.invalid/"


def read_body(path: Path) -> bytes:
    """The page saved at *path*, decompressed where it is gzipped; raises OSError."""
    body = path.read_bytes()
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return gzip.decompress(body)
    except (EOFError, zlib.error) as error:
        raise OSError(f"{path}: {error}") from None
