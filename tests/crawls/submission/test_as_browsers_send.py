"""A form is sent in the encoding of its page, and says where it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import Visitor, crawl, sandbox
from listening import listening
from scrapy import Request
from tls import needs_tls, self_signed
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.resource import Resource
from twisted.web.server import Site
from walls import wall

from scrapy_captcha import captcha_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scrapy.http import Response
    from twisted.web.server import Request as Asked

TEXT = "<p>Ten boxes of screws, in stock, with a price and a number.</p>" * 30


@dataclass
class Strict(Resource):
    """Opens a page to those that send the bytes of *word*, and what *demands* says, with a form."""

    word: str
    codec: str
    page_charset: str
    attributes: str = ""
    head: str = ""
    demands: Mapping[str, str | None] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: str = ""
    isLeaf = True  # noqa: N815 - the name in Resource

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.posted: list[bytes] = []

    def render(self, request: Asked) -> bytes:
        request.setHeader("Content-Type", "text/html")
        for name, value in self.headers.items():
            request.setHeader(name, value)
        if request.method == b"POST":
            posted = request.args[b"word"][0]
            self.posted.append(posted)
            right = posted == self.word.encode(self.codec, "xmlcharrefreplace")
            if right and all(request.getHeader(k) == v for k, v in self.demands.items()):
                return f"<h1>Item</h1>{TEXT}".encode()
        page = wall(request.path.decode()).replace(
            'name="a" value="b"', f'name="word" value="{self.word}"'
        )
        page = page.replace("<form ", f"<form {self.attributes} ")
        head = f'<head><meta charset="{self.page_charset}">{self.head}'
        page = page.replace("<head>", head).replace("<body>", f"<body>{self.content}")
        return page.encode(self.page_charset, "xmlcharrefreplace")


SENT = [
    ("слово", "cp1251", "windows-1251", ""),
    ("字词", "gbk", "GBK", ""),
    ("字词", "gbk", "gb2312", ""),
    ("naïve €", "cp1252", "iso-8859-15", 'accept-charset="iso-8859-1"'),
    ("слово", "utf-8", "windows-1251", 'accept-charset="UTF-8"'),
    ("слово", "cp1251", "utf-8", 'accept-charset="unheard-of windows-1251 utf-8"'),
    ("слово 字 😀", "cp1251", "windows-1251", ""),
    ("слово", "utf-8", "utf-8", ""),
]


@pytest.mark.parametrize(("word", "codec", "charset", "attributes"), SENT)
@pytest_twisted.ensureDeferred
async def test_fields_go_in_the_encoding_of_the_page(
    word: str, codec: str, charset: str, attributes: str
) -> None:
    root = Strict(word, codec, charset, attributes)
    async with sandbox() as running, listening(Site(root)) as port:
        crawled = await crawl(running, [Request(f"http://127.0.0.1:{port}/1")])

    assert root.posted[:1] == [word.encode(codec, "xmlcharrefreplace")]
    assert len(crawled.responses) == 1
    assert running.solver.created <= 2


@pytest_twisted.ensureDeferred
async def test_so_they_do_for_a_form_of_a_spider() -> None:
    class Asking(Visitor):
        async def parse(self, response: Any, **kwargs: Any) -> Any:
            yield await captcha_request(
                self,
                response,
                formdata={"word": "слово 字"},
                callback=self.found,
            )

        def found(self, response: Response) -> None:
            self.crawled.responses.append(response)

    root = Strict("слово 字", "cp1251", "windows-1251", content=TEXT)
    async with sandbox() as running, listening(Site(root)) as port:
        crawled = await crawl(running, [Request(f"http://127.0.0.1:{port}/1")], spider=Asking)

    assert root.posted == ["слово 字".encode("cp1251", "xmlcharrefreplace")]
    assert ["Item" in response.text for response in crawled.responses] == [True]


FULL, BARE = "HERE/1", "HERE/"
POLICIES = [
    ("", {}, {}, FULL, "HERE"),
    ('<meta name="referrer" content="origin">', {}, {}, BARE, "HERE"),
    ('<meta name="Referrer" content="no-referrer">', {}, {}, None, "null"),
    ("", {"Referrer-Policy": "same-origin"}, {}, FULL, "HERE"),
    ("", {"Referrer-Policy": "no-such, strict-origin"}, {}, BARE, "HERE"),
    ("", {}, {"REFERRER_POLICY": "origin"}, BARE, "HERE"),
    (
        '<meta name="referrer" content="same-origin">',
        {},
        {"REFERRER_POLICY": "origin"},
        FULL,
        "HERE",
    ),
]


@needs_tls
@pytest.mark.filterwarnings("ignore")  # of Scrapy's and Twisted's TLS
@pytest.mark.parametrize(("head", "headers", "settings", "referer", "origin"), POLICIES)
@pytest_twisted.ensureDeferred
async def test_it_says_where_it_was_as_far_as_the_page_and_scrapy_let_it(
    head: str, headers: dict[str, str], settings: dict[str, Any], referer: str | None, origin: str
) -> None:
    """Django's check of forms over TLS wants both."""
    root = Strict("a", "utf-8", "utf-8", head=head, headers=headers)
    secure = TLSMemoryBIOFactory(self_signed(), isClient=False, wrappedFactory=Site(root))
    async with sandbox() as running, listening(secure) as port:
        here = f"https://localhost:{port}"
        said = referer.replace("HERE", here) if referer else None
        root.demands = {"Referer": said, "Origin": origin.replace("HERE", here)}
        domains = {"CAPTCHA_DOMAINS": ["localhost"]}
        crawled = await crawl(running, [Request(here + "/1")], settings | domains)

    assert len(crawled.responses) == 1
    assert running.solver.created <= 2
