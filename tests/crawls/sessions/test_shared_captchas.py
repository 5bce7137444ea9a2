"""Sites that redirect to one captcha of another site: that site's session is solved for, once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from listening import listening
from scrapy import Request
from twisted.web.resource import Resource
from twisted.web.server import Site
from walls import wall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DOMAINS = ["127.0.0.1", "127.0.0.2", "localhost"]
PAGES = range(1, 7)


class AtHome(Visitor):
    """May be led to these sites after a submission, too."""

    allowed_domains = DOMAINS


class Shared(Resource):
    """A captcha at *gate*, for pages of other hosts, which let in whoever comes back from it.

    A clearance is a cookie of the gate's host, and good for *visits* pages. Pages below ``/free``
    are behind no captcha.
    """

    isLeaf = True  # noqa: N815 - the name in Resource

    def __init__(self, visits: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.gate = ""
        self.visits = visits
        self.left: float = 0
        self.submitted = 0

    def render(self, request: Any) -> bytes:
        path = request.path.decode()
        if path in {"/gate", "/verify"}:
            return self._at_gate(request, path)
        if path.startswith("/free") or request.args.get(b"ticket"):
            return f"<html><body><h1>The page {path}</h1></body></html>".encode()
        url = f"http://{request.getHeader('host')}{path}"
        return self._to(request, f"{self.gate}/gate?next={quote(url, safe='')}")

    def _at_gate(self, request: Any, path: str) -> bytes:
        url = request.args[b"next"][0].decode()
        if path == "/verify":
            self.submitted += 1
            self.left = self.visits
            request.addCookie("clearance", "1", path="/")
        elif not (request.getCookie(b"clearance") and self.left > 0):
            return wall(f"/verify?next={quote(url, safe='')}").encode()
        else:
            self.left -= 1
            return self._to(request, url + "?ticket=1")
        return self._to(request, f"/gate?next={quote(url, safe='')}")

    def _to(self, request: Any, url: str) -> bytes:
        request.setResponseCode(302)
        request.setHeader("Location", url)
        return b""


@asynccontextmanager
async def shared(visits: float = float("inf")) -> AsyncIterator[tuple[Shared, list[str]]]:
    """The running captcha, and the URLs of two sites before it."""
    root = Shared(visits)
    async with listening(Site(root)) as port, listening(Site(root), "127.0.0.2") as other:
        root.gate = f"http://localhost:{port}"
        yield root, [f"http://127.0.0.1:{port}", f"http://127.0.0.2:{other}"]


@pytest.mark.parametrize("scope", ["auto", "site"])
@pytest_twisted.ensureDeferred
async def test_pages_of_two_sites_wait_for_one_solution_of_their_captcha(scope: str) -> None:
    settings = {"CAPTCHA_DOMAINS": DOMAINS, "CAPTCHA_SCOPE": scope}
    async with sandbox({"solve_time": 0.3}) as running, shared() as (root, sites):
        requests = [Request(f"{url}/out/{n}") for n in PAGES for url in sites]
        crawled = await crawl(running, requests, settings)

    assert crawled.reason == "finished"
    assert len(crawled.responses) == len(requests)
    assert running.solver.created == root.submitted == 1
    assert crawled.stat("site/localhost/task_count") == 1


@pytest_twisted.ensureDeferred
async def test_the_other_pages_of_a_site_are_not_held_back_by_it() -> None:
    settings = {
        "CAPTCHA_DOMAINS": DOMAINS,
        "CAPTCHA_SCOPE": "site",
        "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
    }
    async with sandbox({"solve_time": 1.5}) as running, shared() as (_root, sites):
        guarded = [Request(f"{sites[0]}/out/{n}", priority=1) for n in PAGES]
        free = [Request(f"{sites[0]}/free/{n}") for n in range(20)]
        crawled = await crawl(running, guarded + free, settings)

    assert len(crawled.responses) == len(guarded) + len(free)
    ends = {response.url: crawled.times[response.url] for response in crawled.responses}
    last_free = max(at for url, at in ends.items() if "/free/" in url)
    assert last_free < min(at for url, at in ends.items() if "/out/" in url)
    assert crawled.stat("held_count") == 0


@pytest_twisted.ensureDeferred
async def test_a_clearance_there_that_is_good_for_one_page_is_bought_for_each() -> None:
    settings = {"CAPTCHA_DOMAINS": DOMAINS}
    async with sandbox({"solve_time": 0.1}) as running, shared(visits=1) as (_root, sites):
        requests = [Request(f"{url}/out/{n}") for n in PAGES for url in sites]
        crawled = await crawl(running, requests, settings, AtHome)

    assert crawled.reason == "finished"
    assert len(crawled.responses) == len(requests)
    assert running.solver.created <= len(requests) + 3
