"""A wall says little and leads nowhere else; without a form it needs another sign."""

from __future__ import annotations

import pytest

from scrapy_captcha.detection import HtmlPage, Verdict, detect

URL = "https://shop.example/"
WIDGET = '<div class="h-captcha" data-sitekey="10000000-ffff-ffff-ffff-000000000001"></div>'
FORM = f'<form method="post">{WIDGET}</form>'
NOINDEX = '<meta name="robots" content="noindex">'


def verdict(
    markup: str, status: int | None = None, url: str = URL, wanted: str | None = None
) -> Verdict | None:
    found = detect(HtmlPage(url, f"<html>{markup}</html>".encode(), status), wanted=wanted)
    return found.verdict if found else None


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("<p>" + "x" * 1000, Verdict.CHALLENGE),
        ("<p>" + "x" * 1001, Verdict.WIDGET),
        ('<a href="/more">x</a>' * 5, Verdict.CHALLENGE),
        ('<a href="/more">x</a>' * 6, Verdict.WIDGET),
        ('<a href="#top">x</a>' * 6, Verdict.CHALLENGE),
    ],
)
def test_text_and_links_beyond_a_limit_are_content(rest: str, expected: Verdict) -> None:
    assert verdict(FORM + rest) is expected


LINKS = '<a href="/more">x</a>' * 6
SEARCH = '<form><input name="q"></form>'
PASSING = FORM.replace("data-s", "data-callback='passed' data-s")
PASSED = "<script>function passed() { document.forms[0].submit() }</script>"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (LINKS, Verdict.CHALLENGE),
        (LINKS * 10, Verdict.CHALLENGE),
        (LINKS * 10 + LINKS, Verdict.WIDGET),
        (SEARCH, Verdict.CHALLENGE),
        (SEARCH.replace("q", "address"), Verdict.WIDGET),
        (SEARCH.replace("<form>", '<form method="post">'), Verdict.WIDGET),
        (SEARCH.replace("</form>", "<textarea></textarea></form>"), Verdict.WIDGET),
        (SEARCH.replace('name="q"', 'type="search"'), Verdict.CHALLENGE),
        (SEARCH + "<input name=q>", Verdict.WIDGET),
        ("<p>" + "x" * 1000 + LINKS, Verdict.WIDGET),
    ],
)
def test_the_layout_around_a_wall_may_lead_elsewhere_and_search(
    rest: str, expected: Verdict
) -> None:
    assert verdict(PASSING + PASSED + rest) is expected
    assert verdict(FORM + rest, 200) is Verdict.WIDGET


def test_a_captcha_that_nobody_sees_is_no_wall_in_a_layout() -> None:
    unseen = PASSING.replace("data-s", "data-size='invisible' data-s")
    assert verdict(unseen + PASSED) is Verdict.CHALLENGE
    assert verdict(unseen + PASSED + LINKS) is Verdict.WIDGET


@pytest.mark.parametrize(
    ("markup", "status", "expected"),
    [
        (f"<p>Wait.</p>{WIDGET}", 200, Verdict.WIDGET),
        (f"<p>Wait.</p>{WIDGET}", 403, Verdict.CHALLENGE),
        (f"{NOINDEX}<p>Wait.</p>{WIDGET}", None, Verdict.CHALLENGE),
        (f"{NOINDEX}{WIDGET}", 403, Verdict.WIDGET),
    ],
)
def test_a_page_without_a_form_refuses_or_hides_and_says_something(
    markup: str, status: int | None, expected: Verdict
) -> None:
    assert verdict(markup, status) is expected


@pytest.mark.parametrize(
    "field",
    [
        '<div role="textbox"></div>',
        "<div contenteditable></div>",
        "<v-text-field></v-text-field>",
        "<el-input></el-input>",
    ],
)
def test_fields_of_other_kinds_ask_as_well(field: str) -> None:
    assert verdict(FORM + field) is Verdict.WIDGET
    assert verdict(FORM + f"<div hidden>{field}</div>") is Verdict.CHALLENGE
    assert verdict(FORM + "<my-footer></my-footer>") is Verdict.CHALLENGE


@pytest.mark.parametrize(
    ("address", "value", "expected"),
    [
        ("books?page=2", "/books?page=2", Verdict.CHALLENGE),
        ("books", "https://shop.example/books", Verdict.CHALLENGE),
        ("gate?to=%2Fbooks", "/books", Verdict.CHALLENGE),
        ("books", "/pens", Verdict.WIDGET),
        ("gate?in=books", "books", Verdict.WIDGET),
        ("", "/", Verdict.WIDGET),
        ("", URL, Verdict.WIDGET),
    ],
)
def test_a_wall_in_a_layout_may_return_to_the_page_that_was_asked_for(
    address: str, value: str, expected: Verdict
) -> None:
    back = f'<form method="post">{WIDGET}<input type="hidden" name="to" value="{value}"></form>'
    assert verdict(LINKS + back, 200, URL + address) is expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("", Verdict.CHALLENGE),
        ("?ask=1", Verdict.CHALLENGE),
        ("/books", Verdict.CHALLENGE),
        ("/cart/add", Verdict.WIDGET),
    ],
)
def test_a_form_in_a_layout_that_does_something_elsewhere_is_no_wall(
    action: str, expected: Verdict
) -> None:
    fields = '<input type="hidden" name="to" value="/books">'
    form = f'<form method="post" action="{action}">{WIDGET}{fields}</form>'
    assert verdict(LINKS + form, 200, URL + "books") is expected


NEWSLETTER = '<form method="post"><input type="email" name="mail"><button>Go</button></form>'
TEXT = "<p>" + "x" * 1200
GATE = "https://shop.example/gate"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (LINKS * 13, Verdict.CHALLENGE),
        (LINKS * 34, Verdict.WIDGET),
        (TEXT, Verdict.CHALLENGE),
        (TEXT * 3, Verdict.WIDGET),
        (SEARCH, Verdict.CHALLENGE),
        (NEWSLETTER, Verdict.CHALLENGE),
        ("<input name=q>", Verdict.CHALLENGE),
        (NEWSLETTER + TEXT + SEARCH + LINKS * 13, Verdict.CHALLENGE),
    ],
)
def test_around_a_form_that_stands_instead_of_the_page_there_may_be_a_layout(
    rest: str, expected: Verdict
) -> None:
    for status in (401, 403, 429, 503):
        assert verdict(FORM + rest, status) is expected
    assert verdict(FORM + rest, 200, GATE, wanted=URL + "item/1") is expected
    assert verdict(FORM + rest, 200, GATE, wanted=GATE) is Verdict.WIDGET


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("<select name=a><option>1<option>2</select>", Verdict.CHALLENGE),
        ("<select name=a><optgroup><option value=1>x</optgroup></select>", Verdict.CHALLENGE),
        ('<select name=a><option value="">?<option selected>2</select>', Verdict.CHALLENGE),
        ('<select name=a><option value="">Which?<option>2</select>', Verdict.WIDGET),
        ("<select name=a></select>", Verdict.WIDGET),
        ("<input type=checkbox name=a checked>", Verdict.CHALLENGE),
        ("<input type=checkbox name=a>", Verdict.CHALLENGE),
        ("<input type=checkbox name=a required>", Verdict.WIDGET),
        ("<input type=radio name=a>", Verdict.WIDGET),
        ("<input name=a readonly value=b>", Verdict.CHALLENGE),
        ("<input name=a disabled>", Verdict.CHALLENGE),
        ("<input name=a>", Verdict.WIDGET),
        ("<input type=password name=a>", Verdict.WIDGET),
        ("<textarea name=a></textarea>", Verdict.WIDGET),
    ],
)
def test_the_own_form_of_a_captcha_may_choose_but_not_ask(field: str, expected: Verdict) -> None:
    form = FORM.replace("</form>", f"{field}</form>")
    assert verdict(form, 403) is expected
    assert verdict(form, 200, GATE, wanted=URL + "item/1") is expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("https://shop.example/item/1", Verdict.CHALLENGE),
        ("https://shop.example/", Verdict.CHALLENGE),
        ("https://other.example/a", Verdict.CHALLENGE),
        (None, Verdict.WIDGET),
        ("http://[", Verdict.WIDGET),
        ("http://www.shop.example/A/", Verdict.WIDGET),
        ("https://shop.example/a?b=1#c", Verdict.WIDGET),
        ("https://shop.example/a/index.html", Verdict.WIDGET),
        ("https://shop.example/en-gb/a", Verdict.WIDGET),
    ],
)
def test_a_redirect_to_the_same_page_says_nothing(wanted: str | None, expected: Verdict) -> None:
    assert verdict(FORM + NEWSLETTER, 200, URL + "a", wanted) is expected


def test_a_title_that_a_redirect_adds_to_the_address_makes_no_other_page() -> None:
    page, url = FORM + NEWSLETTER, URL + "item/17-chair"
    assert verdict(page, 200, url, URL + "item/17") is Verdict.WIDGET
    assert verdict(page, 200, url, URL + "item/1") is Verdict.CHALLENGE
