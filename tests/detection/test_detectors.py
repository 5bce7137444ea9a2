"""Detectors are functions in a table; the strongest word on a page counts."""

from __future__ import annotations

import pytest

from scrapy_captcha.detection import (
    DETECTORS,
    MAX_SIZE,
    Detection,
    Document,
    HtmlPage,
    Verdict,
    detect,
)
from scrapy_captcha.models import Captcha, Kind

URL = "https://shop.example/"
QUIZ = b"<h1>Quiz</h1><form method=post><label>2 + 3 = <input name=sum></label></form>"
LOGIN = (
    b'<form method="post"><input name="user"><input name="password" type="password">'
    b'<div class="h-captcha" data-sitekey="10000000-ffff-ffff-ffff-000000000001"></div></form>'
)


def quiz(document: Document) -> Detection | None:
    if b"<h1>Quiz</h1>" not in document.body:
        return None
    captcha = Captcha(Kind.IMAGE, document.url)
    return Detection(Verdict.CHALLENGE, "quiz", captcha, ("a sum to be done",), 1.0)


def seen_by_a_detector(page: HtmlPage, max_size: int = MAX_SIZE) -> Document:
    seen: list[Document] = []

    def look(document: Document) -> None:
        seen.append(document)

    detect(page, max_size=max_size, detectors={"look": look})
    return seen[0]


def test_a_detector_can_be_added_and_is_asked_for_every_page() -> None:
    detectors = {**DETECTORS, "quiz": quiz}
    found = detect(HtmlPage(URL, QUIZ), detectors=detectors)
    assert found
    assert found.name == "quiz"
    assert detect(HtmlPage(URL, QUIZ)) is None


def test_a_challenge_counts_more_than_a_widget_found_before() -> None:
    page = HtmlPage(URL, LOGIN + QUIZ)
    widget, challenge = detect(page), detect(page, detectors={**DETECTORS, "quiz": quiz})
    assert widget
    assert widget.verdict is Verdict.WIDGET
    assert challenge
    assert challenge.name == "quiz"


def test_detectors_can_be_removed_and_replaced() -> None:
    page = HtmlPage(URL, LOGIN)
    rest = {name: one for name, one in DETECTORS.items() if name != "widgets"}
    assert detect(page, detectors=rest) is None
    assert detect(page, detectors={}) is None
    assert detect(page, detectors={**DETECTORS, "widgets": lambda _: None}) is None


def test_a_detector_gets_the_page_itself_and_what_it_holds() -> None:
    page = HtmlPage(URL, QUIZ, 403, {"X-Wall": " Yes "})
    document = seen_by_a_detector(page)
    assert document.page is page
    assert (document.url, document.status, document.body) == (URL, 403, QUIZ)
    assert document.header("x-wall") == "Yes"
    assert document.selector.css("h1::text").get() == "Quiz"
    assert [form.get("method") for form in document.forms] == ["post"]
    assert document.json is None


def test_markup_beyond_the_limit_is_not_read_but_the_bytes_are() -> None:
    document = seen_by_a_detector(HtmlPage(URL, QUIZ), max_size=10)
    assert document.body == QUIZ
    assert document.root is None
    assert document.forms == []


@pytest.mark.parametrize("name", DETECTORS)
def test_built_in_detectors_leave_unsuspicious_pages_alone(name: str) -> None:
    document = Document(HtmlPage(URL, QUIZ), MAX_SIZE)
    assert DETECTORS[name](document) is None
    assert "root" not in vars(document)
