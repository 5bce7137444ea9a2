"""The answer goes into the field that the page's script puts it into."""

from __future__ import annotations

import pytest

from scrapy_captcha.detection import HtmlPage, detect

KEY = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
WIDGET = f'<div class="g-recaptcha" data-sitekey="{KEY}" data-callback="passed"></div>'
FIELDS = (
    '<input type="hidden" name="stamp" id="stamp">'
    '<input type="hidden" name="form[answer]" id="answer" class="a token-field" data-to="x y">'
)


def field_of(script: str, fields: str = FIELDS, widget: str = WIDGET) -> str | None:
    html = f"<form method=post id=f>{widget}{fields}</form><script>{script}</script>"
    found = detect(HtmlPage("https://shop.example/", html.encode()))
    assert found
    assert found.captcha
    return found.captcha.answer_field


@pytest.mark.parametrize(
    "script",
    [
        "document.getElementById('answer').value = token",
        'document.getElementById("answer").setAttribute("value", token)',
        "document.querySelector('#answer').value=token",
        "document.querySelector('form#f input.token-field').value = token",
        "document.querySelector('[name=\"form[answer]\"]').value = response;",
        "document.getElementsByName('form[answer]')[0].value = token",
        "document.getElementsByClassName('token-field')[0].value = token",
        "$('#answer').val(token)",
        "jQuery('.token-field').attr('value', token)",
        "$(\"input[name='form[answer]']\").first().val(data.token)",
        "var x = document.getElementById('answer'); function passed(t) { x.value = t }",
        "x = document.querySelector('#answer');\nx.value = await grecaptcha.execute('k')",
        "document.querySelectorAll('.token-field').forEach(function (one) { one.value = token })",
        "document.forms[0].answer.value = token",
        "document.forms['f'].elements['answer'].value = token",
        (
            "document.getElementById('stamp').value = Date.now();"
            "document.getElementById('answer').value = token"
        ),
        (
            "document.getElementById('stamp').value = referrer;"
            "document.getElementById('answer').value = token"
        ),
    ],
)
def test_a_script_says_by_id_name_class_or_variable(script: str) -> None:
    assert field_of(script) == "form[answer]"


@pytest.mark.parametrize(
    "script",
    [
        "",
        "document.getElementById('answer').value == token",
        "document.getElementById('answer').value = 'token'",
        "document.getElementById('answer').value = new Date()",
        "document.getElementById('other').value = token",
        "document.getElementById('answer').title = token",
        "var token = document.getElementById('answer').value",
        "other.value = t",
    ],
)
def test_what_is_no_answer_names_no_field(script: str) -> None:
    assert field_of(script) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ('<input type="hidden" name="a" id="answer" value="">', "a"),
        ('<input type="hidden" name="a" id="answer" value="set">', None),
        ('<input type="hidden" id="answer">', None),
        ('<input name="a" id="answer" style="display: none">', "a"),
        ('<textarea name="a" id="answer" hidden></textarea>', "a"),
    ],
)
def test_the_field_has_a_name_is_empty_and_asks_no_reader(
    fields: str, expected: str | None
) -> None:
    assert field_of("document.getElementById('answer').value = token", fields) == expected


@pytest.mark.parametrize(
    ("widget", "expected"),
    [
        (
            f'<input type="hidden" name="captcha" class="g-recaptcha" data-sitekey="{KEY}">',
            "captcha",
        ),
        (f'<input type="hidden" class="g-recaptcha" data-sitekey="{KEY}">', None),
        (f'<input type="submit" name="go" class="g-recaptcha" data-sitekey="{KEY}">', None),
    ],
)
def test_a_widget_that_is_a_hidden_field_is_that_of_its_answer(
    widget: str, expected: str | None
) -> None:
    assert field_of("", "", widget) == expected
