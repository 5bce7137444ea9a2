"""Which proxy serves which request, and what the solver and the others learn of it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from forwarding import forwarders, listening
from proxying import proxies
from scrapy import Request

from scrapy_captcha.sandbox import Answer, Guard, Mode
from scrapy_captcha.signals import proxy_refused

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.python.failure import Failure


class Persistent(Visitor):
    """Goes on to the second page when the first is given up."""

    def failed(self, failure: Failure) -> Any:
        super().failed(failure)
        if len(self.crawled.failures) == 1:
            url = failure.request.url.replace("/page/1", "/page/2")  # type: ignore[attr-defined]
            yield Request(url, self.parse, errback=self.failed)


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
    async with sandbox() as running, proxies("") as (only,):
        running.solver.script(Answer(error="PROXY_BANNED", omit=("retryable",)))
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_PROXIES": [only.url]}, Persistent)

    assert crawled.reasons == ["PROXY_BANNED", "no_proxy"]
    assert crawled.stat("dropped_count/no_proxy") == 1
    assert all(visit.path != "/page/2" for visit in running.site.requests)


# Other people's proxies, and proxies of another make


@pytest_twisted.ensureDeferred
async def test_five_proxies_that_fail_each_in_its_way_serve_what_the_rules_say(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logins = ("ann:one", "", "cat:t/h@r:ee%", "", "eve:five")
    with forwarders(tmp_path, *logins) as pool:
        await listening(pool)
        async with sandbox(pages=3) as running:
            errors = ("PROXY_REFUSED", "PROXY_TIMEOUT", "PROXY_BANNED", "PROXY_AUTH")
            running.solver.script(*[Answer(error=code, omit=("retryable",)) for code in errors])
            settings = {"CAPTCHA_PROXIES": [proxy.url for proxy in pool], "CAPTCHA_RETRY_TIMES": 5}
            first = await crawl(running, ["/page/1"], settings)
            visits = list(running.site.requests)

    assert first.paths == ["/page/1"]
    page = "GET /page/1"
    served = [proxy.served for proxy in pool]
    assert served == [[page], [page], [page], [page], [page, "POST /page/1", page]]
    assert [proxy.seen for proxy in pool] == [{proxy.expected} for proxy in pool]
    # The site saw nothing but that: no request went without a proxy, none with its credentials.
    assert [f"{visit.method} {visit.path}" for visit in visits] == [*chain(*served)]
    assert {visit.credentials for visit in visits} == {()}
    assert not any(secret in caplog.text for secret in ("one@", "t/h@r:ee%", "t%2Fh", "five"))


class Owner(Visitor):
    """Sets a proxy for each request, and gives *answer* when one was refused."""

    answer: object = None
    refused: list[str]

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Owner:
        spider: Owner = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.give_another, signal=proxy_refused)
        return spider

    def give_another(self, request: Request, code: str) -> object:
        self.refused.append(code)
        return self.answer


@pytest.mark.parametrize("answer", ["another", True])
@pytest_twisted.ensureDeferred
async def test_whoever_has_set_a_proxy_is_asked_for_another(answer: str | bool) -> None:
    async with sandbox() as running, proxies("own:secret", "else:where", "") as (own, other, ours):
        running.solver.script(Answer(error="PROXY_REFUSED", omit=("retryable",)))
        Owner.answer, Owner.refused = other.url if answer == "another" else True, []
        request = Request(running.site_url + "/page/1", meta={"proxy": own.url})
        crawled = await crawl(running, [request], {"CAPTCHA_PROXIES": [ours.url]}, Owner)

    assert crawled.paths == ["/page/1"]
    assert Owner.refused == ["PROXY_REFUSED"]
    served = [len(proxy.served) for proxy in (own, other, ours)]
    assert served == ([1, 3, 0] if answer == "another" else [1, 0, 3])


@pytest_twisted.ensureDeferred
async def test_an_answer_about_a_refused_proxy_that_cannot_be_meant_is_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with sandbox() as running, proxies("own:secret") as (own,):
        running.solver.script(Answer(error="PROXY_REFUSED", omit=("retryable",)))
        Owner.answer, Owner.refused = Request(own.url), []
        request = Request(running.site_url + "/page/1", meta={"proxy": own.url})
        crawled = await crawl(running, [request], spider=Owner)

    assert crawled.reasons == ["error"]
    text = "a receiver of proxy_refused returned something of type Request"
    assert f"{text}: return the URL of a proxy, True, or None" in caplog.text


@pytest_twisted.ensureDeferred
async def test_a_class_chooses_proxies_and_hears_which_were_refused() -> None:
    class Lender:
        """Lends one after the other."""

        urls: list[str]
        refusals: list[tuple[str, str]]

        def choose(self, site: str, jar: object) -> str | None:
            return self.urls[0] if self.urls else None

        def refused(self, proxy: str, what: str, site: str) -> None:
            self.refusals.append((what, site))
            self.urls.remove(proxy)

        def wait(self, site: str) -> float | None:
            return 0.0 if self.urls else None

    async with sandbox() as running, proxies("ann:one", "") as (first, second):
        Lender.urls, Lender.refusals = [first.url, second.url], []
        running.solver.script(Answer(error="PROXY_BANNED", omit=("retryable",)))
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_PROXIES": Lender})

    assert crawled.paths == ["/page/1"]
    assert Lender.refusals == [("ban", "127.0.0.1")]
    assert [len(proxy.served) for proxy in (first, second)] == [1, 3]


@pytest_twisted.ensureDeferred
async def test_a_pool_whose_proxies_all_rest_is_waited_for_where_that_is_set(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("scrapy_captcha.sessions.proxies._FIRST_REST", 0.5)
    async with sandbox(guards={"/page/2": None}) as running, proxies("") as (only,):
        running.solver.script(Answer(error="PROXY_REFUSED", retryable=False))
        settings = {"CAPTCHA_ON_NO_PROXY": "wait", "CAPTCHA_PROXIES": only.url}
        crawled = await crawl(running, ["/page/1"], settings, Persistent)
        at = [visit.at for visit in running.site.requests]

    assert crawled.reasons == ["PROXY_REFUSED"]
    assert crawled.paths == ["/page/2"]
    assert at[1] - at[0] >= 0.5
    assert caplog.text.count("All proxies are cooling down for 127.0.0.1") == 1


@pytest_twisted.ensureDeferred
async def test_a_crawl_goes_on_without_a_proxy_only_where_it_is_told_to(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with sandbox(guards={"/page/2": None}) as running, proxies("") as (only,):
        running.solver.script(Answer(error="PROXY_AUTH", omit=("retryable",)))
        settings = {"CAPTCHA_ON_NO_PROXY": "direct", "CAPTCHA_PROXIES": only.url}
        crawled = await crawl(running, ["/page/1"], settings, Persistent)

    assert crawled.paths == ["/page/2"]
    assert len(only.served) == 1
    assert caplog.text.count("No proxy is left for 127.0.0.1") == 1


@pytest.mark.parametrize("rotates", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_draws_captchas_is_left_before_anything_is_bought(
    rotates: bool, tmp_path: Path
) -> None:
    """The site asks who comes with one proxy, and lets the others pass."""
    number = 50
    guards = {f"/page/{n}": None for n in range(1, number * 2, 2)}
    async with (
        sandbox(guard=Guard(mode=Mode.TOKEN), guards=guards, pages=2 * number) as running,
        proxies("", "") as (burnt, good),
    ):
        if True:
            # Two sessions: the pages of one have captchas, as its proxy has it.
            requests = [
                Request(f"{running.site_url}/page/{n}", meta={"cookiejar": n % 2}, priority=-n)
                for n in range(1, 2 * number + 1)
            ]
            good_first = sorted(requests, key=lambda request: request.meta["cookiejar"] == 0)
            settings = {
                "CAPTCHA_PROXIES": [good.url, burnt.url],
                "CAPTCHA_ROTATE_BEFORE_PAYING": rotates,
                "CAPTCHA_MAX_SOLVES": 100,
                "CONCURRENT_REQUESTS": 4,
                "CAPTCHA_REPORT": tmp_path / "report.html",
            }
            crawled = await crawl(running, good_first, settings)

    assert (crawled.stat("rotated_before_paying_count") > 0) is rotates
    assert len(crawled.responses) == 2 * number
    assert "Captchas by proxy" in (tmp_path / "report.html").read_text()
