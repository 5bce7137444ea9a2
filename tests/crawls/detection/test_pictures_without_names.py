"""A page that is one picture, one field and a button is solved; what is drawn as SVG is given up."""

from __future__ import annotations

import struct
import zlib

import pytest
import pytest_twisted
from crawling import crawl, sandbox
from guarding import Wall, guarded
from scrapy import Request

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="150" height="50"><path d="M1 1L2 2"/></svg>'
FORM = '<form method="post">{}<input name="t"><button>Go</button></form>'


def png() -> bytes:
    """A grey picture of 60 x 20."""
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", 60, 20, 8, 0, 0, 0, 0),
        b"IDAT": zlib.compress((b"\0" + b"\x80" * 60) * 20),
        b"IEND": b"",
    }
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("status", [200, 403])
@pytest_twisted.ensureDeferred
async def test_a_picture_without_a_name_is_solved(status: int) -> None:
    markup = "<title>Are you a robot?</title>" + FORM.format('<img src="/i?n=17">')
    wall = Wall(markup, "t", status, files={"/i": ("image/png", png())})
    async with sandbox() as running, guarded(wall) as own:
        running.solver.book.show_picture(png(), "abc")
        crawled = await crawl(running, [Request(own.url + "/a")])

    assert crawled.reasons == []
    assert own.answers == [{"t": "abc"}]
    assert [r.css("h1::text").get() for r in crawled.responses] == ["Page /a"]
    assert running.solver.created == 1


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize(
    "picture",
    [SVG, '<img src="data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=">', '<img src="/code.svg">'],
)
@pytest_twisted.ensureDeferred
async def test_a_drawing_is_given_up_by_its_reason(picture: str, status: int) -> None:
    markup = "<h1>Type the characters in the picture</h1>" + FORM.format(picture)
    wall = Wall(markup, "t", status, files={"/code.svg": ("image/svg+xml", SVG.encode())})
    async with sandbox() as running, guarded(wall) as own:
        crawled = await crawl(running, [Request(own.url + "/a")])

    assert crawled.responses == []
    assert crawled.reasons == ["svg"]
    assert crawled.stat("dropped_count/svg") == 1
    assert running.solver.created == 0
