"""What others wrote is shown on one line, and with nothing that a terminal obeys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrapy_captcha.detection import Detection, Verdict
from scrapy_captcha.text import printable, word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ünïcode 验证码 100%", "Ünïcode 验证码 100%"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[31mred\x9b", r"\x1b[31mred\x9b"),
        ("\u202egnp.exe\u2066\u200b", r"\u202egnp.exe\u2066\u200b"),
        ("\u2028\ud800", r"\u2028\ud800"),
    ],
)
def test_controls_and_marks_are_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected


@given(st.text(max_size=50), st.integers(1, 60))
def test_whatever_it_was_it_can_be_shown(text: str, longest: int) -> None:
    shown = printable(text, longest)
    assert shown.isprintable()
    assert len(shown) <= 10 * longest


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cloudflare_ban", "cloudflare_ban"),
        ("100% blocked", "100_blocked"),
        ("my/wall\n", "my_wall"),
        ("\x1b[31m\u202e", "31m"),
        ("%(secret)s", "secret_s"),
        ("", "unnamed"),
        ("验证码", "unnamed"),
        (None, "None"),
        ("x" * 10_000, "x" * 64),
    ],
)
def test_names_become_words(name: object, expected: str) -> None:
    assert word(name) == expected


def test_a_detection_has_a_name_and_evidence_that_can_be_shown() -> None:
    evidence = ("it says \x1b[2J", "x" * 10_000)
    found = Detection(Verdict.BLOCK, "100% blocked", None, evidence, 1.0)
    assert found.name == "100_blocked"
    assert found.evidence == (r"it says \x1b[2J", "x" * 199 + "…")
