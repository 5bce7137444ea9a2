"""Sites that remember a solution by a cookie, and crawls that keep none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from homecrawl import crawled_at, items
from homemade import Rules
from scrapy import Request
from scrapy.downloadermiddlewares.cookies import CookiesMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.http import Response

OPEN = Rules(widget=True, cookie=True, good_for=(float("inf"),), latency=0.01)


ELSEWHERE: dict[str, Any] = {"domain": "another.example"}
LONG_AGO = b"Thu, 01 Jan 2015 00:00:00 GMT"


class Forgetful(CookiesMiddleware):
    """Keeps no cookie."""

    def process_response(
        self, request: Request, response: Response, spider: Any = None
    ) -> Response:
        return response


class Remembering:
    """Keeps cookies where Scrapy's own middleware does not know of them."""

    def __init__(self) -> None:
        self._cookies: dict[bytes, bytes] = {}

    def process_request(self, request: Request, spider: Any = None) -> None:
        request.headers["Cookie"] = b"; ".join(b"=".join(pair) for pair in self._cookies.items())

    def process_response(
        self, request: Request, response: Response, spider: Any = None
    ) -> Response:
        for cookie in response.headers.getlist("Set-Cookie"):
            name, _, value = cookie.partition(b";")[0].partition(b"=")
            self._cookies[name] = value
        return response


def without_merging(url: str) -> Request:
    return Request(url, meta={"dont_merge_cookies": True})


@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize(
    ("settings", "made"),
    [
        ({"COOKIES_ENABLED": False}, Request),
        ({}, without_merging),
        (
            {
                "DOWNLOADER_MIDDLEWARES": {
                    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None
                }
            },
            Request,
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_second_purchase_that_opens_nothing_says_which_setting_it_is(
    settings: dict[str, Any],
    made: Callable[[str], Request],
    concurrency: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = await crawled_at(OPEN, items(13), concurrency, made=made, **settings)

    assert result.solves == 2
    assert result.crawled.reasons == ["no_cookies"] * 13
    said = [line for line in caplog.messages if "COOKIES_ENABLED" in line]
    assert len(said) == 1


@pytest.mark.parametrize("redirects", [False, True])
@pytest.mark.parametrize("concurrency", [1, 16])
@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        (ELSEWHERE, "its Domain is of another host"),
        ({"secure": True}, "it is Secure, and the page is fetched without TLS"),
        ({"max_age": "0"}, "it has expired"),
        ({"expires": LONG_AGO}, "it has expired"),
        ({"path": b"/verify"}, "its Path is another"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
@pytest_twisted.ensureDeferred
async def test_a_cookie_that_the_jar_refuses_is_named_and_no_more_is_bought(
    attributes: dict[str, Any],
    why: str,
    concurrency: int,
    redirects: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rules = replace(OPEN, attributes=attributes, redirects=redirects)
    result = await crawled_at(rules, items(13), concurrency)

    assert result.solves == 2
    assert result.crawled.reasons == ["no_cookies"] * 13
    [said] = [line for line in caplog.messages if "COOKIES_ENABLED" in line]
    assert "clearance" in said
    assert why in said


@pytest.mark.parametrize("settings", [{}, {"COOKIES_DEBUG": True}])
@pytest_twisted.ensureDeferred
async def test_a_session_that_the_jar_refuses_is_named(
    settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    rules = replace(OPEN, cookie=False, of_session=ELSEWHERE)
    result = await crawled_at(rules, items(13), 8, **settings)

    assert result.solves == 2
    assert result.crawled.reasons == ["no_cookies"] * 13
    [said] = [line for line in caplog.messages if "COOKIES_ENABLED" in line]
    assert "session" in said


@pytest_twisted.ensureDeferred
async def test_a_middleware_that_keeps_nothing_is_found_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    usual = "scrapy.downloadermiddlewares.cookies.CookiesMiddleware"
    result = await crawled_at(
        OPEN, items(13), 8, DOWNLOADER_MIDDLEWARES={usual: None, Forgetful: 700}
    )

    assert result.solves == 2
    assert result.crawled.reasons == ["no_cookies"] * 13
    [said] = [line for line in caplog.messages if "COOKIES_ENABLED" in line]
    assert "a middleware drops it" in said


@pytest_twisted.ensureDeferred
async def test_a_refused_cookie_that_each_page_sets_is_not_blamed() -> None:
    """The clearance is kept, and so short that solutions are rejected all the same."""
    rules = replace(OPEN, life=0.0, of_session=ELSEWHERE)
    result = await crawled_at(rules, items(3), 1)

    assert result.solves > 2
    assert "no_cookies" not in result.crawled.reasons


@pytest_twisted.ensureDeferred
async def test_cookies_that_another_middleware_keeps_are_kept() -> None:
    result = await crawled_at(OPEN, items(8), 8, DOWNLOADER_MIDDLEWARES={Remembering: 710})

    assert result.crawled.reasons == []
    assert result.solves == 1


@pytest_twisted.ensureDeferred
async def test_a_site_that_answers_with_the_page_needs_no_cookies() -> None:
    rules = Rules(widget=True, stateless=True)
    result = await crawled_at(rules, items(8), 8, COOKIES_ENABLED=False)

    assert result.crawled.reasons == []
    assert result.solves == 8
