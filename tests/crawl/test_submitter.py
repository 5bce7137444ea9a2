"""A solution goes back as a browser would send it, and nothing of the spider's own goes with it."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.http import HtmlResponse, Request

from scrapy_captcha.crawl.answer_pages import _is_at_url_of
from scrapy_captcha.crawl.submission import build_submission
from scrapy_captcha.models import KINDS, Captcha, Form, Kind, Solution
from scrapy_captcha.state import KEY, SUBMISSION

URL = "https://example.com/list?page=2"
FORM = Form("https://example.com/verify?x=1", "POST", (("csrf", "a&b"), ("q", "\u00e9"), ("q", "")))
TOKEN = Solution({"token": "t0+k3n="}, task_id=7)
COOKIE_KINDS = [k for k in Kind if KINDS[k].cookie]


def captcha(kind: Kind = Kind.TURNSTILE, form: Form | None = FORM, **more: Any) -> Captcha:
    return Captcha(kind, URL, "key", form=form, **more)


def spiders_request(**more: Any) -> Request:
    headers = {
        "Content-Type": "application/json",
        "Content-Length": "2",
        "Accept-Language": "en",
        "User-Agent": "spider",
    }
    return Request(
        URL,
        method="PUT",
        body=b"{}",
        headers=headers,
        cookies={"basket": "1"},
        priority=3,
        cb_kwargs={"page": 2},
        **more,
    )


def test_a_form_is_posted_with_its_fields_and_the_answer() -> None:
    submission = build_submission(spiders_request(), captcha(), TOKEN)
    assert (submission.method, submission.url) == ("POST", "https://example.com/verify?x=1")
    assert submission.body == b"csrf=a%26b&q=%C3%A9&q=&cf-turnstile-response=t0%2Bk3n%3D"


def test_the_spiders_headers_go_along_but_for_those_of_its_own_body() -> None:
    submission = build_submission(spiders_request(), captcha(), TOKEN)
    assert submission.headers.to_unicode_dict() == {
        "Accept-Language": "en",
        "User-Agent": "spider",
        "Content-Type": "application/x-www-form-urlencoded",
        "Referer": URL,
        "Origin": "https://example.com",
    }


def test_several_answers_of_a_kind_fill_several_fields() -> None:
    solution = Solution({"challenge": "c", "validate": "v", "seccode": "v|jordan"})
    form = Form("https://example.com/verify", "POST")
    submission = build_submission(spiders_request(), captcha(Kind.GEETEST_V3, form), solution)
    assert submission.body == (b"geetest_challenge=c&geetest_validate=v&geetest_seccode=v%7Cjordan")


def test_a_form_with_its_own_name_for_the_answer_gets_it_there() -> None:
    named = captcha(form=Form(URL, "POST"), answer_field="answer")
    assert build_submission(spiders_request(), named, TOKEN).body == b"answer=t0%2Bk3n%3D"


def test_the_text_of_a_picture_goes_into_the_url_of_a_get_form() -> None:
    form = Form("https://example.com/verify?old=1", "GET", (("amzn", "x y"),))
    picture = captcha(Kind.IMAGE, form, answer_field="field-keywords")
    submission = build_submission(spiders_request(), picture, Solution({"text": "W9 H5"}))
    assert submission.method == "GET"
    assert submission.url == "https://example.com/verify?amzn=x+y&field-keywords=W9+H5"
    assert submission.body == b""
    assert "Content-Type" not in submission.headers
    assert "Content-Length" not in submission.headers


@pytest.mark.parametrize("kind", COOKIE_KINDS)
@pytest.mark.parametrize("form", [None, FORM])
def test_an_answer_in_a_cookie_goes_with_the_request_itself(kind: Kind, form: Form | None) -> None:
    request = spiders_request()
    submission = build_submission(request, captcha(kind, form), TOKEN)
    assert (submission.method, submission.url, submission.body) == ("PUT", URL, b"{}")
    assert submission.headers == request.headers
    assert submission.cookies == {KINDS[kind].cookie: "t0+k3n="}


def test_only_the_cookies_of_the_solution_are_new() -> None:
    solution = Solution({"token": "t"}, cookies={"clearance": "c"})
    submission = build_submission(spiders_request(), captcha(), solution)
    assert submission.cookies == {"clearance": "c"}
    assert build_submission(spiders_request(), captcha(), TOKEN).cookies == {}


def test_it_goes_out_with_the_user_agent_that_the_solution_is_bound_to() -> None:
    solution = Solution({"token": "t"}, user_agent="Mozilla/5.0")
    submission = build_submission(spiders_request(), captcha(), solution)
    assert submission.headers["User-Agent"] == b"Mozilla/5.0"


@pytest.mark.parametrize("kind", [Kind.TURNSTILE, *COOKIE_KINDS])
def test_the_request_that_it_answers_for_stays_as_it_is(kind: Kind) -> None:
    request = spiders_request(meta={"proxy": "http://h:1", KEY: {"tasks": 1}})
    before = (request.to_dict(), request.headers.copy())
    build_submission(request, captcha(kind), Solution({"token": "t"}, user_agent="Mozilla/5.0"))
    assert (request.to_dict(), request.headers) == before


def test_its_meta_keeps_the_session_and_drops_what_belongs_to_the_page() -> None:
    meta = {
        "cookiejar": 1,
        "proxy": "http://h:1",
        "download_slot": "s",
        "redirect_urls": [URL],
        "redirect_times": 1,
        "redirect_ttl": 19,
        "redirect_reasons": [302],
        KEY: {"tasks": 1},
    }
    submission = build_submission(spiders_request(meta=meta), captcha(), TOKEN)
    assert submission.meta == {
        "cookiejar": 1,
        "proxy": "http://h:1",
        "download_slot": "s",
        SUBMISSION: True,
        "handle_httpstatus_list": [307, 308],
    }


def test_it_is_never_filtered_and_keeps_its_place() -> None:
    submission = build_submission(spiders_request(), captcha(), TOKEN)
    assert (submission.dont_filter, submission.priority) == (True, 3)
    assert submission.cb_kwargs == {"page": 2}


@pytest.mark.parametrize(
    ("request_url", "answer_url", "is_at_url"),
    [
        (URL, URL, True),
        (URL + "#top", URL, True),
        (URL, URL + "#top", True),
        (URL, URL + "&captcha=passed", True),
        ("https://example.com", "https://example.com/?captcha=passed", True),
        (URL, "https://example.com/thanks", False),
        (URL, "https://example.com/list", False),
        (URL, "https://example.com/list?page=3", False),
        (URL, "http://example.com/list?page=2&a=b", False),
    ],
)
def test_an_answer_is_at_the_pages_own_url_whatever_a_site_adds_to_the_query(
    request_url: str, answer_url: str, is_at_url: bool
) -> None:
    answer = HtmlResponse(answer_url, body=b"<p>x")
    assert _is_at_url_of(Request(request_url), answer) is is_at_url
