"""A page names the picture of its captcha: neither the machine nor its network is read for that."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from listening import listening
from proxying import proxies
from scrapy import Request
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHostnameResolver
from twisted.web.resource import Resource
from twisted.web.server import Site
from zope.interface import implementer

from scrapy_captcha.sandbox.pictures import draw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from twisted.web.server import Request as Asked

    from scrapy_captcha.sandbox import Sandbox

SECRET = "<!doctype html><title>Your account</title><p>Nonce 7c1d-8841-secret, balance 1,000"
PAGE = (
    '<!doctype html><title>Security check</title><form method=post action="/verify">'
    '<p>Type what you see to go on<img src="{}" alt=captcha width=160 height=60>'
    "<input type=text name=captcha><button>Go on</button></form>"
)


class Shop(Resource):
    """Shows a wall whose picture is at *picture*; anything else that it has is secret."""

    isLeaf = True  # noqa: N815 - the name in Resource

    def __init__(self, picture: str = "") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.picture = picture
        self.redirect = ""
        self.asked: list[str] = []
        self.referers: list[str | None] = []

    def render(self, request: Asked) -> bytes:
        path = request.path.decode()
        self.asked.append(path)
        if path.startswith("/page"):
            request.setHeader("Content-Type", "text/html")
            return PAGE.format(self.picture).encode()
        self.referers.append(request.getHeader("referer"))
        if path == "/away":
            request.setResponseCode(302)
            request.setHeader("Location", self.redirect)
            return b""
        if path == "/captcha.png":
            request.setHeader("Content-Type", "image/png")
            return draw("5K3M9")
        request.setHeader("Content-Type", "image/png")  # a lie
        return SECRET.encode()


@asynccontextmanager
async def two_shops() -> AsyncIterator[tuple[Shop, int, Shop, int]]:
    shop, other = Shop(), Shop()
    async with listening(Site(shop)) as port, listening(Site(other)) as other_port:
        yield shop, port, other, other_port


def pictures_sent(running: Sandbox) -> list[Any]:
    tasks = [
        call.payload["task"]
        for call in running.solver.calls
        if call.method == "createTask" and call.payload
    ]
    return [task.get("body") for task in tasks]


ELSEWHERE = [
    "http://127.0.0.1:{}/latest",  # the page's own host, another program
    "http://localhost:{}/latest",
    "http://2130706433:{}/latest",
    "http://0x7f.1:{}/latest",
    "http://[::ffff:127.0.0.1]:{}/latest",
    "http://user:password@127.0.0.1:{}/latest",
    "file:///etc/passwd#{}",
]


@pytest.mark.parametrize("is_redirected", [False, True], ids=["named", "redirected"])
@pytest.mark.parametrize("picture", ELSEWHERE)
@pytest_twisted.ensureDeferred
async def test_nothing_else_on_this_machine_is_read_as_a_picture(
    picture: str, is_redirected: bool
) -> None:
    async with sandbox() as running, two_shops() as (shop, port, other, other_port):
        elsewhere = picture.format(other_port)
        shop.picture, shop.redirect = ("/away" if is_redirected else elsewhere), elsewhere
        start = Request(f"http://127.0.0.1:{port}/page")
        settings = {"CAPTCHA_DOMAINS": ["127.0.0.1"], "CAPTCHA_RETRY_TIMES": 1}
        crawled = await crawl(running, [start], settings)

    assert other.asked == []
    assert pictures_sent(running) == []
    assert ("/away" in shop.asked) == is_redirected
    if not picture.startswith("file:") or is_redirected:
        assert crawled.reasons == ["picture"]


@pytest_twisted.ensureDeferred
async def test_a_private_page_of_the_session_is_not_sent_to_the_service() -> None:
    async with sandbox() as running, two_shops() as (shop, port, _, _):
        shop.picture = "/account"
        start = Request(f"http://127.0.0.1:{port}/page")
        crawled = await crawl(running, [start], {"CAPTCHA_RETRY_TIMES": 1})

    assert "/account" in shop.asked
    assert pictures_sent(running) == []
    assert crawled.reasons == ["picture"]


class Allowing(Visitor):
    allowed_domains = ["127.0.0.1", "localhost", "shop.test", "img.shop.test"]


@pytest_twisted.ensureDeferred
async def test_a_picture_from_an_allowed_domain_is_fetched_and_sent() -> None:
    """The page is on this machine itself, and so may its picture be."""
    async with sandbox() as running, two_shops() as (shop, port, _, _):
        shop.picture = "/away"
        shop.redirect = f"http://localhost:{port}/captcha.png"
        start = Request(f"http://127.0.0.1:{port}/page?secret=1")
        settings = {"CAPTCHA_DOMAINS": None, "CAPTCHA_RETRY_TIMES": 1}
        await crawl(running, [start], settings, Allowing)

    assert shop.asked[:3] == ["/page", "/away", "/captcha.png"]
    own = f"http://127.0.0.1:{port}/"
    assert shop.referers[:2] == [f"{own}page?secret=1", own]
    assert pictures_sent(running)


@implementer(IHostnameResolver)
class Names:
    """Resolves names as *addresses* says."""

    def __init__(self, addresses: dict[str, list[str]]) -> None:
        self._addresses = addresses

    # The interface has no self, and names that are Twisted's.
    def resolveHostName(  # type: ignore[override]  # noqa: N802
        self,
        receiver: Any,
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        **kwargs: Any,
    ) -> Any:
        receiver.resolutionBegan(self)
        for address in self._addresses.get(hostName, [hostName] if hostName[:1].isdigit() else []):
            receiver.addressResolved(IPv4Address("TCP", address, portNumber))
        receiver.resolutionComplete()
        return self


@pytest.fixture
def names() -> Iterator[dict[str, list[str]]]:
    """What names resolve to in the reactor of the tests."""
    from twisted.internet import reactor

    untyped: Any = reactor
    addresses: dict[str, list[str]] = {}
    before = untyped.installNameResolver(Names(addresses))
    yield addresses
    untyped.installNameResolver(before)


@pytest.mark.parametrize(
    ("shop_test", "is_fetched"),
    # A connection is made to the first; that there is a second makes the page a public one.
    [(["127.0.0.1", "203.0.113.7", "9.9.9.9"], False), (["127.0.0.1"], True)],
    ids=["public", "private"],
)
@pytest_twisted.ensureDeferred
async def test_a_name_that_leads_into_the_private_network_is_not_asked_for_a_public_page(
    shop_test: list[str], is_fetched: bool, names: dict[str, list[str]]
) -> None:
    names |= {"shop.test": shop_test, "img.shop.test": ["127.0.0.1"]}
    async with sandbox() as running, two_shops() as (shop, port, _, _):
        shop.picture = f"http://img.shop.test:{port}/captcha.png"
        start = Request(f"http://shop.test:{port}/page")
        settings = {"CAPTCHA_DOMAINS": None, "CAPTCHA_RETRY_TIMES": 1}
        await crawl(running, [start], settings, Allowing)

    assert shop.asked[0] == "/page"
    assert ("/captcha.png" in shop.asked) == is_fetched
    assert bool(pictures_sent(running)) == is_fetched


@pytest_twisted.ensureDeferred
async def test_a_private_address_is_not_asked_for_through_a_proxy_either() -> None:
    async with sandbox() as running, two_shops() as (shop, port, _, _), proxies("") as (proxy,):
        shop.picture = "http://169.254.169.254/latest/meta-data/"
        start = Request(f"http://127.0.0.1:{port}/page", meta={"proxy": proxy.url})
        crawled = await crawl(running, [start], {"CAPTCHA_RETRY_TIMES": 1})

    assert not any("169.254" in url for url in proxy.served)
    assert pictures_sent(running) == []
    assert crawled.reasons == ["picture"]
