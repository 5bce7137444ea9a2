"""Pages that are not bought for, or given up: each is seen in an errback, a counter and a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from scrapy import Request
from serving import Page, site
from walls import KEY, wall

from scrapy_captcha import CaptchaError
from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from scrapy.http import Response


@pytest_twisted.ensureDeferred
async def test_a_wall_that_never_opens_is_given_up_after_the_tries_that_are_set() -> None:
    async with sandbox(guard=Guard(mode=Mode.WALL)) as running:
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_RETRY_TIMES": 2})

    assert crawled.reasons == ["rejected"]
    assert crawled.responses == []
    assert running.solver.created == 2
    assert crawled.stat("rejected_count") == 2
    assert crawled.stat("dropped_count/rejected") == 1


@pytest_twisted.ensureDeferred
async def test_a_first_answer_that_is_refused_does_not_lose_the_page() -> None:
    async with sandbox(guard=Guard(reject_first=1)) as running:
        crawled = await crawl(running, ["/page/1"])

    assert crawled.paths == ["/page/1"]
    assert (crawled.stat("rejected_count"), crawled.stat("accepted_count")) == (1, 1)


@pytest.mark.parametrize(
    ("action", "key", "method", "reason"),
    [
        ("http://127.0.0.2:8000/steal", KEY, "post", "other_origin"),
        ("//127.0.0.2/steal", KEY, "post", "other_origin"),
        ("/verify", "short", "post", "site_key"),
        ("/verify", "6LeIxAcTAAAAAJcZV\x1b[31m\r\nX-Evil: 1", "post", "site_key"),
        ("/verify", "k" * 100_000, "post", "site_key"),
        ("/verify", KEY, "get", "get_form"),
    ],
    ids=["other host", "other host of any scheme", "short", "control", "long", "get"],
)
@pytest_twisted.ensureDeferred
async def test_what_could_not_be_answered_safely_is_not_bought(
    action: str, key: str, method: str, reason: str
) -> None:
    async with sandbox() as running, site({"/": Page(wall(action, key, method))}) as own:
        crawled = await crawl(running, [Request(own.url + "/")])

    assert crawled.reasons == [reason]
    assert crawled.stat(f"dropped_count/{reason}") == 1
    assert running.solver.calls == []
    assert [path for _, path in own.requests] == ["/"]


@pytest_twisted.ensureDeferred
async def test_a_token_is_not_repeated_to_where_a_redirect_of_the_submission_leads() -> None:
    pages = {
        "/": Page(wall("/verify")),
        "/verify": Page("", 307, {"Location": "/elsewhere"}),
    }
    async with sandbox() as running, site(pages) as own:
        await crawl(running, [Request(own.url + "/")], {"CAPTCHA_RETRY_TIMES": 1})

    assert ("POST", "/verify") in own.requests
    assert all(path != "/elsewhere" for _, path in own.requests)


@pytest.mark.parametrize("code", ["PROVIDER_SITEKEY", "PROVIDER_DOMAIN"])
@pytest_twisted.ensureDeferred
async def test_a_site_key_that_was_refused_is_not_asked_for_again(code: str) -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        running.solver.script(Answer(error=code, times=None))
        paths = [f"/page/{n}" for n in range(1, 6)]
        settings = {"CAPTCHA_CONCURRENT_SOLVES": 1, "CONCURRENT_REQUESTS": 1}
        crawled = await crawl(running, paths, settings)

    assert crawled.reasons == [code] * 5
    assert len(running.solver.calls) <= 2


@pytest.mark.parametrize("code", ["AUTH_INVALID", "AUTH_FORBIDDEN", "BALANCE_EMPTY"])
@pytest_twisted.ensureDeferred
async def test_after_an_account_error_captcha_pages_drop_and_the_others_go_on(
    code: str, caplog: pytest.LogCaptureFixture
) -> None:
    free = [f"/page/{n}" for n in range(21, 41)]
    async with sandbox(
        guard=Guard(mode=Mode.TOKEN), guards=dict.fromkeys(free), pages=40
    ) as running:
        running.solver.script(Answer(error=code, times=None))
        paths = [f"/page/{n}" for n in range(1, 21)]
        crawled = await crawl(running, paths + free, {"CAPTCHA_CONCURRENT_SOLVES": 2})

    assert crawled.paths == free
    assert crawled.reasons == [code] * 20
    assert len(running.solver.calls) <= 2
    assert crawled.stat(f"dropped_count/{code}") == 20
    said = [r for r in caplog.records if "Stopped buying solutions" in r.getMessage()]
    assert [(record.levelname, code in record.getMessage()) for record in said] == [("ERROR", True)]


@pytest_twisted.ensureDeferred
async def test_an_account_error_can_close_the_spider_with_its_name_as_reason() -> None:
    async with sandbox() as running:
        running.solver.script(Answer(error="BALANCE_EMPTY", times=None))
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_CLOSE_ON_STOP": True})

    assert crawled.reason == "captcha_balance_empty"


@pytest_twisted.ensureDeferred
async def test_a_drop_is_one_clear_line(caplog: pytest.LogCaptureFixture) -> None:
    async with sandbox() as running:
        running.solver.script(Answer(error="INPUT_BAD_TYPE"))
        crawled = await crawl(running, ["/page/1"])
        url = running.site_url + "/page/1"

    (failure,) = crawled.failures
    assert isinstance(failure.value, CaptchaError)
    said = [r.getMessage() for r in caplog.records if "INPUT_BAD_TYPE" in r.getMessage()]
    assert len(said) == 1
    for word in ("unified", "recaptcha_v2", url):
        assert word in said[0]
    assert not [r for r in caplog.records if r.levelname == "ERROR"]


@pytest.mark.parametrize(("status", "delivered"), [(403, False), (200, False), (503, False)])
@pytest_twisted.ensureDeferred
async def test_a_wall_with_nothing_to_solve_is_counted_and_is_no_content(
    status: int, delivered: bool
) -> None:
    page = (
        "<html><head><title>Just a moment...</title></head><body><noscript>Enable JavaScript and "
        "cookies to continue</noscript><script>(function(){window._cf_chl_opt = {cvId: '3',"
        "cType: 'non-interactive', cRay: '1'};var a = document.createElement('script');a.src = "
        "'/cdn-cgi/challenge-platform/h/g/orchestrate/chl_page/v1?ray=1';})();</script></body></html>"
    )
    async with sandbox() as running, site({"/": Page(page, status)}) as own:
        crawled = await crawl(running, [Request(own.url + "/")])

    assert crawled.responses == []
    assert crawled.stat("blocked_count/cloudflare") >= 1
    assert running.solver.calls == []
    if status == 200:
        assert crawled.reasons == ["cloudflare"]
    elif status == 503:
        assert crawled.stats["retry/count"] == 1


@pytest_twisted.ensureDeferred
async def test_robots_txt_is_never_bought_for() -> None:
    pages = {"/robots.txt": Page(wall("/verify")), "/": Page("<h1>content</h1>")}
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + "/")], {"ROBOTSTXT_OBEY": True})

    assert crawled.paths == ["/"]
    assert running.solver.calls == []


@pytest_twisted.ensureDeferred
async def test_a_page_that_merely_has_a_widget_is_content() -> None:
    async with sandbox() as running:
        crawled = await crawl(running, ["/widget"])

    assert crawled.paths == ["/widget"]
    assert running.solver.calls == []


@pytest_twisted.ensureDeferred
async def test_a_broken_hook_of_the_spider_loses_nothing_silently() -> None:
    class Broken(Visitor):
        def captcha_detect(self, response: Response) -> None:
            raise ZeroDivisionError

    async with sandbox() as running:
        crawled = await crawl(running, ["/page/1"], spider=Broken)

    (failure,) = crawled.failures
    assert failure.check(ZeroDivisionError)


@pytest_twisted.ensureDeferred
async def test_a_site_that_rejects_twelve_in_a_row_is_a_wall_and_others_are_not() -> None:
    pages = [f"/page/{n}" for n in range(1, 31)]
    fair = [f"/page/{n}" for n in range(31, 36)]
    guards = dict.fromkeys(fair, Guard())
    async with sandbox(guard=Guard(mode=Mode.WALL), guards=guards, pages=35) as running:
        elsewhere = running.site_url.replace("127.0.0.1", "localhost")
        requests: list[str | Request] = [*pages]
        requests += (Request(elsewhere + path, priority=-1) for path in fair)
        crawled = await crawl(running, requests, {"CAPTCHA_DOMAINS": ["127.0.0.1", "localhost"]})

    assert crawled.paths == fair
    # The next is on its way when the twelfth is judged.
    assert 12 <= crawled.stat("rejected_count") <= 14
    assert crawled.stat("dropped_count") == len(pages)
    assert crawled.stat("dropped_count/wall") >= 24
    assert running.solver.created <= 14 + crawled.stat("accepted_count")
