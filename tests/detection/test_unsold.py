"""Captchas that no service answers are blocks with a name of their own, where they stand alone."""

from __future__ import annotations

import pytest

from scrapy_captcha.detection import HtmlPage, Verdict, detect

URL = "https://shop.example/item/1"
BUTTON = "<button>Continue</button>"
ALTCHA = '<altcha-widget challengeurl="/altcha"></altcha-widget>'
MCAPTCHA = (
    '<label for="mcaptcha__token">mCaptcha token <input name="mcaptcha__token"'
    ' id="mcaptcha__token"></label><div id="mcaptcha__widget-container"></div>'
)
MOSPARO = '<div id="mosparo-box"></div><script src="https://m.example/build/m.js"></script>'
PROCAPTCHA = '<div class="procaptcha" data-sitekey="5Gx"></div>'
ICONS = '<input type="hidden" name="t" value="1"><div class="iconcaptcha-widget"></div>'
SLIDER = '<img src="/captcha/1.png"><input type="range" name="angle" min="0" max="360">'
SUM = 'What is 3 + 4? <input name="captcha">'


def found(form: str, around: str = "", status: int = 200) -> tuple[Verdict, str] | None:
    html = f"<h1>One moment</h1>{around}<form method=post>{form}</form>"
    one = detect(HtmlPage(URL, html.encode(), status))
    return (one.verdict, one.name) if one else None


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (ALTCHA + BUTTON, "altcha"),
        ('<cap-widget data-cap-api-endpoint="/cap/1/"></cap-widget>' + BUTTON, "cap"),
        (MCAPTCHA + BUTTON, "mcaptcha"),
        (MOSPARO + BUTTON, "mosparo"),
        (PROCAPTCHA + BUTTON, "procaptcha"),
        (ICONS + BUTTON, "iconcaptcha"),
        (SLIDER + BUTTON, "slider_captcha"),
        (SUM + BUTTON, "text_captcha"),
        ('<canvas id="drawn"></canvas><input name="t" id="captcha">' + BUTTON, "text_captcha"),
    ],
)
def test_they_are_blocks_where_they_stand_alone(form: str, name: str) -> None:
    assert found(form) == (Verdict.BLOCK, name)
    assert found(form, status=403) == (Verdict.BLOCK, name)


@pytest.mark.parametrize("captcha", [ALTCHA, MCAPTCHA, MOSPARO, PROCAPTCHA, ICONS, SLIDER, SUM])
def test_a_page_that_asks_for_more_or_says_more_is_content(captcha: str) -> None:
    assert found('<textarea name="comment"></textarea>' + captcha + BUTTON) is None
    assert found('<input name="email">' + captcha + BUTTON) is None
    assert found(captcha + BUTTON, "It came by the evening coach. " * 40) is None


@pytest.mark.parametrize(
    "field",
    [
        '<input name="captcha" style="display:none">',
        '<input name="captcha" type="hidden">',
        '<input name="name">',
    ],
)
def test_a_field_that_asks_for_no_captcha_is_none(field: str) -> None:
    assert found(field + BUTTON) is None


def test_a_picture_that_cannot_be_read_is_no_question_in_words() -> None:
    assert found('<img src="ftp://shop.example/1"><input name="captcha">' + BUTTON) is None
