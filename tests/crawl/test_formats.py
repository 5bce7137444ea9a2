"""What counts as a picture."""

from __future__ import annotations

import pytest

from scrapy_captcha.crawl.formats import LARGEST, is_picture

REST = bytes(100)
BMP = b"BM\x9a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0" + REST
PICTURES = [
    b"\x89PNG\r\n\x1a\n" + REST,
    b"\xff\xd8\xff\xe0" + REST,
    b"GIF87a" + REST,
    b"GIF89a" + REST,
    b"RIFF\0\0\0\0WEBPVP8 " + REST,
    BMP,
    b"II*\0" + REST,
    b"MM\0*" + REST,
    b"\0\0\0\x20ftypavif" + REST,
]
OTHERS = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"<!doctype html><title>Your account</title>" + REST,
    b'<svg xmlns="http://www.w3.org/2000/svg"/>' + REST,
    b"BMW dealers, and the passwords of them all",
    b"{'AccessKeyId': 'AKIA', 'SecretAccessKey': 'secret'}",
    b" GIF89a" + REST,
    b"GIF89a" + bytes(LARGEST),
]


@pytest.mark.parametrize("data", PICTURES, ids=lambda data: repr(data[:8]))
def test_bitmaps_are_pictures(data: bytes) -> None:
    assert is_picture(data)


@pytest.mark.parametrize("data", OTHERS, ids=lambda data: repr(data[:8]))
def test_anything_else_is_none(data: bytes) -> None:
    assert not is_picture(data)
