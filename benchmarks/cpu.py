"""What the plugin costs a crawl without captchas: ``python benchmarks/cpu.py``.

Whole crawls of a local site, with the plugin and without, each in a process of its own and taking
turns. What is compared is their user CPU time, start-up included, with all modules compiled, as pip
leaves them; a process apart serves the site. The limit is for the median of the rounds, each of
which compares two crawls that ran one after the other: few machines are as fast as a minute ago.
Two crawls are measured: "read", of pages of 50 kB that a spider reads as spiders do, and "trivial",
of pages of 1 kB that it does nothing with. The exit code is 1 where a limit is broken.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from argparse import ArgumentParser
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SIZES = {"read": 50_000, "trivial": 1_000}
LIMITS = {"read": 0.02, "trivial": None}
_CARD = """<div class="card" id="item-{n}"><h2><a href="/page/{n}">A chair, number {n}</a></h2>
<p class="text">The third chapter tells how each of the craftsmen chose a piece of wood.</p>
<ul class="facts"><li>oak</li><li>1890</li></ul><img src="/img/{n}.jpg" alt="chair">
<span class="price" data-currency="EUR">{n}.50</span></div>
"""
_ROW = "{:10}{:>10}{:>10}{:>8}  {:<16}{}\n"


@dataclass(frozen=True)
class Turn:
    """User CPU seconds of two crawls that ran one after the other."""

    without: float
    plugin: float

    @property
    def extra(self) -> float:
        """The plugin's share, of what the crawl needs without it."""
        return self.plugin / self.without - 1


def page(size: int) -> bytes:
    """A page of *size* bytes or a little more."""
    cards = ""
    while len(cards) < size:
        cards += _CARD.format(n=len(cards))
    return f"<!DOCTYPE html><html><head><title>Chairs</title></head><body>{cards}</body>".encode()


class _Site(asyncio.Protocol):
    """Answers each request with the same page, over connections that are kept."""

    answer = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        self._transport.write(self.answer * len(requests))


async def _serve(size: int) -> None:
    body = page(size)
    _Site.answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    server = await asyncio.get_running_loop().create_server(_Site, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def _crawl(port: int, pages: int, kind: str, *, plugin: bool) -> None:
    from scrapy import Request, Spider
    from scrapy.crawler import AsyncCrawlerProcess

    class Reader(Spider):
        name = "reader"
        allowed_domains = ("127.0.0.1",)

        async def start(self) -> AsyncIterator[Request]:
            for number in range(pages):
                yield Request(
                    f"http://127.0.0.1:{port}/page/{number}", callback=getattr(self, kind)
                )

        def read(self, response: Any) -> Iterator[dict[str, Any]]:
            for card in response.css("div.card")[:20]:
                yield {
                    "title": card.css("h2 a::text").get(),
                    "link": response.urljoin(card.css("h2 a::attr(href)").get()),
                    "facts": card.css("ul.facts li::text").getall(),
                    "price": card.css(".price::text").get(),
                }

        def trivial(self, response: Any) -> None:
            pass

    settings: dict[str, Any] = {"LOG_LEVEL": "INFO", "TELNETCONSOLE_ENABLED": False}
    if plugin:
        settings |= {
            "ADDONS": {"scrapy_captcha.Addon": 500},
            "CAPTCHA_API_URL": "http://127.0.0.1:9",
            "CAPTCHA_API_KEY": "unused",
        }
    process = AsyncCrawlerProcess(settings)
    process.crawl(Reader)
    process.start()


def seconds(port: int, pages: int, kind: str, *, plugin: bool, compiled: str) -> float:
    """The user CPU time of a crawl, which must come to a good end.

    Python's compiled modules are kept in the folder *compiled*.
    """
    command = [sys.executable, __file__, "crawl", str(port), str(pages), kind, str(int(plugin))]
    environment = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": compiled,
        "PYTHONHASHSEED": "0",  # else each process has its own luck
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    said = subprocess.run(  # noqa: S603
        command, stderr=subprocess.PIPE, text=True, check=True, env=environment
    ).stderr
    if f"'downloader/response_status_count/200': {pages}" not in said:
        raise RuntimeError(f"the crawl went wrong:\n{said}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


@contextmanager
def served(kind: str) -> Iterator[int]:
    """The port of a site that serves pages for a crawl of that *kind*."""
    command = [sys.executable, __file__, "serve", str(SIZES[kind])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as site:  # noqa: S603
        try:
            yield int(site.stdout.readline()) if site.stdout else 0
        finally:
            site.kill()


def turns(kind: str, pages: int, rounds: int) -> list[Turn]:
    """Crawls in turn; who begins changes, so that nobody is always the second."""
    found = []
    with served(kind) as port, TemporaryDirectory() as compiled:
        crawled = partial(seconds, port, kind=kind, compiled=compiled)
        crawled(1, plugin=True)  # compiles
        for number in range(rounds):
            order = (False, True) if number % 2 else (True, False)
            took = {plugin: crawled(pages, plugin=plugin) for plugin in order}
            found.append(Turn(took[False], took[True]))
    return found


def row(kind: str, made: list[Turn], pages: int, limit: float | None) -> bool:
    """Print a row; whether what the plugin costs is within *limit*."""
    extra = sorted(turn.extra for turn in made)
    without = median(turn.without for turn in made)
    more = median(extra)
    kept = limit is None or more <= limit
    told = "" if limit is None else f"<= {limit:.0%}" + ("" if kept else "  BROKEN")
    each = more * without / pages * 1e6
    shown = (f"{without:.2f} s", f"{each:.0f} us", f"{more:+.1%}")
    sys.stdout.write(_ROW.format(kind, *shown, told, f"{extra[0]:+.1%} to {extra[-1]:+.1%}"))
    sys.stdout.flush()
    return kept


def main(arguments: list[str]) -> int:
    """Run the turns and print their table; 0 where the limit is kept, else 1."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)
    heads = ("crawl", "without", "a page", "more", "limit", "from and to")
    sys.stdout.write(_ROW.format(*heads))
    kept = [
        row(kind, turns(kind, options.pages, options.rounds), options.pages, limit)
        for kind, limit in LIMITS.items()
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", size]:
            asyncio.run(_serve(int(size)))
        case ["crawl", port, pages, kind, plugin]:
            _crawl(int(port), int(pages), kind, plugin=bool(int(plugin)))
        case arguments:
            sys.exit(main(arguments))
