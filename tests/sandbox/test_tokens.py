"""Tokens are good once, for a while, for what they were bought for; pictures are known by bytes."""

from __future__ import annotations

import pytest

from scrapy_captcha.models import KINDS, Kind
from scrapy_captcha.sandbox.tokens import TokenBook, TokenFault

KEY, URL = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI", "http://127.0.0.1/page/1"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(clock: Clock) -> TokenBook:
    return TokenBook(life=60, clock=clock)


def test_a_token_is_good_once(book: TokenBook) -> None:
    answers = book.mint(Kind.HCAPTCHA, KEY, URL)
    assert book.redeem(answers, Kind.HCAPTCHA, KEY, URL) is None
    assert book.redeem(answers, Kind.HCAPTCHA, KEY, URL) is TokenFault.USED


@pytest.mark.parametrize(
    ("kind", "key", "url", "reason"),
    [
        (Kind.HCAPTCHA, KEY, URL, TokenFault.WRONG_KIND),
        (Kind.TURNSTILE, KEY + "x", URL, TokenFault.WRONG_KEY),
        (Kind.TURNSTILE, KEY, URL + "0", TokenFault.WRONG_URL),
        (Kind.TURNSTILE, KEY, URL + "#comments", None),
    ],
)
def test_a_token_is_bound_to_kind_key_and_url(
    book: TokenBook, kind: Kind, key: str, url: str, reason: TokenFault | None
) -> None:
    answers = book.mint(Kind.TURNSTILE, KEY, URL)
    assert book.redeem(answers, kind, key, url) is reason


def test_a_rejected_token_is_used_up(book: TokenBook) -> None:
    answers = book.mint(Kind.TURNSTILE, KEY, URL)
    book.redeem(answers, Kind.TURNSTILE, "other", URL)
    assert book.redeem(answers, Kind.TURNSTILE, KEY, URL) is TokenFault.USED


@pytest.mark.parametrize(("age", "reason"), [(59.9, None), (60, TokenFault.EXPIRED)])
def test_a_token_expires(
    book: TokenBook, clock: Clock, age: float, reason: TokenFault | None
) -> None:
    answers = book.mint(Kind.TURNSTILE, KEY, URL)
    clock.now += age
    assert book.redeem(answers, Kind.TURNSTILE, KEY, URL) is reason


def test_the_life_of_a_token_begins_when_it_was_solved(book: TokenBook, clock: Clock) -> None:
    answers = book.mint(Kind.TURNSTILE, KEY, URL, born=clock.now - 60)
    assert book.redeem(answers, Kind.TURNSTILE, KEY, URL) is TokenFault.EXPIRED


def test_a_token_that_was_never_sold_is_unknown(book: TokenBook) -> None:
    assert book.redeem({"token": "made-up"}, Kind.TURNSTILE, KEY, URL) is TokenFault.UNKNOWN
    assert book.redeem({}, Kind.GEETEST_V4, KEY, URL) is TokenFault.UNKNOWN


def test_who_sells_a_token_says_how_long_it_lives(book: TokenBook, clock: Clock) -> None:
    short, long = (book.mint(Kind.HCAPTCHA, KEY, URL, life=life) for life in (10, 100))
    clock.now += 61
    assert book.redeem(short, Kind.HCAPTCHA, KEY, URL) is TokenFault.EXPIRED
    assert book.redeem(long, Kind.HCAPTCHA, KEY, URL) is None


@pytest.mark.parametrize(("life", "reason"), [(30, TokenFault.EXPIRED), (31, None), (600, None)])
def test_who_takes_a_token_may_want_a_younger_one(
    book: TokenBook, clock: Clock, life: float, reason: TokenFault | None
) -> None:
    answers = book.mint(Kind.HCAPTCHA, KEY, URL)
    clock.now += 30
    assert book.redeem(answers, Kind.HCAPTCHA, KEY, URL, life=life) is reason


def test_a_token_without_a_site_key_is_good_for_any(book: TokenBook) -> None:
    answers = book.mint(Kind.AMAZON_WAF, "", URL)
    assert book.redeem(answers, Kind.AMAZON_WAF, KEY, URL) is None


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.IMAGE])
def test_every_kind_has_the_answers_that_its_form_needs(book: TokenBook, kind: Kind) -> None:
    answers = book.mint(kind, KEY, URL, challenge="12ab")
    assert set(KINDS[kind].answers.values()) <= set(answers)
    assert book.redeem(answers, kind, KEY, URL) is None


@pytest.mark.parametrize("part", ["challenge", "seccode"])
def test_every_part_of_an_answer_counts(book: TokenBook, part: str) -> None:
    answers = book.mint(Kind.GEETEST_V3, KEY, URL, challenge="12ab")
    changed = answers | {part: "changed"}
    assert book.redeem(changed, Kind.GEETEST_V3, KEY, URL) is TokenFault.UNKNOWN


def test_unused_tokens_are_counted(book: TokenBook) -> None:
    answers = book.mint(Kind.TURNSTILE, KEY, URL)
    book.mint(Kind.TURNSTILE, KEY, URL)
    book.redeem(answers, Kind.TURNSTILE, KEY, URL)
    assert (book.minted, book.unused) == (2, 1)


def test_a_picture_is_known_by_its_bytes(book: TokenBook) -> None:
    book.show_picture(b"png", "AC34")
    assert book.read_picture(b"png") == "AC34"
    assert book.read_picture(b"other") is None
