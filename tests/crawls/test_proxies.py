"""Which proxy serves which request, and what the solver and the others learn of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from proxying import proxies
from scrapy import Request

from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from twisted.python.failure import Failure

PROXY_ERRORS = ["PROXY_REFUSED", "PROXY_TIMEOUT", "PROXY_BANNED", "PROXY_AUTH"]


@pytest.mark.parametrize("code", PROXY_ERRORS)
@pytest_twisted.ensureDeferred
async def test_a_proxy_error_has_the_page_fetched_and_solved_through_the_next(code: str) -> None:
    async with sandbox() as running, proxies("ann:one", "ben:t/o% ") as (first, second):
        running.solver.script(Answer(error=code, omit=("retryable",)))
        settings = {"CAPTCHA_PROXIES": [first.url, second.url]}
        crawled = await crawl(running, ["/page/1"], settings)

    assert crawled.paths == ["/page/1"]
    assert [len(proxy.served) for proxy in (first, second)] == [1, 3]
    page, solution, page_again = running.site.requests[1:]
    assert (page.method, solution.method, page_again.method) == ("GET", "POST", "GET")
    tasks = [
        call.payload["task"]
        for call in running.solver.calls
        if call.method == "createTask" and call.payload
    ]
    assert [(t["proxyPort"], t["proxyLogin"], t["proxyPassword"]) for t in tasks] == [
        (first.port, "ann", "one"),
        (second.port, "ben", "t/o% "),
    ]
    assert crawled.stat("proxy_rotation_count") == 1
    assert {visit.credentials for visit in running.site.requests} == {()}


@pytest_twisted.ensureDeferred
async def test_credentials_of_one_proxy_are_never_shown_to_another() -> None:
    async with sandbox() as running, proxies("ann:one", "", "cat:three") as pool:
        running.solver.script(Answer(error="PROXY_BANNED", times=2))
        await crawl(running, ["/page/1"], {"CAPTCHA_PROXIES": [proxy.url for proxy in pool]})

    assert [len({*proxy.seen}) for proxy in pool] == [1, 1, 1]
    assert pool[1].seen[0] is None
    assert pool[0].served
    assert pool[2].served


@pytest_twisted.ensureDeferred
async def test_a_proxy_of_the_spider_goes_to_the_solver_and_is_left_for_the_pool() -> None:
    async with sandbox() as running, proxies("own:secret", "") as (own, pooled):
        running.solver.script(Answer(error="PROXY_REFUSED", omit=("retryable",)))
        request = Request(running.site_url + "/page/1", meta={"proxy": own.url})
        crawled = await crawl(running, [request], {"CAPTCHA_PROXIES": [pooled.url]})

    assert crawled.paths == ["/page/1"]
    first = running.solver.calls[0].payload
    assert first is not None
    assert first["task"]["proxyPassword"] == "secret"
    assert len(own.served) == 1
    assert pooled.seen == [None, None, None]


@pytest_twisted.ensureDeferred
async def test_without_a_pool_a_proxy_error_drops_the_page() -> None:
    async with sandbox() as running, proxies("own:secret") as (own,):
        running.solver.script(Answer(error="PROXY_REFUSED", omit=("retryable",)))
        request = Request(running.site_url + "/page/1", meta={"proxy": own.url})
        crawled = await crawl(running, [request])

    assert crawled.reasons == ["PROXY_REFUSED"]


@pytest_twisted.ensureDeferred
async def test_a_session_keeps_its_proxy_and_no_request_leaves_without_one() -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running, proxies("", "") as pool:
        crawled = await crawl(
            running,
            [f"/page/{n}" for n in range(1, 6)],
            {"CAPTCHA_PROXIES": [proxy.url for proxy in pool]},
        )

    assert len(crawled.responses) == 5
    assert sorted(len(proxy.served) for proxy in pool) == [0, len(running.site.requests)]


@pytest_twisted.ensureDeferred
async def test_a_pool_with_no_proxy_left_for_a_site_drops_its_pages_and_says_so() -> None:
    class Persistent(Visitor):
        def failed(self, failure: Failure) -> Any:
            super().failed(failure)
            if len(self.crawled.failures) == 1:
                url = failure.request.url.replace("/page/1", "/page/2")  # type: ignore[attr-defined]
                yield Request(url, self.parse, errback=self.failed)

    async with sandbox() as running, proxies("") as (only,):
        running.solver.script(Answer(error="PROXY_BANNED", omit=("retryable",)))
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_PROXIES": [only.url]}, Persistent)

    assert crawled.reasons == ["PROXY_BANNED", "no_proxy"]
    assert crawled.stat("dropped_count/no_proxy") == 1
    assert all(visit.path != "/page/2" for visit in running.site.requests)
