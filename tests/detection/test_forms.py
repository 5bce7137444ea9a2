"""The form that comes with a captcha is the one a browser would submit."""

from __future__ import annotations

import pytest

from scrapy_captcha.detection import HtmlPage, detect
from scrapy_captcha.models import Form

URL = "https://shop.example/shop/list?page=2"
WIDGET = '<div class="h-captcha" data-sitekey="10000000-ffff-ffff-ffff-000000000001"></div>'


def form_of(html: str) -> Form | None:
    found = detect(HtmlPage(URL, html.encode()))
    assert found
    assert found.captcha
    return found.captcha.form


@pytest.mark.parametrize(
    ("attributes", "url", "method"),
    [
        ("", URL.partition("?")[0], "GET"),
        ('action="" method="post"', URL, "POST"),
        ('action="check" method=" POST "', "https://shop.example/shop/check", "POST"),
        ('action="//other.example/x#top" method="put"', "https://other.example/x", "GET"),
        (
            'action="/c?a=1" method="post" enctype="multipart/form-data"',
            "https://shop.example/c?a=1",
            "POST",
        ),
    ],
)
def test_address_and_method(attributes: str, url: str, method: str) -> None:
    assert form_of(f"<form {attributes}>{WIDGET}</form>") == Form(url, method)


def test_a_base_moves_the_action_but_not_an_empty_one() -> None:
    head = '<base href="https://cdn.example/a/">'
    moved = form_of(f'{head}<form method="post" action="b">{WIDGET}</form>')
    assert moved == Form("https://cdn.example/a/b", "POST")
    assert form_of(f'{head}<form method="post">{WIDGET}</form>') == Form(URL, "POST")


def test_fields_go_in_order_without_the_answer_and_with_the_first_button() -> None:
    form = form_of(
        f'<form method="post"><input type="hidden" name="a" value="1"><input type=hidden name="a" value="2">'
        f'{WIDGET}<textarea name="h-captcha-response"></textarea>'
        '<input type="hidden" name="off" disabled><input type="checkbox" name="no">'
        '<input type="checkbox" name="yes" checked><select name="s"><option>x<option selected>y</select>'
        '<button formaction="/pressed">Go</button><button name="second" value="2">No</button></form>'
    )
    pairs = (("a", "1"), ("a", "2"), ("yes", "on"), ("s", "y"))
    assert form == Form("https://shop.example/pressed", "POST", pairs)


@pytest.mark.parametrize(
    "attributes",
    ['action="javascript:void(0)"', 'action="mailto:x@shop.example"', 'method="dialog"'],
)
def test_forms_that_no_browser_would_send_are_none(attributes: str) -> None:
    assert form_of(f"<form {attributes}>{WIDGET}</form>") is None


def test_a_broken_address_does_no_harm() -> None:
    assert form_of(f'<form method="post" action="http://[">{WIDGET}</form>') == Form(URL, "POST")


@pytest.mark.parametrize("name", ["a\x1bb", "a\x00b", "&#27;", 'it\'s "x"'])
def test_a_form_of_any_name_is_read(name: str) -> None:
    html = f"<form method=post action=/v id='{name}'>{WIDGET}</form><input form='{name}' name=a>"
    form = form_of(html)
    assert form is not None
    assert form.url == "https://shop.example/v"


def test_big_forms_are_none() -> None:
    big = f'<input type="hidden" name="a" value="{"x" * 70_000}">'
    assert form_of(f"<form>{WIDGET}{big}</form>") is None


def test_of_several_forms_it_is_the_one_around_the_widget() -> None:
    html = (
        f'<form action="/q"><input name="q"></form><form action="/v" method="post">{WIDGET}</form>'
    )
    assert form_of(html) == Form("https://shop.example/v", "POST")
