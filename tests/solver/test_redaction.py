"""A text in which a service echoes a secret is not shown at all; others are shown harmlessly."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapy_captcha.solver.redaction import scrub

KEY = "k3y/9f8e+7d6c5b4a=="


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"key {KEY} not found",
        f"KEY {KEY.upper()}",
        f"key {KEY[:6]}… not found",
        f"key …{KEY[-6:]} not found",
        f"key {KEY[4:12]} not found",
        f"https://api.example/?key={quote(KEY, safe='')}",
        f"https://api.example/?key={quote(KEY, safe='').lower()}",
        f"token {b64encode(KEY.encode()).decode()}",
        f"token {b64encode(KEY.encode()).decode().rstrip('=')}",
    ],
)
def test_a_text_that_holds_the_key_in_whole_or_part_is_emptied(text: str) -> None:
    assert scrub(text, [KEY]) == ""


@pytest.mark.parametrize("login", ["", "u", "us"])
def test_a_key_inside_basic_credentials_is_found_wherever_it_begins(login: str) -> None:
    credentials = b64encode(f"{login}:{KEY}".encode()).decode()
    assert scrub(f"Authorization: Basic {credentials}", [KEY]) == ""


def test_a_short_secret_is_looked_for_as_a_whole() -> None:
    assert scrub("proxy login joe refused", ["joe"]) == ""
    assert scrub("proxy login jo refused", ["joe"]) == "proxy login jo refused"


def test_each_of_several_secrets_is_looked_for() -> None:
    assert scrub("user hunter22 refused", [KEY, "hunter22"]) == ""


def test_five_characters_of_a_long_secret_may_be_chance() -> None:
    assert scrub(f"code {KEY[:5]}", [KEY]) == f"code {KEY[:5]}"


@pytest.mark.parametrize("secrets", [[], [""], [KEY]])
def test_a_harmless_text_stays(secrets: list[str]) -> None:
    assert scrub("No workers available; try again later", secrets) == (
        "No workers available; try again later"
    )


@pytest.mark.parametrize(
    "text",
    ["a\r\nb", "a\x1b[31mb", "a\x00b", "a\u2028b", "a\u202eb", "caf\u00e9", "\udc80", "\U0001f600"],
)
def test_what_a_terminal_or_a_log_could_take_amiss_is_escaped(text: str) -> None:
    shown = scrub(text, [KEY])
    assert shown
    assert shown.isascii()
    assert shown.isprintable()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)
@pytest.mark.thorough
@given(text=st.text(max_size=50), before=st.text(max_size=10))
def test_no_text_shows_a_secret_or_a_control_character(text: str, before: str) -> None:
    shown = scrub(text, [KEY])
    assert shown == "" or (shown.isascii() and shown.isprintable())
    assert scrub(before + KEY + text, [KEY]) == ""
