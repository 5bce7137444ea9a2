"""What a user says about the captcha of a page wins over what the page shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scrapy_captcha.detection import (
    MAX_SIZE,
    Declared,
    Document,
    HtmlPage,
    Verdict,
    answered_in,
    contained,
    detect,
)
from scrapy_captcha.models import Form, Kind

if TYPE_CHECKING:
    from scrapy_captcha.detection import Detection

PAGES = Path(__file__).parents[1] / "pages"
URL = "https://shop.example/catalogue"
SAID = Declared(Kind.FUNCAPTCHA, "A-KEY")
# Its script comes from elsewhere: neither kind nor key can be seen.
OWN_WALL = b"""<title>One moment</title><h1>Are you human?</h1>
<form action="/pass" method="post"><input type="hidden" name="t" value="1"><div id="captcha"></div>
</form><script src="/own.js"></script>"""


def page(body: bytes, status: int = 200) -> HtmlPage:
    return HtmlPage(URL, body, status)


def saved(name: str) -> HtmlPage:
    return page((PAGES / f"{name}.html").read_bytes())


def met(shown: HtmlPage, declared: Declared = SAID) -> Detection | None:
    return declared.met(Document(shown, MAX_SIZE), detect(shown))


def test_a_challenge_is_of_the_declared_kind_with_the_declared_key() -> None:
    found = met(saved("challenge_turnstile"))
    assert found is not None
    assert found.captcha is not None
    assert (found.name, found.captcha.kind) == ("funcaptcha", Kind.FUNCAPTCHA)
    assert found.captcha.site_key == "A-KEY"
    assert found.captcha.form is not None
    assert found.captcha.form.url == "https://shop.example/verify"


def test_a_key_alone_leaves_the_kind_and_parameters_that_are_seen() -> None:
    shown = saved("challenge_hcaptcha")
    seen, found = detect(shown), met(shown, Declared(site_key="A-KEY"))
    assert seen is not None
    assert seen.captcha is not None
    assert found is not None
    assert found.captcha is not None
    assert (found.captcha.kind, found.captcha.site_key) == (Kind.HCAPTCHA, "A-KEY")
    assert found.captcha.form == seen.captcha.form


def test_a_kind_alone_leaves_the_key_that_is_seen() -> None:
    found = met(saved("challenge_recaptcha_v2"), Declared(Kind.RECAPTCHA_V2_ENTERPRISE))
    assert found is not None
    assert found.captcha is not None
    assert found.captcha.site_key == "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"


def test_a_block_becomes_a_challenge() -> None:
    found = met(saved("block_imperva"), Declared(Kind.IMPERVA))
    assert found is not None
    assert (found.verdict, found.name) == (Verdict.CHALLENGE, "imperva")


def test_a_wall_that_detection_does_not_know_is_met_by_its_structure() -> None:
    assert detect(page(OWN_WALL)) is None
    found = met(page(OWN_WALL))
    assert found is not None
    assert found.captcha is not None
    assert found.verdict is Verdict.CHALLENGE
    assert found.evidence[0] == "declared"
    assert found.captcha.form == Form("https://shop.example/pass", "POST", (("t", "1"),))


@pytest.mark.parametrize(
    "shown",
    [
        saved("none_article"),
        saved("none_mentions"),
        saved("none_spa_shell"),
        page(b"<h1>Chair</h1><form action='/buy' method='post'><button>Buy</button></form>"),
        page(b""),
    ],
)
def test_content_stays_content(shown: HtmlPage) -> None:
    assert met(shown) is None


def test_a_widget_page_stays_one() -> None:
    found = met(saved("widget_login"))
    assert found is not None
    assert found.verdict is Verdict.WIDGET


def test_a_key_without_a_kind_makes_no_captcha_of_what_nobody_knows() -> None:
    assert met(page(OWN_WALL), Declared(site_key="A-KEY")) is None
    block = met(saved("block_imperva"), Declared(site_key="A-KEY"))
    assert block is not None
    assert block.verdict is Verdict.BLOCK


SCORED = b"""<script>grecaptcha.execute('6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI',
{action: 'find'});</script><form action="/a" method="post"><input name="q"></form>%s"""


def test_what_shows_nothing_is_contained_all_the_same() -> None:
    found = contained(Document(page(SCORED % b""), MAX_SIZE))
    assert found is not None
    assert (found.kind, found.parameters) == (Kind.RECAPTCHA_V3, {"action": "find"})
    assert found.form == Form("https://shop.example/a", "POST", (("q", ""),))
    assert contained(Document(saved("none_article"), MAX_SIZE)) is None


def test_the_answer_can_be_sent_with_another_form() -> None:
    shown = page(SCORED % b"<form id='b' action='/b' method='post'><input name='p'></form>")
    document = Document(shown, MAX_SIZE)
    found = contained(document)
    assert found is not None
    assert found.form is None  # nobody knows with which
    element: Any = shown.selector.css("#b")[0].root
    assert answered_in(document, found, element).form == Form(
        "https://shop.example/b", "POST", (("p", ""),)
    )
