"""A line of a manifest is read as it was meant, or refused in words."""

from __future__ import annotations

import json

import pytest

from evaluation.labels import Label


@pytest.mark.parametrize(
    "line", ["", "[]", "[" * 9_999, "{}", '{"file": 1}', '{"file": "x", "class": "page"}']
)
def test_a_line_that_is_no_label_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Label.from_json(line)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": ["hcaptcha"]},
        {"url": 5},
        {"status": "403"},
        {"sitekeys": "6LeIxAcTAAAA"},
        {"sitekeys": [None]},
        {"headers": {"Server": 1}},
        {"headers": ["Server"]},
    ],
)
def test_a_label_that_says_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    line = json.dumps({"file": "x", "class": "block", **wrong})
    with pytest.raises(ValueError, match=f'"{next(iter(wrong))}" is .*: write '):
        Label.from_json(line)
