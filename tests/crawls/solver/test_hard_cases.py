"""What sites, redirects and other components do between a captcha and its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, path_of, sandbox
from proxying import proxies
from scrapy import Request
from scrapy.exceptions import CloseSpider
from serving import Page, site
from walls import wall

from scrapy_captcha import Kind, build_submission
from scrapy_captcha.sandbox import Answer, Guard, Mode, Passage

if TYPE_CHECKING:
    from pathlib import Path

    from scrapy.http import Response

    from scrapy_captcha import Captcha, Solution

PAGES = [f"/page/{n}" for n in range(1, 21)]


@pytest_twisted.ensureDeferred
async def test_what_a_meta_refresh_leads_to_counts_against_the_same_limit() -> None:
    refresh = '<html><head><meta http-equiv="refresh" content="0; url=/next"></head></html>'
    pages = {
        "/": Page(wall("/verify")),
        "/verify": Page(refresh),
        "/next": Page(wall("/verify")),
    }
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + "/")], {"CAPTCHA_RETRY_TIMES": 2})

    assert crawled.reasons == ["rejected"]
    assert running.solver.created == 2


@pytest_twisted.ensureDeferred
async def test_a_site_that_breaks_after_its_captcha_is_no_acceptance() -> None:
    class Opening(Visitor):
        def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
            own.pages["/"] = Page("<h1>Service Unavailable</h1>", 503)
            return request.replace(url=own.url + "/verify", dont_filter=True)

    async with sandbox() as running, site({"/": Page(wall("/verify"))}) as own:
        crawled = await crawl(running, [Request(own.url + "/")], {}, Opening)

    assert crawled.stat("accepted_count") == 0
    assert running.solver.created == 1
    assert crawled.stats["retry/max_reached"] == 1


@pytest_twisted.ensureDeferred
async def test_headers_for_one_origin_do_not_go_to_the_captcha_of_another() -> None:
    async with sandbox() as running, site({}) as other, site({}) as own:
        there = other.url.replace("127.0.0.1", "localhost") + "/captcha"
        own.pages["/"] = Page("", 302, {"Location": there})
        other.pages["/captcha"] = Page(wall("/verify"))
        headers = {"Authorization": "Bearer abc"}
        await crawl(
            running,
            [Request(own.url + "/", headers=headers)],
            {"CAPTCHA_DOMAINS": ["127.0.0.1", "localhost"], "CAPTCHA_RETRY_TIMES": 1},
        )

    assert ("POST", "/verify") in other.requests
    assert other.authorizations == {None}
    assert own.authorizations == {"Bearer abc"}


@pytest_twisted.ensureDeferred
async def test_a_post_behind_a_captcha_that_a_cookie_answers_is_carried_out_once() -> None:
    async with sandbox(guard=Guard(Kind.AMAZON_WAF)) as running:
        request = Request(running.site_url + "/form/1", method="POST", body=b"a=b")
        crawled = await crawl(running, [request])

    assert crawled.paths == ["/form/1"]
    assert running.site.opened["/form/1"] == 1


@pytest.mark.parametrize(
    ("settings", "meta"), [({"COOKIES_ENABLED": False}, {}), ({}, {"dont_merge_cookies": True})]
)
@pytest_twisted.ensureDeferred
async def test_no_cookie_is_bought_for_a_request_that_keeps_none(
    settings: dict[str, Any], meta: dict[str, Any]
) -> None:
    async with sandbox(guard=Guard(Kind.AMAZON_WAF)) as running:
        request = Request(running.site_url + "/page/1", meta=meta)
        crawled = await crawl(running, [request], settings)

    assert crawled.reasons == ["no_cookies"]
    assert running.solver.calls == []


@pytest_twisted.ensureDeferred
async def test_a_picture_that_takes_several_polls_is_one_task() -> None:
    async with sandbox({"solve_time": 0.2}, Guard(Kind.IMAGE)) as running:
        crawled = await crawl(running, ["/page/1"])

    assert running.solver.created == 1
    assert crawled.stat("task_count") == 1


@pytest_twisted.ensureDeferred
async def test_the_answer_to_a_spiders_own_submission_elsewhere_is_no_page() -> None:
    class Elsewhere(Visitor):
        def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
            submission = build_submission(request, captcha, solution)
            return submission.replace(url=running.site_url + "/widget")

    async with sandbox(guard=Guard(Kind.AMAZON_WAF)) as running:
        crawled = await crawl(running, ["/page/1"], spider=Elsewhere)

    assert crawled.paths == ["/page/1"]


@pytest_twisted.ensureDeferred
async def test_fetching_a_picture_leaves_the_others_waiting() -> None:
    async with sandbox(guard=Guard(Kind.IMAGE), pages=20) as running:
        crawled = await crawl(running, PAGES)

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created == 1


@pytest_twisted.ensureDeferred
async def test_a_picture_is_fetched_through_the_proxy_of_its_page_with_its_credentials() -> None:
    async with sandbox(guard=Guard(Kind.IMAGE)) as running, proxies("own:secret") as (own,):
        request = Request(running.site_url + "/page/1", meta={"proxy": own.url})
        crawled = await crawl(running, [request])

    assert crawled.paths == ["/page/1"]
    assert len(own.served) == len(running.site.requests)


@pytest_twisted.ensureDeferred
async def test_an_answer_that_the_site_gives_everywhere_is_no_page() -> None:
    pages = {f"/{n}": Page(wall(f"/{n}")) for n in range(1, 5)}
    failed = "<html><body><p>Verification failed, go back and try again.</p></body></html>"
    async with sandbox() as running, site(pages, on_post=Page(failed)) as own:
        requests = [Request(own.url + path) for path in pages]
        settings = {"CAPTCHA_RETRY_TIMES": 1, "CAPTCHA_SCOPE": "page"}
        crawled = await crawl(running, requests, settings)

    # Of the first nobody can know.
    assert len(crawled.responses) <= 1
    assert crawled.reasons.count("rejected") >= 3


@pytest_twisted.ensureDeferred
async def test_pages_do_not_wait_for_one_that_has_vanished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrapy_captcha.sessions.leadership._CHECK_AFTER", 0.2)

    class Looping(Visitor):
        def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
            own.pages["/1"] = Page("", 302, {"Location": "/1"})  # until Scrapy has enough of it
            return request.replace(url=own.url + "/verify", dont_filter=True)

    pages = {f"/{n}": Page(wall("/verify")) for n in range(1, 5)}
    async with sandbox() as running, site(pages) as own:
        requests = [Request(f"{own.url}/{n}", priority=-n) for n in range(1, 5)]
        settings = {"CAPTCHA_RETRY_TIMES": 1, "CONCURRENT_REQUESTS": 1, "REDIRECT_MAX_TIMES": 2}
        crawled = await crawl(running, requests, settings, Looping)

    assert crawled.reason == "finished"
    assert len(crawled.failures) == 4


@pytest_twisted.ensureDeferred
# At a resume Scrapy 2.14 leaves the file of an empty queue open.
@pytest.mark.filterwarnings("ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning")
async def test_what_was_paid_for_when_the_crawl_stopped_is_collected_when_it_goes_on(
    tmp_path: Path,
) -> None:
    class Closing(Visitor):
        def parse(self, response: Response, **kwargs: Any) -> None:
            super().parse(response)
            if path_of(response) == "/page/20":
                raise CloseSpider("enough")

    settings = {"JOBDIR": str(tmp_path), "DOWNLOAD_DELAY": 0.1}
    async with sandbox({"solve_time": 1.0}, guards={"/page/20": None}, pages=20) as running:
        stopped = await crawl(running, ["/page/1", "/page/20"], settings, Closing)
        resumed = await crawl(running, [], settings)

    assert (stopped.reason, stopped.paths) == ("enough", ["/page/20"])
    assert resumed.paths == ["/page/1"]
    assert running.solver.created == 1
    assert stopped.stat("task_count") + resumed.stat("task_count") == 1


@pytest_twisted.ensureDeferred
async def test_an_account_error_is_not_kept_from_those_who_wait_for_capacity() -> None:
    paths = [f"/page/{n}" for n in range(1, 61)]
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=60) as running:
        running.solver.script(
            Answer(error="CAPACITY", retry_after=8),
            Answer(error="AUTH_INVALID", delay=0.3, times=None),
        )
        settings = {"CAPTCHA_SCOPE": "page", "CAPTCHA_CONCURRENT_SOLVES": 4}
        crawled = await crawl(running, paths, settings)

    assert len(crawled.failures) == 60
    first, *_, last_but_one, _one_that_was_told_to_wait = sorted(crawled.times.values())
    assert last_but_one - first < 5


@pytest_twisted.ensureDeferred
async def test_a_spider_may_return_the_very_request_that_it_was_given() -> None:
    class Same(Visitor):
        def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
            return request

    async with sandbox(guard=Guard(passage=Passage.JSON)) as running:
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_RETRY_TIMES": 1}, Same)

    assert crawled.reasons == ["rejected"]


@pytest_twisted.ensureDeferred
async def test_a_redirect_behind_a_captcha_does_not_lead_out_of_the_allowed_domains() -> None:
    class Bound(Visitor):
        allowed_domains = ["127.0.0.1"]

        def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
            there = own.url.replace("127.0.0.1", "localhost")
            own.pages["/"] = Page("", 302, {"Location": there + "/elsewhere"})
            return request.replace(url=own.url + "/verify", dont_filter=True)

    pages = {"/": Page(wall("/verify")), "/elsewhere": Page("<h1>elsewhere</h1>")}
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + "/")], {}, Bound)

    assert crawled.reasons == ["offsite"]
    assert ("GET", "/elsewhere") not in own.requests
