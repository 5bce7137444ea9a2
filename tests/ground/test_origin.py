"""A request that was redirected to a captcha's own page is sent again as the spider meant it."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.http import Request

from scrapy_captcha.origin import original, remember_origin, restore, without_redirects
from scrapy_captcha.state import CaptchaState

MEANT = "https://example.com/search"
WALL = "https://example.com/captcha"
REDIRECTED = {
    "redirect_urls": [MEANT],
    "redirect_times": 1,
    "redirect_ttl": 19,
    "redirect_reasons": [302],
}


def redirected(request: Request, url: str, **more: Any) -> Request:
    """*request* as Scrapy's redirect to *url* makes it."""
    return request.replace(
        url=url,
        method="GET",
        body=b"",
        cookies=None,
        headers={"Accept": "x"},
        priority=request.priority + 2,
        meta=request.meta | REDIRECTED | more,
    )


def original_of(request: Request) -> Request:
    return original(request, priority_adjust=2)


def test_a_request_that_was_not_redirected_is_the_one_that_was_meant() -> None:
    request = Request(MEANT)
    assert original_of(request) is request


def test_a_get_goes_back_to_where_it_came_from() -> None:
    request = Request(MEANT, priority=5, meta={"page": 2})
    remember_origin(request)
    meant = original_of(redirected(request, WALL))
    assert (meant.url, meant.method, meant.priority) == (MEANT, "GET", 5)
    assert meant.meta == {"page": 2}


def test_the_first_of_several_redirects_is_meant_and_its_priority_restored() -> None:
    request = redirected(
        Request(MEANT, priority=5),
        WALL,
        redirect_urls=[MEANT, "https://example.com/check"],
        redirect_times=2,
    )
    request = request.replace(priority=9)
    meant = original_of(request)
    assert (meant.url, meant.priority) == (MEANT, 5)


@pytest.mark.parametrize(
    "query", ["next=/search", "next=%2Fsearch", "u=https%3A%2F%2Fexample.com%2Fsearch%3Fa%3D1"]
)
def test_a_post_is_sent_again_where_the_captchas_page_names_the_way_back(query: str) -> None:
    request = Request(
        MEANT,
        method="POST",
        body=b"q=1",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        cookies={"basket": "1"},
        priority=5,
    )
    remember_origin(request)
    meant = original_of(redirected(request, f"{WALL}?{query}"))
    assert (meant.url, meant.method, meant.body, meant.priority) == (MEANT, "POST", b"q=1", 5)
    assert meant.headers == request.headers
    assert meant.cookies == {"basket": "1"}
    assert meant.meta == {}


@pytest.mark.parametrize("query", ["?next=/thanks", "?next=/"])
def test_a_post_is_not_sent_again_where_it_may_have_been_carried_out(query: str) -> None:
    request = Request(MEANT, method="POST", body=b"q=1")
    remember_origin(request)
    arrived = redirected(request, WALL + query)
    assert original_of(arrived) is arrived


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("https://example.com/", "next=/thanks"),
        ("https://example.com", "next=/thanks"),
        (MEANT, "next=/search-results"),
    ],
)
def test_a_way_on_that_only_begins_like_the_way_back_is_none(url: str, query: str) -> None:
    request = Request(url, method="POST", body=b"q=1")
    remember_origin(request)
    arrived = redirected(request, f"{WALL}?{query}", redirect_urls=[url])
    assert original_of(arrived) is arrived


def test_cookies_that_a_redirect_drops_come_back() -> None:
    request = Request(MEANT, cookies={"basket": "1"})
    remember_origin(request)
    assert original_of(redirected(request, WALL)).cookies == {"basket": "1"}


def test_nothing_is_kept_of_a_request_that_a_redirect_leaves_whole() -> None:
    request = Request(MEANT)
    remember_origin(request)
    assert request.meta == {}


def test_what_is_remembered_first_is_kept_and_can_be_forgotten() -> None:
    request = Request(MEANT, method="POST", body=b"q=1", meta={"page": 2})
    remember_origin(request)
    arrived = redirected(request, f"{WALL}?next=/search").replace(method="POST", body=b"other")
    remember_origin(arrived)
    assert original_of(arrived).body == b"q=1"
    restore(request, CaptchaState())
    assert request.meta == {"page": 2}
    restore(request, CaptchaState())


def test_without_redirects_is_a_copy_without_the_redirect_middlewares_keys() -> None:
    meta = {"page": 2, **REDIRECTED}
    assert without_redirects(meta) == {"page": 2}
    assert meta == {"page": 2, **REDIRECTED}
