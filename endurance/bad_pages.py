"""Pages that are made to be slow to judge: what is nested, repeated and looked for, many times."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

LARGEST = 1_000_000  # bytes
_WIDGET = b'<div class="g-recaptcha" data-sitekey="6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"></div>'
_OPEN = (
    b"<div>",
    b"<div style='color: red; " + b"left: top: display: " * 48 + b"'>",
    b"<div class='captcha g-recaptcha' id=captcha>",
    b"<form method=post>",
    b"<form id=f><object>",
    b"<table><tr><td>",
    b"<label>",
    b"<select name=a>",
    b"<svg width=150 height=50>",
    b"<span hidden>",
    b"<p id=a data-sitekey=6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI>",
)
_LEAVES = (
    _WIDGET,
    b"<input name=captcha>",
    b"<input type=hidden name=captcha id=a class=g-recaptcha>",
    b"<input type=hidden name=a id=b>",
    b"<input form=f name=a readonly>",
    b"<input type=checkbox checked>",
    b"<textarea name=a></textarea>",
    b"<button>Go</button>",
    b"<option>a",
    b"<img src=/captcha.png>",
    b"<img src='ftp://captcha.png'>",
    b"<img src='data:image/png;base64," + b"A" * 400 + b"'>",
    b"<i style='background: url(/i?n=1)'></i>",
    b"<iframe src='/_Incapsula_Resource?SWUDNSAI='></iframe>",
    b"<script src='https://www.google.com/recaptcha/api.js?render=explicit'></script>",
    b"<p data-callback=passed></p>",
    b"<a href='/more'>robot</a>",
    b"<a-input></a-input>",
    b"<meta name=robots content=noindex>",
    b"<svg width=150 height=50 viewBox='0,0,150,50'><path></svg>",
    b"Type the characters in the picture, please. ",
)
_SCRIPTS = (
    b"grecaptcha.render('a', {sitekey: k, callback: passed});",
    b"turnstile.render(sitekey: ",
    b"document.getElementById('a').value = token;",
    b"a = document.querySelector('#a'); a.value = token;",
    b"function passed(a) { passed(passed); ",
    b"hcaptcha.execute(a, b, c, ",
    b"const k = 'x'; ",
    b"self.__next_f.push([",
    b"\\\"'",
    b"a=(a (a ",
    b"_cf_chl_opt = {cType: 'managed', ",
    b"var dd={'rt':'c','host':'geo.captcha-delivery.com'}; ",
    b"gokuProps = {key: '",
    b" " * 50,
)


def bad_page(random: Random) -> bytes:
    """At most `LARGEST` bytes of HTML in two to six layers; every one is judged, not left alone."""
    layers = [random.choice((_nested, _repeated, _scripts)) for _ in range(random.randint(2, 6))]
    return (b"<!-- captcha -->" + b"".join(layer(random) for layer in layers))[:LARGEST]


def _nested(random: Random) -> bytes:
    some = random.sample(_OPEN, random.randint(1, 3))
    return b"".join(some) * random.choice((3, 60, 240, 2_000, 6_000))


def _repeated(random: Random) -> bytes:
    some = random.sample(_LEAVES, random.randint(1, 4))
    return b"".join(some) * random.choice((1, 20, 200, 2_000, 5_000))


def _scripts(random: Random) -> bytes:
    some = b"".join(random.sample(_SCRIPTS, random.randint(1, 4)))
    one = b"<script>" + some * random.choice((1, 40, 1_000, 8_000)) + b"</script>"
    return one * random.choice((1, 1, 5))
