"""A spider asks for a solution of the captcha in a form of an ordinary page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, path_of, sandbox
from scrapy import Request
from scrapy.exceptions import CloseSpider
from scrapy.spidermiddlewares.httperror import HttpError
from serving import Page, site

from scrapy_captcha import CaptchaError, Kind, captcha_request
from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from scrapy.http import Response

    from scrapy_captcha.sandbox import Sandbox

TOKEN = Guard(mode=Mode.TOKEN)
WIDGET = '<div class="g-recaptcha" data-sitekey="6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"></div>'
WORDS = "<p>" + "Each chapter of the handbook tells of another piece of wood. " * 40 + "</p>"


class Asking(Visitor):
    """Searches where it finds a form, with *asked* as further arguments."""

    asked: dict[str, Any] = {}

    async def start(self) -> AsyncIterator[Request]:
        for request in self.requests:
            yield request.replace(callback=self.search, errback=self.failed)

    async def search(self, response: Response) -> AsyncIterator[Request]:
        try:
            yield await self.ask(response)
        except CaptchaError:
            self.crawled.times["refused"] = time.monotonic()

    async def ask(self, response: Any) -> Request:
        arguments: dict[str, Any] = {
            "formdata": {"q": "chair"},
            "callback": self.found,
            "errback": self.failed,
        }
        return await captcha_request(self, response, **arguments | self.asked)

    def found(self, response: Response, **kwargs: Any) -> None:
        super().parse(response, **kwargs)


def asking(**asked: Any) -> type[Asking]:
    return type("Asking", (Asking,), {"asked": asked})


def vars_of(request: Request) -> list[Any]:
    return [getattr(request, name) for name in request.attributes]


@pytest.mark.parametrize("kind", [Kind.RECAPTCHA_V2, Kind.RECAPTCHA_V3, Kind.IMAGE, Kind.TURNSTILE])
@pytest_twisted.ensureDeferred
async def test_the_request_carries_the_solution_and_its_callback_gets_the_answer(
    kind: Kind,
) -> None:
    async with sandbox(guard=Guard(kind, mode=Mode.TOKEN)) as running:
        crawled = await crawl(running, ["/search"], spider=asking(cb_kwargs={"mine": 1}))

    (response,) = crawled.responses
    assert response.css("h1::text").get() == "Found for chair"
    assert response.request is not None
    assert (response.request.method, response.cb_kwargs) == ("POST", {"mine": 1})
    counts = ("asked", "task", "solved", "accepted", "detected", "parked")
    assert [crawled.stat(f"{count}_count") for count in counts] == [1, 1, 1, 1, 0, 0]
    assert running.site.gate.accepted == 1


@pytest_twisted.ensureDeferred
async def test_nothing_of_ours_and_no_token_is_left_in_what_the_callback_gets() -> None:
    async with sandbox(guard=TOKEN) as running:
        crawled = await crawl(running, ["/search"], spider=asking(meta={"mine": 1}, priority=7))
        tokens = list(running.book._tokens)

    request = crawled.responses[0].request
    assert request is not None
    assert (request.priority, request.meta["mine"]) == (7, 1)
    assert [key for key in request.meta if key.startswith("_captcha")] == []
    assert tokens
    assert [token for token in tokens if token in repr(vars_of(request))] == []


@pytest_twisted.ensureDeferred
async def test_the_callback_holds_no_download_slot_while_it_waits() -> None:
    class Releasing(Asking):
        sandbox: Sandbox

        async def search(self, response: Response) -> AsyncIterator[Request]:
            if path_of(response) != "/search":
                Visitor.parse(self, response)
                if len(self.crawled.responses) == 5:
                    self.sandbox.solver.clear_script()
                return
            async for request in super().search(response):
                yield request

    others = [f"/page/{n}" for n in range(1, 6)]
    async with sandbox(guard=TOKEN, guards=dict.fromkeys(others)) as running:
        running.solver.script(Answer("getTaskResult", body=b'{"status": "processing"}', times=None))
        Releasing.sandbox = running
        crawled = await crawl(running, ["/search", *others], {"CONCURRENT_REQUESTS": 1}, Releasing)

    assert crawled.paths == [*others, "/search"]


@pytest_twisted.ensureDeferred
async def test_an_error_is_retried_as_the_table_says_and_told_to_the_callback_at_last() -> None:
    async def asked(**answer: Any) -> Any:
        async with sandbox(guard=TOKEN) as running:
            running.solver.script(Answer(**answer))
            return await crawl(running, ["/search"], spider=asking())

    retried = await asked(error="CAPACITY", retry_after=0.1)
    dropped = await asked(error="PROVIDER_SITEKEY")
    proxied = await asked(error="PROXY_BANNED")
    proxied_once = await asked(error="PROXY_TIMEOUT", retryable=True, retry_after=0.1)

    for crawled in (retried, proxied_once):
        assert crawled.paths == ["/search"]
        assert crawled.stat("reschedule_count") == 1
    assert dropped.stat("dropped_count/PROVIDER_SITEKEY") == 1
    assert proxied.stat("dropped_count/PROXY_BANNED") == 1
    for crawled in (dropped, proxied):
        assert crawled.responses == []
        assert "refused" in crawled.times


@pytest.mark.parametrize(
    ("settings", "asked", "reason"),
    [
        ({"CAPTCHA_DOMAINS": ["shop.example"]}, {}, "domain"),
        ({}, {"meta": {"captcha": {"policy": {"CAPACITY": "drop"}}}}, "CAPACITY"),
        ({"CAPTCHA_RETRY_TIMES": 1}, {}, "CAPACITY"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_limits_for_pages_hold_for_forms(
    settings: dict[str, Any], asked: dict[str, Any], reason: str
) -> None:
    async with sandbox(guard=TOKEN) as running:
        running.solver.script(Answer(error="CAPACITY", retry_after=0.1, times=2))
        crawled = await crawl(running, ["/search"], settings, asking(**asked))

    assert crawled.stat(f"dropped_count/{reason}") == 1
    assert running.solver.created == 0


@pytest_twisted.ensureDeferred
async def test_a_rejected_solution_is_told_to_the_errback() -> None:
    async with sandbox(guard=Guard(mode=Mode.WALL)) as running:
        crawled = await crawl(running, ["/search"], spider=asking())

    assert crawled.reasons == ["rejected"]
    assert [crawled.stat(f"{what}_count") for what in ("rejected", "accepted", "task")] == [1, 0, 1]


@pytest_twisted.ensureDeferred
async def test_a_page_without_a_captcha_is_a_mistake_that_says_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with sandbox(guards={"/search": None}) as running:
        crawled = await crawl(running, ["/search"], spider=asking())

    assert crawled.stats["spider_exceptions/ValueError"] == 1
    assert "no captcha is seen in <200 " in caplog.text
    assert running.solver.created == 0


@pytest_twisted.ensureDeferred
async def test_without_the_middleware_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with sandbox(guard=TOKEN) as running:
        await crawl(running, ["/search"], {"CAPTCHA_ENABLED": False}, asking())

    assert "captcha_request needs CaptchaMiddleware, which is not enabled" in caplog.text


@pytest.mark.parametrize("waiting", [Answer(error="CAPACITY", retry_after=600, times=None),
                                     Answer(fault="hang", times=None)])  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_a_crawl_that_ends_does_not_wait_for_the_callback(waiting: Answer) -> None:
    class Closing(Asking):
        async def search(self, response: Response) -> AsyncIterator[Request]:
            if path_of(response) == "/page/1":
                self.crawled.times["closed"] = time.monotonic()
                raise CloseSpider("enough")
            async for request in super().search(response):
                yield request

    async with sandbox(guard=TOKEN, guards={"/page/1": None}) as running:
        running.solver.script(waiting)
        requests = [Request(running.site_url + "/search"), Request(running.site_url + "/page/1")]
        settings = {"DOWNLOAD_DELAY": 0.3, "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 1}
        crawled = await crawl(running, requests, settings, Closing)

    assert crawled.stats["elapsed_time_seconds"] < 4
    assert crawled.times["refused"] - crawled.times["closed"] < 2
    assert crawled.stat("dropped_count/closing") == 1


def contents_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


# At a resume Scrapy 2.14 leaves the file of an empty queue open.
@pytest.mark.filterwarnings("ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning")
@pytest_twisted.ensureDeferred
async def test_no_token_is_on_disk_and_a_request_of_another_process_has_lost_its_solution(
    tmp_path: Path,
) -> None:
    class Stopping(Asking):
        async def search(self, response: Response) -> AsyncIterator[Request]:
            yield await self.ask(response)
            raise CloseSpider("enough")

    settings = {"JOBDIR": str(tmp_path)}
    async with sandbox(guard=TOKEN) as running:
        stopped = await crawl(running, ["/search"], settings, Stopping)
        tokens = list(running.book._tokens)
        files = contents_of(tmp_path)
        resumed = await crawl(running, [], settings, Asking)

    assert stopped.stat("solved_count") == 1
    assert tokens
    assert not any(token.encode() in file for token in tokens for file in files)
    assert any(b"q=chair" in file for file in files)
    assert resumed.reasons == ["lost"]


FORMS = (
    f"<title>Handbook</title>{WORDS}<form id='first' action='/one' method='post'>{WIDGET}"
    "<input name='q'></form><form id='second' action='/two' method='post'>"
    "<input name='q' value='old'><input name='page' value='1'><input name='size' value='9'></form>"
)


async def sent_to(page: str, on_post: Page, **asked: Any) -> Any:
    async with sandbox() as running, site({"/": Page(page)}, on_post) as pages:
        spider = asking(**asked)
        crawled = await crawl(running, [Request(pages.url)], spider=spider)
        return crawled, [path for method, path in pages.requests if method == "POST"], running


@pytest_twisted.ensureDeferred
async def test_another_form_of_the_page_can_be_chosen() -> None:
    class Choosing(Asking):
        async def ask(self, response: Any) -> Request:
            form = response.css("form#second")
            data = {"q": "table", "page": None, "tag": ["a", "b"]}
            return await captcha_request(
                self, response, form=form, formdata=data, callback=self.found
            )

    async with sandbox() as running, site({"/": Page(FORMS)}, Page("<p>Found")) as pages:
        crawled = await crawl(running, [Request(pages.url)], spider=Choosing)

    assert pages.requests[-1] == ("POST", "/two")
    (response,) = crawled.responses
    assert response.request is not None
    assert response.request.body == b"size=9&q=table&tag=a&tag=b"


@pytest_twisted.ensureDeferred
async def test_a_form_that_a_browser_would_send_as_a_url_is_not_sent() -> None:
    page = FORMS.replace("method='post'", "")
    crawled, posts, running = await sent_to(page, Page(""))

    assert crawled.stat("dropped_count/get_form") == 1
    assert (posts, running.solver.created) == ([], 0)


@pytest_twisted.ensureDeferred
async def test_an_error_of_the_site_is_an_error_and_is_not_sent_again() -> None:
    crawled, posts, _ = await sent_to(FORMS, Page("broken", 503))

    assert [failure.type for failure in crawled.failures] == [HttpError]
    assert posts == ["/one"]
    assert crawled.stat("accepted_count") == 0


@pytest_twisted.ensureDeferred
async def test_an_answer_with_the_form_once_more_is_for_the_spider_to_judge() -> None:
    crawled, _, _ = await sent_to(FORMS, Page(FORMS))

    assert len(crawled.responses) == 1
    assert [crawled.stat(f"{what}_count") for what in ("accepted", "rejected")] == [0, 0]


@pytest_twisted.ensureDeferred
async def test_a_captcha_that_only_a_script_shows_can_be_declared() -> None:
    page = FORMS.replace(WIDGET, "<div id='check'></div>")
    declared = {"kind": "turnstile", "site_key": "1x00000000000000000000AA"}
    asked = {"meta": {"captcha": declared}, "formdata": {}}
    page = page.replace("<form id='second'", "<form hidden id='second'")
    crawled, posts, running = await sent_to(page, Page("<p>Found"), **asked)

    assert posts == ["/one"]
    assert crawled.stat("accepted_count") == 1
    task = repr(running.solver.calls)
    assert "TurnstileTaskProxyless" in task
    assert declared["site_key"] in task


@pytest_twisted.ensureDeferred
async def test_what_no_solver_takes_is_told_to_the_callback() -> None:
    asked = {"meta": {"captcha": {"kind": "perimeterx"}}}
    crawled, posts, running = await sent_to(FORMS, Page(""), **asked)

    assert crawled.stat("dropped_count/METHOD_INVALID") == 1
    assert (posts, running.solver.created) == ([], 0)
