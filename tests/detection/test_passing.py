"""What a script does after a captcha tells a wall from an application that happens to hold one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scrapy_captcha.detection import MAX_SIZE, Document, HtmlPage, Verdict, detect
from scrapy_captcha.detection.passing import leads_on

if TYPE_CHECKING:
    from scrapy_captcha.detection import Detection

URL = "https://shop.example/"
KEY = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
V3 = f"""<p>Out of order.</p>
<script src="https://www.google.com/recaptcha/api.js?render={KEY}"></script>
<script>grecaptcha.execute("{KEY}").then(%s);</script>"""


def script(text: str, body: str = "") -> Document:
    markup = f"<html><body>{body}<script>{text}</script></body></html>"
    return Document(HtmlPage(URL, markup.encode()), MAX_SIZE)


def third(callback: str, status: int) -> Detection | None:
    return detect(HtmlPage(URL, (V3 % callback).encode(), status))


@pytest.mark.parametrize(
    "text",
    [
        "turnstile.render('#a', {callback: function (token) { location.href = '/?t=' + token; }});",
        "turnstile.render('#a', {callback: passed}); function passed(token) { location.reload(); }",
        "grecaptcha.execute('key').then(passed); function passed(token) { document.f.submit(); }",
        "ready(async () => { await grecaptcha.execute('key'); document.forms[0].submit(); });",
        "turnstile.render('#a', {callback: t => send(t)}); function send(t) { form.submit(); }",
        "hcaptcha.render('a', {callback: one}); function one() { two(); }; two = () => { f.submit() }",
        "initGeetest(given, handler); var handler = function (box) { location.replace('/'); };",
        "let done = token => { window.location = '/' }; smartCaptcha.render(box, {callback: done});",
        "const given = {callback(token) { location.assign('/'); }}; turnstile.render('#a', given);",
        "e.setConfig({onCompleted: (r) => { say(') }'); form.requestSubmit(); }});",
    ],
)
def test_a_callback_may_stand_in_the_call_after_it_or_elsewhere(text: str) -> None:
    assert leads_on(script(text))


@pytest.mark.parametrize(
    "text",
    [
        "if (top !== self) { top.location = self.location; }",
        "function begin() { turnstile.render('#a', {callback: keep}); } location.href = '/new';",
        "turnstile.render('#a', {callback: keep}); }; function other() { location.reload(); }",
        "function passed() { location.reload(); }",
        "(() => hcaptcha.render('a', {callback: t => { if(t) keep(t) }}))(); if(x) { f.submit(); }",
        "hcaptcha.render('a', {callback: function (t) { if (location.href == '/') { keep(t); } }});",
        "",
    ],
)
def test_what_the_rest_of_the_script_does_is_no_matter(text: str) -> None:
    assert not leads_on(script(text))


@pytest.mark.parametrize("name", ["passed", "window.passed", "wall.passed"])
def test_an_element_may_name_the_callback(name: str) -> None:
    text = "passed = function () { document.getElementById('f').submit(); }"
    assert leads_on(script(text, f'<div class="h-captcha" data-callback="{name}"></div>'))
    assert not leads_on(script(text, '<div class="h-captcha" data-callback="p*ed"></div>'))


@pytest.mark.parametrize("status", [200, 403, 429, 503])
def test_a_score_that_the_page_does_not_wait_for_is_nothing_whatever_the_status(
    status: int,
) -> None:
    assert third("function (token) { score = token; }", status) is None
    found = third("function (token) { location.href = '/?t=' + token; }", status)
    assert found
    assert found.verdict is Verdict.CHALLENGE


def test_code_behind_the_data_of_a_framework_is_read() -> None:
    data = 'window.__STATE__ = {text: "turnstile.render({callback: () => { location.reload(); }})"}'
    assert not leads_on(script(data))
    assert not leads_on(script(f"{data}; turnstile.render('#a', {{callback: keep}});"))
    assert leads_on(script(f"{data}; turnstile.render('#a', {{callback() {{ form.submit(); }}}});"))
