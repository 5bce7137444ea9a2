"""A service hears of a rejection only where that is about its solution."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from itertools import count, cycle
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from forwarding import forwarders
from forwarding import listening as started
from homecrawl import items
from homemade import Rules, homemade
from listening import listening
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from serving import Page, Pages
from shopping import shopping
from twisted.web.server import NOT_DONE_YET, Site
from walls import wall

from scrapy_captcha.providers import TwoCaptcha
from scrapy_captcha.sandbox import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from crawling import Crawled
    from scrapy.http import Response
    from twisted.python.failure import Failure
    from twisted.web.server import Request as Asked

    from scrapy_captcha.sandbox.purchases import Report

_NUMBERS = count()


class Choosing(Pages):
    """Each page is a captcha, whose answers in turn are *taken* or not, the last for all others.

    * *by_page*: that holds for each page by itself
    * *status*: of a captcha that is shown again
    * *thanks*: the status of thanks at another URL, 0 where the answer is the page or the captcha
    * *closes*: after how many answers the connection is closed on the page, and on Twisted's retry
    """

    def __init__(
        self,
        *taken: bool,
        by_page: bool = False,
        status: int = 200,
        cookie: bool = True,
        thanks: int = 0,
        closes: int = 0,
    ) -> None:
        super().__init__({})
        self._by_page = by_page
        self._taken: defaultdict[str, list[bool]] = defaultdict(partial(list, taken))
        self._status = status
        self._cookie = cookie
        self._thanks = thanks
        self._closes = closes
        self._closings = 0
        self._answered: dict[str, bool] = {}

    def render(self, request: Asked) -> Any:
        path = request.path.decode().removeprefix("/verify")
        if self._cookie:
            request.setHeader("Set-Cookie", "visitor=1")
        if request.method == b"POST":
            taken = self._taken[path if self._by_page else ""]
            self._answered[path] = taken.pop(0) if taken[1:] else taken[0]
            self._closings, self._closes = 2 * (self._closes > 0), self._closes - 1
        elif self._closings:
            self._closings -= 1
            self._answered[path] = False  # the visit that it was good for
            transport = request.transport
            transport.abortConnection()  # type: ignore[union-attr]
            return NOT_DONE_YET
        self.pages[f"/verify{path}"] = Page("<p>Thank you</p>", self._thanks)
        if self._answered.get(path):
            self.pages[path] = Page(f"<h1>Item {path}</h1>")
        else:
            again = path in self._answered
            shown = wall(f"/verify{path}" if self._thanks else path)
            self.pages[path] = Page(shown, self._status if again else 200)
        return super().render(request)


class Restless(HTTP11DownloadHandler):
    """Another user agent for each request, put in where no middleware can take it back."""

    async def download_request(self, request: Request) -> Response:
        request.headers["User-Agent"] = f"Browser/{next(_NUMBERS)}"
        return await super().download_request(request)


class OneByOne(Visitor):
    """Asks for a page when the one before has ended."""

    async def start(self) -> AsyncIterator[Request]:
        self.left = iter(self.requests)
        yield self._next()

    def parse(self, response: Response, **kwargs: Any) -> Any:
        super().parse(response)
        return self._next()

    def failed(self, failure: Failure) -> Any:
        super().failed(failure)
        return self._next()

    def _next(self) -> Any:
        request = next(self.left, None)
        return request and request.replace(callback=self.parse, errback=self.failed)


async def reported(root: Choosing, pages: int = 1, **settings: Any) -> tuple[list[bool], Crawled]:
    """What the service hears of a crawl of that many pages, one after the other."""
    async with sandbox() as running, listening(Site(root)) as port:
        requests = [Request(f"http://127.0.0.1:{port}/{n}") for n in range(pages)]
        usual = {"CAPTCHA_SCOPE": "page", "CONCURRENT_REQUESTS": 1, "CAPTCHA_REFETCH": "always"}
        own = shopping(running, TwoCaptcha)
        crawled = await crawl(running, requests, {**own, **usual, **settings}, OneByOne)
        return [report.correct for report in running.services["2captcha"].reports], crawled


@pytest.mark.parametrize(("status", "reports"), [(200, 2), (403, 2), (429, 0), (500, 0), (503, 0)])
@pytest_twisted.ensureDeferred
async def test_a_rejection_with_a_status_of_trouble_is_not_reported(
    status: int, reports: int
) -> None:
    said, crawled = await reported(Choosing(False, status=status), CAPTCHA_RETRY_TIMES=2)

    assert crawled.stat("rejected_count") == 2
    assert said == [False] * reports


@pytest_twisted.ensureDeferred
async def test_a_rejection_is_not_reported_where_the_user_agent_has_changed() -> None:
    said, crawled = await reported(
        Choosing(False), CAPTCHA_RETRY_TIMES=2, DOWNLOAD_HANDLERS={"http": Restless}
    )

    assert crawled.stat("rejected_count") == 2
    assert said == []


@pytest_twisted.ensureDeferred
async def test_a_rejection_is_not_reported_where_the_proxy_has_changed(tmp_path: Path) -> None:
    class Roaming:
        """Another proxy for each request."""

        def process_request(self, request: Request, spider: Any = None) -> None:
            request.meta["proxy"] = next(urls)

    with forwarders(tmp_path, "", "") as pool:
        await started(pool)
        urls = cycle([proxy.url for proxy in pool])
        said, crawled = await reported(
            Choosing(False), CAPTCHA_RETRY_TIMES=2, DOWNLOADER_MIDDLEWARES={Roaming: 700}
        )

    assert crawled.stat("rejected_count") == 2
    assert said == []


@pytest.mark.parametrize(
    ("thanks", "settings", "reports"),
    [
        (200, {}, 0),
        (0, {}, 2),  # what the solution is answered depends on nothing that is remembered
        (0, {"COOKIES_ENABLED": False}, 0),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_rejection_is_not_reported_where_the_site_could_remember_nothing(
    thanks: int, settings: dict[str, Any], reports: int
) -> None:
    root = Choosing(False, cookie=False, thanks=thanks)
    said, crawled = await reported(root, CAPTCHA_RETRY_TIMES=2, **settings)

    assert crawled.stat("rejected_count") == 2
    assert said == [False] * reports


@pytest.mark.parametrize(("thanks", "reports"), [(200, 2), (429, 0), (500, 0), (503, 0)])
@pytest_twisted.ensureDeferred
async def test_a_rejection_is_not_reported_where_the_submission_met_trouble(
    thanks: int, reports: int
) -> None:
    said, crawled = await reported(Choosing(False, thanks=thanks), CAPTCHA_RETRY_TIMES=2)

    assert crawled.stat("rejected_count") == 2
    assert said == [False] * reports


@pytest_twisted.ensureDeferred
async def test_a_rejection_is_not_reported_where_the_connection_was_closed_on_the_page() -> None:
    root = Choosing(True, thanks=200, closes=2)
    said, crawled = await reported(root, RETRY_TIMES=5)

    assert crawled.paths == ["/0"]
    assert crawled.stat("rejected_count") == 2
    assert said == [True]


@pytest_twisted.ensureDeferred
async def test_a_site_that_rejects_every_first_solution_is_no_reason_to_report_one() -> None:
    said, crawled = await reported(Choosing(False, True, by_page=True), 5)

    assert crawled.stat("rejected_count") == crawled.stat("accepted_count") == 5
    assert said == [True] * 5


@pytest_twisted.ensureDeferred
async def test_one_rejection_is_enough_where_solutions_are_known_to_arrive() -> None:
    said, crawled = await reported(Choosing(True, False, True), 2)

    assert crawled.stat("rejected_count") == 1
    assert sorted(said) == [False, True, True]


class AnotherBrowser:
    """A user agent for each request."""

    def process_request(self, request: Request, spider: Any = None) -> None:
        request.headers["User-Agent"] = f"Browser/{next(_NUMBERS)}"


async def heard(
    rules: Rules, pages: int, *script: Answer, **settings: Any
) -> tuple[list[Report], Crawled]:
    """The reports on a crawl of that many pages of a site with such a captcha."""
    async with sandbox() as running, homemade(running, rules) as site:
        service = running.services["2captcha"]
        service.script(*script)
        own = shopping(running, TwoCaptcha)
        requests = [Request(site.url + path) for path in items(pages)]
        crawled = await crawl(running, requests, {**own, **settings})
        assert crawled.paths == sorted(items(pages))
        return service.reports, crawled


@pytest.mark.parametrize("place", [400, 700, 950])
@pytest.mark.parametrize("good_for", [1, float("inf")])
@pytest_twisted.ensureDeferred
async def test_a_user_agent_that_another_middleware_changes_makes_no_report_of_a_good_solution(
    good_for: float, place: int
) -> None:
    rules = Rules(widget=True, cookie=True, bound=True, good_for=(good_for,), latency=0.01)
    reports, _ = await heard(rules, 4, DOWNLOADER_MIDDLEWARES={AnotherBrowser: place})

    assert all(report.correct for report in reports)


@pytest.mark.parametrize("widget", [False, True])
@pytest_twisted.ensureDeferred
async def test_solutions_that_overlap_in_a_session_make_no_report_of_a_good_one(
    widget: bool,
) -> None:
    rules = Rules(widget=widget, nonce=widget, latency=0.01)
    reports, crawled = await heard(rules, 8, CONCURRENT_REQUESTS=8)

    assert [report.correct for report in reports] == [True] * crawled.stat("accepted_count")


@pytest_twisted.ensureDeferred
async def test_a_wrong_solution_among_good_ones_is_reported_and_no_other() -> None:
    wrong = b'{"errorId": 0, "status": "ready", "solution": {"text": "wrong"}}'
    script = Answer("getTaskResult", times=3), Answer("getTaskResult", body=wrong, status=200)
    reports, crawled = await heard(Rules(), 6, *script, CONCURRENT_REQUESTS=1)

    assert crawled.stat("rejected_count") == 1
    assert sorted(report.correct for report in reports) == [False, *[True] * 6]
