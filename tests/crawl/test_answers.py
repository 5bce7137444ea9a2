"""What is learned of the answers of sites."""

from __future__ import annotations

from scrapy_captcha.crawl.answers import Answers, Opinion

SITE = "example.com"


def test_one_answer_alone_tells_nothing() -> None:
    answers = Answers()
    answers.heard(SITE, "/1", 1)
    answers.heard(SITE, "/1", 2)
    assert answers.opinion(SITE, "/1", 1) is Opinion.UNKNOWN


def test_answers_that_differ_from_page_to_page_are_the_pages() -> None:
    answers = Answers()
    answers.heard(SITE, "/1", 1)
    answers.heard(SITE, "/2", 2)
    answers.heard("example.org", "/3", 3)
    assert answers.opinion(SITE, "/1", 1) is Opinion.PAGE
    assert answers.opinion(SITE, "/2", 2) is Opinion.PAGE
    assert answers.opinion("example.org", "/3", 3) is Opinion.UNKNOWN


def test_what_several_pages_got_is_none_of_them_for_good() -> None:
    answers = Answers()
    for page in ("/1", "/2", "/1"):
        answers.heard(SITE, page, 1)
    answers.learn_pages(SITE)
    assert answers.opinion(SITE, "/1", 1) is Opinion.OTHER
    assert answers.opinion(SITE, "/3", 3) is Opinion.PAGE


def test_tables_are_bounded() -> None:
    answers = Answers()
    for number in range(3_000):
        answers.heard(SITE, f"/{number}", number)
        answers.heard(f"{number}.example", "/", 1)
        answers.is_repeated(f"{number}.example", number)
    assert len(answers._sites) == 1024
    for number in range(3_000):
        answers.heard(SITE, f"/{number}", number)
    assert len(answers._sites[SITE].pages) == 64
