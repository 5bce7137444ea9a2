"""What a reader sees, as far as the markup tells."""

from __future__ import annotations

import pytest
from lxml import html  # type: ignore[import-untyped]

from scrapy_captcha.detection.reading import hides


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("hidden", True),
        ("style='display:none'", True),
        ("style='color: red; DISPLAY : None'", True),
        ("style='visibility: hidden !important'", True),
        ("style='position: absolute; left: -9999px'", True),
        ("style='top:-100px'", True),
        ("style='left: -10px'", False),
        ("style='display: block'", False),
        ("style='overflow: hidden; outline: none'", False),
        ("style='stop: -1000px'", False),
        ("style='text-decoration: none; display: none'", True),
        ("class='hidden'", False),
    ],
)
def test_attributes_hide(attributes: str, expected: bool) -> None:
    assert hides(html.fromstring(f"<p {attributes}>x</p>")) is expected
