"""One solution per need: what is bought when many pages of a site ask for captchas at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, path_of, sandbox
from scrapy import Request

from scrapy_captcha import Kind, build_submission
from scrapy_captcha.sandbox import Answer, Guard, Mode, Passage, Shown
from scrapy_captcha.sessions import in_flight as newcomers

if TYPE_CHECKING:
    from scrapy.http import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.http import Response

PAGES = [f"/page/{n}" for n in range(1, 41)]


@pytest.mark.parametrize("scope", ["auto", "site"])
@pytest_twisted.ensureDeferred
async def test_a_site_that_one_solution_opens_is_solved_once(scope: str) -> None:
    async with sandbox({"solve_time": 0.2}, pages=40) as running:
        crawled = await crawl(running, PAGES, {"CAPTCHA_SCOPE": scope})

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created == 1
    assert running.site.gate.rejected == {}
    assert crawled.stat("shared_count") >= 1


@pytest.mark.parametrize("scope", ["auto", "page"])
@pytest_twisted.ensureDeferred
async def test_a_site_that_wants_a_solution_for_each_page_is_given_as_many(scope: str) -> None:
    guard = Guard(Kind.IMAGE, Mode.TOKEN)
    async with sandbox(guard=guard, pages=40, session_bound=False) as running:
        crawled = await crawl(running, PAGES, {"CAPTCHA_SCOPE": scope})

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created == 40
    assert running.book.unused == 0
    assert running.site.gate.rejected == {}


@pytest_twisted.ensureDeferred
async def test_no_page_is_bought_for_before_its_site_knows_the_session() -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=40) as running:
        crawled = await crawl(running, PAGES, {"CAPTCHA_SCOPE": "page"})

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created == 40
    assert running.site.gate.rejected == {}


@pytest_twisted.ensureDeferred
async def test_sessions_of_their_own_are_solved_each() -> None:
    async with sandbox({"solve_time": 0.1}, pages=40) as running:
        requests = [
            Request(running.site_url + path, meta={"cookiejar": number % 3})
            for number, path in enumerate(PAGES)
        ]
        crawled = await crawl(running, requests)

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created == 3


@pytest.mark.parametrize("error", ["UNSOLVABLE", "INPUT_BAD_TYPE"])
@pytest_twisted.ensureDeferred
async def test_when_the_one_that_solves_is_given_up_the_others_solve_for_themselves(
    error: str,
) -> None:
    async with sandbox(pages=40) as running:
        running.solver.script(Answer(error=error, retryable=False))
        crawled = await crawl(running, PAGES[:10])

    assert crawled.reasons == [error]
    assert len(crawled.responses) == 9


@pytest_twisted.ensureDeferred
async def test_when_the_one_that_solves_cannot_be_fetched_the_others_solve_for_themselves() -> None:
    class Unlucky(Visitor):
        def captcha_submit(self, request: Request, captcha: Any, solution: Any) -> Request:
            self.submitted = getattr(self, "submitted", 0) + 1
            if self.submitted == 1:
                raise ZeroDivisionError
            return build_submission(request, captcha, solution)

    async with sandbox(pages=40) as running:
        crawled = await crawl(running, PAGES[:10], spider=Unlucky)

    assert len(crawled.responses) == 9
    assert [failure.type for failure in crawled.failures] == [ZeroDivisionError]


@pytest_twisted.ensureDeferred
async def test_a_first_answer_that_is_refused_keeps_the_others_waiting() -> None:
    async with sandbox(guard=Guard(reject_first=1), pages=40) as running:
        crawled = await crawl(running, PAGES)

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created <= 2


@pytest_twisted.ensureDeferred
async def test_where_a_solution_opens_the_site_new_pages_wait_instead_of_meeting_its_captcha() -> (
    None
):
    async with sandbox({"solve_time": 0.5}, pages=40) as running:
        crawled = await crawl(
            running, PAGES, {"CAPTCHA_SCOPE": "site", "CONCURRENT_REQUESTS_PER_DOMAIN": 2}
        )

    assert crawled.paths == sorted(PAGES)
    assert running.solver.created == 1
    assert crawled.stat("held_count") >= 20
    assert crawled.stat("detected_count") + crawled.stat("held_count") >= 40
    # Each page, its captcha where it met one, one submission, one captcha that was too old.
    assert len(running.site.requests) <= 40 + crawled.stat("detected_count") + 2


@pytest_twisted.ensureDeferred
async def test_after_the_one_that_solves_is_given_up_one_other_solves_for_all() -> None:
    async with sandbox({"solve_time": 0.3}, pages=40) as running:
        running.solver.script(Answer(error="UNSOLVABLE", retryable=False))
        crawled = await crawl(running, PAGES, {"CAPTCHA_SCOPE": "site"})

    assert len(crawled.responses) == 39
    assert crawled.reasons == ["UNSOLVABLE"]
    assert running.solver.created == 1


@pytest_twisted.ensureDeferred
async def test_a_free_page_lets_those_go_that_were_held_back() -> None:
    """With the site's solution far away, the free pages behind its guarded ones come all the same."""
    free = [f"/page/{n}" for n in range(4, 41)]
    settings = {"CAPTCHA_SCOPE": "site", "CLOSESPIDER_ITEMCOUNT": 0, "CLOSESPIDER_TIMEOUT": 3}
    async with sandbox({"solve_time": 60}, guards=dict.fromkeys(free), pages=40) as running:
        slow = [Request(running.site_url + free[0], priority=10)]
        running.site.options = replace(
            running.site.options, latency=lambda path: 0.6 * (path == free[0])
        )
        crawled = await crawl(running, [*slow, *PAGES[:3], *free[1:]], settings)

    assert crawled.paths == sorted(free)


@pytest_twisted.ensureDeferred
async def test_a_slow_page_is_not_bought_for_when_its_session_has_been_opened_meanwhile() -> None:
    class Second(Visitor):
        """Asks for guarded pages once the site knows its session."""

        def parse(self, response: Response, **kwargs: Any) -> Any:
            super().parse(response)
            if path_of(response) == "/":
                for path in PAGES[:3]:
                    yield Request(response.urljoin(path))

    slow = {PAGES[1]: 0.7, PAGES[2]: 0.7}
    async with sandbox(pages=40, latency=lambda path: slow.get(path, 0.0)) as running:
        crawled = await crawl(running, ["/"], spider=Second)

    assert crawled.paths == ["/", *PAGES[:3]]
    assert running.solver.created == 1


@pytest_twisted.ensureDeferred
async def test_pictures_of_sessions_that_the_jar_has_lost_are_shown_anew() -> None:
    """A free page gives no cookie; then each captcha of those that go out together gives one."""

    class Second(Visitor):
        def parse(self, response: Response, **kwargs: Any) -> Any:
            super().parse(response)
            if path_of(response) == PAGES[0]:
                for path in PAGES[1:7]:
                    yield Request(response.urljoin(path), errback=self.failed)

    async with sandbox(
        guard=Guard(Kind.IMAGE, Mode.TOKEN),
        guards={PAGES[0]: None},
        pages=40,
        latency=lambda path: 0.2 if path in PAGES[1:7] else 0.0,
    ) as running:
        crawled = await crawl(running, PAGES[:1], {"CAPTCHA_SCOPE": "page"}, Second)

    assert crawled.reasons == []
    assert crawled.paths == PAGES[:7]


@pytest_twisted.ensureDeferred
async def test_pages_that_waited_for_room_in_the_lot_are_not_held_for_what_is_over() -> None:
    settings = {"CAPTCHA_MAX_PARKED": 2, "CAPTCHA_SCOPE": "site", "CLOSESPIDER_TIMEOUT": 90}
    async with sandbox({"solve_time": 0.3}, pages=40) as running:
        crawled = await crawl(running, PAGES, settings)

    assert crawled.paths == sorted(PAGES)
    assert crawled.stat("held_count") > 2
    assert running.solver.created == 1


@pytest_twisted.ensureDeferred
async def test_a_page_that_gets_lost_before_the_site_knows_the_session_stops_no_purchase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A redirect leads it where another has been already: Scrapy's dupefilter drops it."""
    monkeypatch.setattr(newcomers, "_LONGEST_WAIT", 0.3)
    guard = Guard(mode=Mode.TOKEN, shown=Shown.REDIRECT, passage=Passage.REDIRECT)
    settings = {"CLOSESPIDER_TIMEOUT": 90}
    async with sandbox(guard=guard, pages=40) as running:
        paths = ["/captcha?next=/page/1", *PAGES[:4]]
        crawled = await crawl(running, paths, settings)

    assert crawled.reason == "finished"
    assert set(PAGES[1:4]) <= set(crawled.paths)


@pytest.mark.parametrize("mode", [Mode.CLEARANCE, Mode.TOKEN])
@pytest_twisted.ensureDeferred
async def test_a_session_that_begins_at_the_first_captcha_is_known_before_anything_is_bought(
    mode: Mode,
) -> None:
    """The free page that comes first sets no cookie: each captcha of the first crowd sets one."""

    class Following(Visitor):
        async def start(self) -> AsyncIterator[Request]:
            first, *self.following = [request async for request in super().start()]
            yield first.replace(callback=self.follow)

        def follow(self, response: Response) -> list[Request]:
            self.parse(response)
            return self.following

    guards = {"/page/41": None}
    async with sandbox(guard=Guard(mode=mode), guards=guards, pages=41, latency=0.02) as running:
        crawled = await crawl(running, ["/page/41", *PAGES], spider=Following)

    assert crawled.paths == sorted([*PAGES, "/page/41"])
    assert running.site.gate.rejected == {}
    assert running.solver.created == (1 if mode is Mode.CLEARANCE else 40)


@pytest_twisted.ensureDeferred
async def test_a_session_that_changed_before_anybody_met_a_captcha_is_shown_one_of_its_own() -> (
    None
):
    """Two free pages set a cookie each; the slower one's comes while the captcha is on its way."""

    class Following(Visitor):
        def parse(self, response: Response, **kwargs: Any) -> Any:
            super().parse(response)
            if path_of(response) == "/":
                yield Request(response.urljoin("/page/1"), errback=self.failed)

    latency = {"/": 0.0, "/search": 0.3, "/page/1": 0.6}
    guards = {"/search": None}
    async with sandbox(guard=Guard(mode=Mode.TOKEN), guards=guards, latency=latency.get) as running:
        crawled = await crawl(running, ["/search", "/"], spider=Following)

    assert crawled.paths == ["/", "/page/1", "/search"]
    assert running.site.gate.rejected == {}
    assert running.solver.created == 1
