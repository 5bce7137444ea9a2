"""What detection costs, in CPU time: ``python benchmarks/detection.py``.

Each row is one page, detected again and again: the least, the median and the greatest of the
batches, and the limit that the project sets itself for the least, which other programs on the
machine disturb least. The exit code is 1 where a limit is broken.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from scrapy.http import HtmlResponse

from scrapy_captcha.detection import MAX_SIZE, HtmlPage, detect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrapy_captcha.detection import Page

URL = "https://shop.example/"
HEADERS = {"Content-Type": "text/html; charset=utf-8", "Server": "nginx"}
WIDGET = b'<div class="g-recaptcha" data-sitekey="6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"></div>'
PARAGRAPH = (
    b'<div class="card"><h2><a href="/item/17">A chair, cheap</a></h2><p class="text">The third '
    b"chapter tells how each of the craftsmen chose a piece of wood, and what became of the chair."
    b'</p><img src="/img/17.jpg" alt="chair"><span class="price">17.50</span></div>\n'
)
WALL = b"<title>Wait</title><form method='post'>" + WIDGET + b"<button>Go</button></form>"
HUGE = 10_000_000

_ROW = "{:44}{:>10}{:>10}{:>10}  {:<9}{}\n"
_MICRO, _MILLI = (1e6, "us"), (1e3, "ms")


def filled(pattern: bytes, size: int) -> bytes:
    """*pattern* repeated up to *size* bytes."""
    return (pattern * (size // len(pattern) + 1))[:size]


def numbered(pattern: bytes, size: int) -> bytes:
    """*pattern* with a number that grows, up to *size* bytes."""
    numbers = range(size // len(pattern))
    return b" ".join(pattern % number for number in numbers)[:size]


CONTENT = filled(PARAGRAPH, 51_200)
ARTICLE = CONTENT + b"<p>What a captcha is.</p>"
HOSTILE = {
    "nested": filled(b"<div>", HUGE),
    "attributes": b"<div " + numbered(b"a%d", HUGE),
    "quoted attributes": b"<div " + numbered(b'a%d=">"', HUGE),
    "half-open tags": filled(b"<a ", HUGE),
    "half-open comments": filled(b"<!--", HUGE),
    "quotes": b"<a" + filled(b'="', HUGE),
    "equals signs": b"<a " + filled(b"= ", HUGE),
    "calls without end": b"<script>" + filled(b"grecaptcha.render(", HUGE),
    "options without end": b"<script>turnstile.render(" + filled(b"sitekey: ", HUGE),
    "spaces in a style": b'<p style="display' + filled(b" ", HUGE) + b'none">',
    "nearly the word": filled(b"aptcha", HUGE),
    "text": filled(b"x ", HUGE),
}


def seconds(work: Callable[[], object], repeat: int, batches: int) -> list[float]:
    """CPU seconds of one call, by batches of *repeat* calls."""
    found = []
    for _ in range(batches):
        started = time.process_time()
        for _ in range(repeat):
            work()
        found.append((time.process_time() - started) / repeat)
    return sorted(found)


def row(name: str, times: list[float], unit: tuple[float, str], limit: float | None) -> bool:
    """Print a row; whether *limit*, in *unit*, is kept."""
    factor, word = unit
    scaled = [t * factor for t in times]
    kept = limit is None or scaled[0] <= limit
    shown = (f"{value:.1f}" for value in (scaled[0], median(scaled), scaled[-1]))
    told = "" if limit is None else f"<= {limit:g}" + ("" if kept else "  BROKEN")
    sys.stdout.write(_ROW.format(name, *shown, word, told))
    return kept


def byte_test() -> Iterator[bool]:
    """Pages that are let through unparsed."""
    pages: dict[str, Page] = {
        "50 KiB, HtmlPage": HtmlPage(URL, CONTENT),
        "50 KiB, HtmlResponse": HtmlResponse(URL, headers=HEADERS, body=CONTENT),
        "5 kB, HtmlPage": HtmlPage(URL, CONTENT[:5_000]),
    }
    for name, page in pages.items():
        yield row(name, seconds(partial(detect, page), 500, 40), _MICRO, 40)


def judged(body: bytes, max_size: int = MAX_SIZE) -> None:
    """Detects a page that nobody has parsed yet."""
    detect(HtmlPage(URL, body), max_size=max_size)


def parsed(body: bytes) -> None:
    """Only parses such a page."""
    HtmlPage(URL, body).selector  # noqa: B018 - it is the work


def whole() -> Iterator[bool]:
    """Pages that are parsed; the parser's own part, which saves a callback its, apart."""
    for name, body in {"50 KiB about captchas": ARTICLE, "challenge of 0.2 kB": WALL}.items():
        yield row(name, seconds(partial(judged, body), 20, 20), _MICRO, None)
        yield row("    of it parsing", seconds(partial(parsed, body), 20, 20), _MICRO, None)


def hostile() -> Iterator[bool]:
    """Markup that is made to be slow, above and just below the greatest size that is parsed."""
    for name, markup in HOSTILE.items():
        body = WIDGET + markup
        yield row(f"10 MB, {name}", seconds(partial(judged, body), 1, 3), _MILLI, 300)
        below = body[:MAX_SIZE]
        yield row("    its first 1 MB", seconds(partial(judged, below), 1, 3), _MILLI, 300)
        unbounded = partial(judged, body, max_size=2 * HUGE)
        yield row("    without a size limit", seconds(unbounded, 1, 3), _MILLI, None)


def main() -> int:
    """Run all; 0 where every limit is kept, else 1."""
    sys.stdout.write(_ROW.format("page", "least", "median", "greatest", "", "limit"))
    kept = [kept for part in (byte_test, whole, hostile) for kept in part()]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
