"""No captcha is in Scrapy's HTTP cache, and none comes out of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from scrapy import Request
from scrapy.downloadermiddlewares.httpcache import HttpCacheMiddleware
from serving import Page, site
from twisted.web.resource import EncodingResourceWrapper
from twisted.web.server import GzipEncoderFactory
from walls import wall

from scrapy_captcha import CaptchaMiddleware, Kind
from scrapy_captcha.sandbox import Guard, Mode, Passage, Shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from scrapy.http import Response

    from scrapy_captcha import Captcha
    from scrapy_captcha.sandbox import Sandbox

PATHS = ["/page/1", "/page/2", "/page/3"]
CACHES = "scrapy.extensions.httpcache."
WITHOUT_US = {"CAPTCHA_ENABLED": False}
FOR_AN_HOUR = {"Cache-Control": "max-age=3600"}

every_cache = pytest.mark.parametrize(
    "kind",
    [
        {"HTTPCACHE_STORAGE": CACHES + storage, "HTTPCACHE_POLICY": CACHES + policy}
        for storage in ("FilesystemCacheStorage", "DbmCacheStorage")
        for policy in ("DummyPolicy", "RFC2616Policy")
    ],
    ids=["files-dummy", "files-rfc2616", "dbm-dummy", "dbm-rfc2616"],
)
every_way = pytest.mark.parametrize(
    "guard",
    [
        Guard(mode=Mode.TOKEN),
        Guard(mode=Mode.TOKEN, passage=Passage.JSON),
        Guard(passage=Passage.REDIRECT),
        Guard(shown=Shown.REDIRECT),
        Guard(Kind.AMAZON_WAF, status=405),
        Guard(Kind.IMAGE, status=429),
    ],
    ids=["page", "json", "redirect", "redirected", "cookie", "picture"],
)


class _Front(EncodingResourceWrapper):
    """Compresses what a site answers, adds *headers*, and notes the validators it is sent."""

    def __init__(self, original: Any, headers: Mapping[str, str], *, gzips: bool) -> None:
        encoders = [GzipEncoderFactory()] if gzips else []
        super().__init__(original, encoders)  # type: ignore[no-untyped-call]
        self.headers = headers
        self.asked: list[tuple[str, str | None]] = []

    def render(self, request: Any) -> Any:
        self.asked.append((request.method.decode(), request.getHeader("if-none-match")))
        for name, value in self.headers.items():
            request.setHeader(name, value)
        return self.original.render(request)


@asynccontextmanager
async def cacheable(
    guard: Guard | None, headers: Mapping[str, str] = FOR_AN_HOUR, *, gzips: bool = False
) -> AsyncIterator[tuple[Sandbox, _Front]]:
    """The sandbox, whose site gives *headers* to all that it serves, captchas included."""
    async with sandbox(guard=guard) as running:
        served: Any = running._pages.wrappedFactory
        served.resource = _Front(served.resource, headers, gzips=gzips)
        yield running, served.resource


class OwnCache(HttpCacheMiddleware):
    """As people make them."""


@pytest.fixture
def cache(tmp_path: Path) -> dict[str, Any]:
    return {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": str(tmp_path / "cache")}


@every_cache
@pytest.mark.parametrize("gzips", [False, True], ids=["plain", "gzip"])
@pytest_twisted.ensureDeferred
async def test_a_second_crawl_has_all_pages_from_the_cache(
    cache: dict[str, Any], kind: dict[str, str], gzips: bool
) -> None:
    async with cacheable(Guard(mode=Mode.TOKEN), gzips=gzips) as (running, front):
        first = await crawl(running, PATHS, cache | kind)
        created, asked = running.solver.created, len(front.asked)
        second = await crawl(running, PATHS, cache | kind)

    assert first.paths == second.paths == PATHS
    assert (created, first.stat("accepted_count")) == (3, 3)
    assert (running.solver.created, len(front.asked)) == (created, asked)
    assert second.stats["httpcache/hit"] == 3
    assert first.stats.get("httpcompression/response_count", 0) == (asked if gzips else 0)


@every_cache
@pytest.mark.parametrize("gzips", [False, True], ids=["plain", "gzip"])
@pytest_twisted.ensureDeferred
async def test_a_cache_full_of_captchas_heals(
    cache: dict[str, Any], kind: dict[str, str], gzips: bool
) -> None:
    async with cacheable(Guard(mode=Mode.TOKEN), gzips=gzips) as (running, _):
        poisoned = await crawl(running, PATHS, cache | kind | WITHOUT_US)
        healing = await crawl(running, PATHS, cache | kind)
        healed = await crawl(running, PATHS, cache | kind)

    assert ["g-recaptcha" in r.text for r in poisoned.responses] == [True] * 3
    assert healing.paths == healed.paths == PATHS
    assert not any("g-recaptcha" in r.text for r in healing.responses + healed.responses)
    assert not any("cache_timestamp" in r.meta for r in healing.responses)
    assert running.solver.created == 3
    assert healed.stats["httpcache/hit"] == 3


@every_way
@pytest_twisted.ensureDeferred
async def test_whatever_way_the_page_comes_it_is_cached_as_its_own_request(
    cache: dict[str, Any], guard: Guard
) -> None:
    async with cacheable(guard) as (running, _):
        await crawl(running, PATHS, cache | WITHOUT_US)
        first = await crawl(running, PATHS, cache)
        created = running.solver.created
        second = await crawl(running, PATHS, cache)

    assert first.paths == second.paths == PATHS
    assert first.stat("rejected_count") == 0
    assert running.solver.created == created
    assert second.stats["httpcache/hit"] == 3
    assert "httpcache/miss" not in second.stats


@every_cache
@pytest_twisted.ensureDeferred
async def test_offline_a_cached_captcha_is_not_in_the_cache(
    cache: dict[str, Any], kind: dict[str, str]
) -> None:
    async with cacheable(Guard()) as (running, front):
        await crawl(running, PATHS, cache | kind | WITHOUT_US)
        asked = len(front.asked)
        crawled = await crawl(running, PATHS, cache | kind | {"HTTPCACHE_IGNORE_MISSING": True})

    assert crawled.responses == []
    assert ["not in cache" in str(f.value) for f in crawled.failures] == [True] * 3
    assert crawled.stats["httpcache/ignore"] == 3
    assert (running.solver.calls, len(front.asked)) == ([], asked)


@pytest_twisted.ensureDeferred
async def test_nothing_is_validated_with_a_captcha(cache: dict[str, Any]) -> None:
    policy = {"HTTPCACHE_POLICY": CACHES + "RFC2616Policy"}
    stale = {"Cache-Control": "max-age=0", "ETag": '"captcha"'}
    async with cacheable(Guard(), stale) as (running, front):
        await crawl(running, PATHS, cache | policy | WITHOUT_US)
        crawled = await crawl(running, PATHS, cache | policy)

    assert crawled.paths == PATHS
    assert {validator for _, validator in front.asked} == {None}


@pytest.mark.parametrize("kind", [Kind.RECAPTCHA_V2, Kind.AMAZON_WAF])
@pytest_twisted.ensureDeferred
async def test_the_validators_of_a_stale_page_go_with_no_solution(
    cache: dict[str, Any], kind: Kind
) -> None:
    policy = {"HTTPCACHE_POLICY": CACHES + "RFC2616Policy"}
    stale = {"Cache-Control": "max-age=0", "ETag": '"page"'}
    async with cacheable(None, stale) as (running, front):
        await crawl(running, ["/page/1"], cache | policy)
        front.asked.clear()
        running.site.options = replace(
            running.site.options, guard=Guard(kind, passage=Passage.JSON)
        )
        crawled = await crawl(running, ["/page/1"], cache | policy)

    assert crawled.paths == ["/page/1"]
    first, *others = front.asked
    assert first == ("GET", '"page"')
    assert {validator for _, validator in others} == {None}


@pytest_twisted.ensureDeferred
async def test_a_captcha_is_no_substitute_for_a_page_that_cannot_be_fetched(
    cache: dict[str, Any],
) -> None:
    policy = {"HTTPCACHE_POLICY": CACHES + "RFC2616Policy"}
    async with sandbox() as running:
        async with site({"/": Page(wall("/verify"), headers={"ETag": '"a"'})}) as own:
            await crawl(running, [Request(own.url + "/")], cache | policy | WITHOUT_US)
        crawled = await crawl(running, [Request(own.url + "/")], cache | policy)

    assert crawled.responses == []
    assert "httpcache/errorrecovery" not in crawled.stats
    assert running.solver.calls == []


@pytest_twisted.ensureDeferred
async def test_a_meta_refresh_from_the_cache_does_not_lead_to_the_captcha_again(
    cache: dict[str, Any],
) -> None:
    class Opening(Visitor):
        def captcha_submit(self, request: Request, captcha: Captcha, solution: Any) -> Request:
            own.pages["/"] = Page("<h1>page</h1>")
            return request.replace(url=own.url + "/verify", dont_filter=True)

    refresh = '<html><head><meta http-equiv="refresh" content="0; url=/captcha"></head></html>'
    pages = {"/": Page(refresh), "/captcha": Page(wall("/verify"))}
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + "/")], cache, Opening)
        again = await crawl(running, [Request(own.url + "/")], cache, Opening)

    assert crawled.paths == again.paths == ["/"]
    assert running.solver.created == 1


@pytest_twisted.ensureDeferred
async def test_a_captcha_that_is_given_up_is_not_stored(cache: dict[str, Any]) -> None:
    settings = cache | {"CAPTCHA_RETRY_TIMES": 1, "CAPTCHA_ON_GIVE_UP": "pass"}
    async with cacheable(Guard(mode=Mode.WALL)) as (running, _):
        await crawl(running, ["/page/1"], settings)
        running.site.options = replace(running.site.options, guard=None)
        crawled = await crawl(running, ["/page/1"], settings)

    assert "Item 1" in crawled.responses[0].text


@pytest_twisted.ensureDeferred
async def test_captchas_that_are_to_be_left_alone_are_cached_as_they_are(
    cache: dict[str, Any],
) -> None:
    async with cacheable(Guard()) as (running, front):
        request = Request(running.site_url + "/page/1", meta={"captcha": False})
        await crawl(running, [request.copy()], cache)
        crawled = await crawl(running, [request.copy()], cache)

    assert "g-recaptcha" in crawled.responses[0].text
    assert (len(front.asked), crawled.stats["httpcache/hit"]) == (1, 1)


@pytest_twisted.ensureDeferred
async def test_the_spiders_own_detection_holds_for_the_cache(cache: dict[str, Any]) -> None:
    class Blind(Visitor):
        def captcha_detect(self, response: Response) -> None:
            return None

    async with cacheable(Guard()) as (running, front):
        await crawl(running, ["/page/1"], cache, Blind)
        crawled = await crawl(running, ["/page/1"], cache, Blind)

    assert "g-recaptcha" in crawled.responses[0].text
    assert len(front.asked) == 1


@pytest_twisted.ensureDeferred
async def test_an_old_picture_is_not_read_for_a_new_captcha(cache: dict[str, Any]) -> None:
    async with cacheable(Guard(Kind.IMAGE)) as (running, _):
        crawled = await crawl(running, ["/page/1"], cache)

    assert crawled.paths == ["/page/1"]
    assert crawled.stats["httpcache/store"] == 1


@pytest.mark.parametrize(
    ("settings", "request_"),
    [
        ({}, {"meta": {"dont_cache": True}}),
        ({"HTTPCACHE_IGNORE_HTTP_CODES": [200]}, {}),
        (
            {"HTTPCACHE_POLICY": CACHES + "RFC2616Policy"},
            {"headers": {"Cache-Control": "no-store"}},
        ),
    ],
    ids=["meta", "response", "request"],
)
@pytest_twisted.ensureDeferred
async def test_what_is_not_to_be_cached_is_not_cached_after_its_captcha(
    cache: dict[str, Any], settings: dict[str, Any], request_: dict[str, Any]
) -> None:
    async with cacheable(Guard(mode=Mode.TOKEN)) as (running, _):
        requests = [Request(running.site_url + path, **request_) for path in PATHS]
        first = await crawl(running, requests, cache | settings)
        second = await crawl(running, PATHS, cache | settings)

    assert first.paths == second.paths == PATHS
    assert "httpcache/hit" not in second.stats


@pytest_twisted.ensureDeferred
async def test_it_works_without_the_addon_and_on_a_cache_of_ones_own(cache: dict[str, Any]) -> None:
    theirs = "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware"
    own = {OwnCache: 900, theirs: None, CaptchaMiddleware: 585}
    settings = cache | {"ADDONS": {}, "DOWNLOADER_MIDDLEWARES": own}
    async with cacheable(Guard(mode=Mode.TOKEN), gzips=True) as (running, _):
        await crawl(running, PATHS, settings)
        crawled = await crawl(running, PATHS, settings)

    assert crawled.paths == PATHS
    assert running.solver.created == 3


@pytest_twisted.ensureDeferred
async def test_a_page_that_cannot_be_decoded_is_scrapys_affair(cache: dict[str, Any]) -> None:
    pages = {"/": Page("no gzip at all", headers={"Content-Encoding": "gzip"})}
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + "/")], cache)

    assert crawled.reasons == ["BadGzipFile(\"Not a gzipped file (b'no')\")"]
    assert crawled.stats["httpcache/store"] == 1
