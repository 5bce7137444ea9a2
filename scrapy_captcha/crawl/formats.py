"""Signatures of picture formats."""

from __future__ import annotations

import re

LARGEST = 1_000_000  # bytes
_SMALLEST = 24  # bytes: a header of any format, and something behind it

_BEGINNINGS = re.compile(
    rb"\x89PNG\r\n\x1a\n"
    rb"|\xff\xd8\xff"  # JPEG
    rb"|GIF8[79]a"
    rb"|RIFF.{4}WEBP"
    rb"|BM.{4}\0{4}.{3}\0.\0{3}"  # BMP: nothing reserved, a sane offset, a sane header
    rb"|(?:II\*\0|MM\0\*)"  # TIFF
    rb"|.{4}ftyp(?:avif|avis|heic|mif1)",
    re.DOTALL,
)


def is_picture(data: bytes) -> bool:
    """Whether *data* is a bitmap of a common format, at most `LARGEST` bytes.

    SVG is text and does not count.
    """
    return _SMALLEST <= len(data) <= LARGEST and _BEGINNINGS.match(data) is not None
