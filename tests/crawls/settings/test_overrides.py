"""What users say in settings, on the spider and on a request, and what they are told at start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import API_KEY, Visitor, crawl, path_of, sandbox
from listening import listening
from scrapy import Request
from scrapy.http import HtmlResponse
from scrapy.utils.test import get_crawler
from serving import Page, Pages
from twisted.web.server import Site

from scrapy_captcha import (
    Captcha,
    CaptchaMiddleware,
    Form,
    Kind,
    build_submission,
)
from scrapy_captcha.sandbox import Answer, Guard, Mode, Passage

if TYPE_CHECKING:
    from crawling import Crawled
    from scrapy.http import Response

    from scrapy_captcha import Solution
    from scrapy_captcha.sandbox import Sandbox


@pytest_twisted.ensureDeferred
async def test_it_can_be_enabled_as_a_plain_downloader_middleware() -> None:
    async with sandbox() as running:
        settings = {"ADDONS": {}, "DOWNLOADER_MIDDLEWARES": {CaptchaMiddleware: 585}}
        crawled = await crawl(running, ["/page/1"], settings)

    assert crawled.paths == ["/page/1"]
    assert crawled.stat("accepted_count") == 1


@pytest_twisted.ensureDeferred
async def test_a_row_of_the_policy_can_be_replaced_for_the_crawl_the_spider_or_a_request() -> None:
    class Own(Visitor):
        custom_settings = {"CAPTCHA_POLICY": {"UNSOLVABLE": "drop"}}

    async def reasons(spider: type[Visitor], settings: dict[str, Any], meta: dict[str, Any]) -> Any:
        async with sandbox() as running:
            running.solver.script(Answer(error="UNSOLVABLE", retry_after=0.1))
            request = Request(running.site_url + "/page/1", meta=meta)
            return (await crawl(running, [request], settings, spider)).reasons

    in_settings = {"CAPTCHA_POLICY": {"UNSOLVABLE": "drop"}}
    on_request = {"captcha": {"policy": {"UNSOLVABLE": "drop"}}}
    assert await reasons(Visitor, {}, {}) == []
    assert await reasons(Visitor, in_settings, {}) == ["UNSOLVABLE"]
    assert await reasons(Visitor, {}, on_request) == ["UNSOLVABLE"]
    assert await reasons(Own, {}, {}) == ["UNSOLVABLE"]


@pytest_twisted.ensureDeferred
async def test_a_request_can_have_its_captcha_left_alone() -> None:
    async with sandbox() as running:
        request = Request(running.site_url + "/page/1", meta={"captcha": False})
        crawled = await crawl(running, [request])

    assert "g-recaptcha" in crawled.responses[0].text
    assert running.solver.created == 0


@pytest_twisted.ensureDeferred
async def test_a_request_can_have_its_own_number_of_tries() -> None:
    async with sandbox(guard=Guard(mode=Mode.WALL)) as running:
        request = Request(running.site_url + "/page/1", meta={"captcha": {"retry_times": 1}})
        crawled = await crawl(running, [request])

    assert crawled.reasons == ["rejected"]
    assert running.solver.created == 1


class Scripted(Pages):
    """A wall whose captcha only its own script shows, until somebody has passed it."""

    def render(self, request: Any) -> bytes:
        if request.method == b"POST" and b"fc-token=" in request.content.read():
            self.pages["/"] = Page("<h1>Content</h1>")
        return super().render(request)


@pytest_twisted.ensureDeferred
async def test_a_request_can_declare_the_captcha_that_its_page_does_not_show() -> None:
    async def crawled(**meta: Any) -> tuple[Crawled, Sandbox]:
        wall = Page('<form action="/" method="post"><div id="captcha"></div></form>')
        root = Scripted({"/": wall})
        async with sandbox() as running, listening(Site(root)) as port:
            request = Request(f"http://127.0.0.1:{port}/", meta=meta)
            return await crawl(running, [request]), running

    declared = {"kind": "funcaptcha", "site_key": "AAAAAAAA-0000-4000-8000-000000000001"}
    plain, _ = await crawled()
    passed, running = await crawled(captcha=declared)

    assert b"captcha" in plain.responses[0].body
    assert passed.responses[0].body == b"<h1>Content</h1>"
    assert passed.stat("detected_count/funcaptcha") == passed.stat("accepted_count") == 1
    assert declared["site_key"] in repr(running.solver.calls)


@pytest_twisted.ensureDeferred
async def test_a_spider_can_detect_captchas_and_submit_solutions_itself() -> None:
    class Expert(Visitor):
        def captcha_detect(self, response: Response) -> Captcha | None:
            if isinstance(response, HtmlResponse) and response.css(".g-recaptcha"):
                fields = {
                    e.attrib["name"]: e.attrib["value"] for e in response.css("[type=hidden]")
                }
                form = Form(response.url, "POST", tuple(fields.items()))
                key = response.css(".g-recaptcha::attr(data-sitekey)").get()
                return Captcha(Kind.RECAPTCHA_V2, response.url, key, form=form)
            return None

        def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
            submission = build_submission(request, captcha, solution)
            submission.headers["X-Own"] = "yes"
            return submission

    async with sandbox(guard=Guard(passage=Passage.JSON)) as running:
        crawled = await crawl(running, ["/page/1"], spider=Expert)

    assert crawled.paths == ["/page/1"]
    assert crawled.stat("accepted_count") == 1


def test_without_a_reactor_it_is_refused_at_start() -> None:
    needed = {"CAPTCHA_API_URL": "https://api.example.com", "CAPTCHA_API_KEY": "key"}
    crawler = get_crawler(Visitor, needed)
    crawler.settings.frozen = False
    crawler.settings.set("TWISTED_REACTOR_ENABLED", value=False)

    with pytest.raises(ValueError, match=r"^TWISTED_REACTOR_ENABLED = False"):
        CaptchaMiddleware.from_crawler(crawler)


@pytest_twisted.ensureDeferred
async def test_the_key_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTCHA_API_KEY", API_KEY)
    async with sandbox() as running:
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_API_KEY": None})

    assert crawled.stat("accepted_count") == 1


class Bound(Visitor):
    allowed_domains = ["127.0.0.1"]


@pytest.mark.parametrize(
    ("spider", "domains", "bought"),
    [
        (Bound, [], 1),
        (Bound, ["127.0.0.1"], 1),
        (Bound, ["example.com"], 0),
        (Visitor, ["example.com"], 0),
        (Visitor, ["127.0.0.1"], 1),
    ],
)
@pytest_twisted.ensureDeferred
async def test_captchas_are_bought_for_the_named_domains_only(
    spider: type[Visitor], domains: list[str], bought: int
) -> None:
    async with sandbox() as running:
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_DOMAINS": domains}, spider)

    assert running.solver.created == bought
    assert crawled.reasons == [] if bought else ["domain"]


@pytest_twisted.ensureDeferred
async def test_what_to_do_on_giving_up_can_be_set() -> None:
    async def outcome(settings: dict[str, Any], meta: dict[str, Any]) -> Crawled:
        async with sandbox(guard=Guard(mode=Mode.WALL)) as running:
            request = Request(running.site_url + "/page/1", meta=meta)
            return await crawl(running, [request], settings | {"CAPTCHA_RETRY_TIMES": 1})

    dropped = await outcome({}, {})
    passed = await outcome({"CAPTCHA_ON_GIVE_UP": "pass"}, {})
    passed_once = await outcome({}, {"captcha": {"on_give_up": "pass"}})

    assert (dropped.reasons, dropped.responses) == (["rejected"], [])
    for crawled in (passed, passed_once):
        assert [path_of(response) for response in crawled.responses] == ["/page/1"]
        assert "g-recaptcha" in crawled.responses[0].text
        assert crawled.stat("passed_count/rejected") == 1
