"""What hostile sites do: nothing goes where it should not, and little is paid."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
from crawling import Heartbeat, crawl, sandbox
from listening import listening
from scrapy import Request
from serving import Page, Pages, site
from tls import needs_tls, self_signed
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.server import Site
from walls import wall

from scrapy_captcha.sandbox import Guard, Mode, Passage, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.web.server import Request as Asked

PAGES = [f"/page/{n}" for n in range(1, 6)]


class EverNewKeys(Pages):
    """Each page is a wall, each time with another site key, and a POST is met by the next one."""

    def __init__(self) -> None:
        super().__init__({})
        self._numbers = itertools.count()

    def render(self, request: Asked) -> bytes:
        path = request.path.decode()
        self.pages[path] = Page(wall("/verify", key=f"6Le{next(self._numbers):037}"))
        return super().render(request)


@pytest_twisted.ensureDeferred
async def test_ever_new_keys_on_every_page_are_one_wall() -> None:
    root = EverNewKeys()
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running, listening(Site(root)) as port:
        elsewhere = f"http://localhost:{port}"
        fakes = [Request(f"{elsewhere}/{n}") for n in range(40)]
        settings = {"CAPTCHA_DOMAINS": ["127.0.0.1", "localhost"]}
        crawled = await crawl(running, [*fakes, *PAGES], settings)

    assert crawled.paths == PAGES
    assert len(crawled.failures) == 40
    assert running.solver.created - len(PAGES) <= 14


@needs_tls
@pytest.mark.filterwarnings("ignore")  # of Scrapy's and Twisted's TLS
@pytest_twisted.ensureDeferred
async def test_a_form_down_to_http_gets_nothing() -> None:
    async with sandbox() as running, site({}) as plain:
        there = plain.url.replace("127.0.0.1", "localhost")
        root = Pages({"/": Page(wall(f"{there}/verify"))})
        secure = TLSMemoryBIOFactory(self_signed(), isClient=False, wrappedFactory=Site(root))
        async with listening(secure) as port:
            settings = {"CAPTCHA_DOMAINS": ["localhost"]}
            crawled = await crawl(running, [Request(f"https://localhost:{port}/")], settings)

    assert crawled.reasons == ["other_origin"]
    assert running.solver.calls == []
    assert plain.requests == []


@pytest.mark.parametrize("shown", Shown)
@pytest.mark.parametrize("status", [403, 429, 503])
@pytest_twisted.ensureDeferred
async def test_a_captcha_with_an_error_status_is_solved_and_not_retried(
    status: int, shown: Shown
) -> None:
    guard = Guard(mode=Mode.TOKEN, status=status, shown=shown, passage=Passage.REDIRECT)
    async with sandbox(guard=guard) as running:
        crawled = await crawl(running, PAGES)

    assert crawled.paths == PAGES
    assert running.solver.created == len(PAGES)
    assert "retry/count" not in crawled.stats


@pytest_twisted.ensureDeferred
async def test_a_site_that_always_refuses_the_first_answer_costs_two_a_page() -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN, reject_first=1), pages=10) as running:
        crawled = await crawl(running, [f"/page/{n}" for n in range(1, 11)])

    assert len(crawled.responses) == 10
    assert running.solver.created == 20


CONTENT: Mapping[str, str] = {
    "/badge": (
        '<script src="https://www.google.com/recaptcha/api.js?render='
        '6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"></script><h1>Prices</h1>'
        + "<p>Ten boxes of screws, in stock, with a price.</p>"
        * 60
    ),
    "/talk": "<h1>What is a captcha?</h1>" + "<p>A captcha, as g-recaptcha, asks you.</p>" * 60,
    "/comment": "<h1>News</h1><!-- " + wall("/verify") + " -->" + "<p>A long text.</p>" * 60,
}


@pytest_twisted.ensureDeferred
async def test_pages_that_merely_have_to_do_with_captchas_are_content() -> None:
    pages = {path: Page(f"<html><body>{body}</body></html>") for path, body in CONTENT.items()}
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + path) for path in pages])

    assert len(crawled.responses) == len(pages)
    assert running.solver.calls == []


KEY = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
WIDGET = f'<div class="g-recaptcha" data-sitekey="{KEY}"></div>'
BORDER = 950_000  # characters; CAPTCHA_DETECT_MAXSIZE is 1 MB
# What is repeated on a page behind a widget -> how long the page is.
HOSTILE = {
    "<div>": BORDER,
    "<div> ": 10_000_000,
    '="': BORDER,
    "<a ": BORDER,
    "<form>": 110_000,
    '<form action="/x"><input name=a>': 200_000,
    '<input name="captcha" type="text">': 200_000,
    '<img src="captcha.png">': 200_000,
    "<script>grecaptcha.render(": BORDER,
    f"<script>var sitekey='{KEY}';</script>": 200_000,
    "captcha recaptcha hcaptcha cloudflare ": BORDER,
    '{"sitekey":"': BORDER,
    "&amp;&#x41;": BORDER,
    "<!--": BORDER,
    "\0": BORDER,
    "<": BORDER,
}


@pytest_twisted.ensureDeferred
async def test_no_page_blocks_the_reactor() -> None:
    pages = {
        f"/{n}": Page(WIDGET + word * (size // len(word)))
        for n, (word, size) in enumerate(HOSTILE.items())
    }
    hearts = {True: Heartbeat(), False: Heartbeat()}
    async with sandbox() as running, site(pages) as own:
        for enabled, heart in hearts.items():
            requests = [Request(own.url + path) for path in pages]
            settings = {"CAPTCHA_ENABLED": enabled, "CONCURRENT_REQUESTS": 1}
            crawled = await crawl(running, requests, settings, heart=heart)
            assert len(crawled.responses) + len(crawled.failures) == len(HOSTILE)

    # 0.07 s for the worst of them where the machine has nothing else to do.
    assert hearts[True].p99 < hearts[False].p99 + 0.3


@pytest_twisted.ensureDeferred
async def test_what_a_page_says_cannot_write_into_a_log_as_it_likes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    keys = ("6Le\x1b[31mAcTAAAAAJcZVRqyHh71", "6Le\u202eAcTAAAAAJcZVRqyHh71UM", "k" * 100_000)
    pages = {f"/{n}": Page(wall("/verify", key)) for n, key in enumerate(keys)}
    async with sandbox() as running, site(pages) as own:
        crawled = await crawl(running, [Request(own.url + path) for path in pages])

    assert crawled.reasons == ["site_key"] * len(keys)
    assert running.solver.calls == []
    said = [r.getMessage() for r in caplog.records if r.name.startswith("scrapy_captcha")]
    assert said
    assert all(line.isprintable() and len(line) < 1000 for line in said)
