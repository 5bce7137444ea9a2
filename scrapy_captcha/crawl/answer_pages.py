"""Answers to a solution that may already be the page."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urldefrag, urlsplit

from scrapy.http import HtmlResponse
from scrapy.utils.defer import maybe_deferred_to_future

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.clock import CLOCK, Timed
from scrapy_captcha.crawl.answers import Answers, Opinion
from scrapy_captcha.requests import site_of_page
from scrapy_captcha.settings.choices import Refetch
from scrapy_captcha.urls import are_of_one_origin
from scrapy_captcha.waiters import Waiters

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.http import Request, Response

    from scrapy_captcha.engine.parking import ParkingLot

_LONGEST_WAIT = 2.0  # seconds for the result of another page
_MOST_HELD = 256
_MOST_SITES = 1024
_MOST_WANTED = 10_000
_LONG = 200  # characters that a thank-you or an error rarely has
_WORDS = "//body//text()[not(ancestor::script or ancestor::style or ancestor::noscript)]"


class _Held(NamedTuple):
    request: Request
    answer: Response
    text: str


class AnswerPages(Timed):
    """Holds an answer that may be the page until it is known whether it is.

    An answer may be the page or only a thank-you. If the page, fetched again, shows a captcha,
    an answer at the page's own path was the page, there and from then on; an answer at another
    path is compared with the answers for other pages. The first page of a site finds this out,
    and the next ones wait for it. An answer is held under the name of its solution.

    *refused*: whether the answer to a request asks for a captcha; *patience* is in seconds.
    """

    def __init__(
        self, lot: ParkingLot, refused: Callable[[Request, Response], bool], patience: float
    ) -> None:
        self._lot = lot
        self._refused = refused
        self._answers = Answers()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._decided: set[str] = set()
        self._finding_out: OrderedDict[str, bool] = OrderedDict()  # sites; whether one is done
        self._waiting: Waiters[None] = Waiters(CLOCK, late=None, patience=_LONGEST_WAIT)
        self._undecided = Waiters(CLOCK, late=False, patience=patience)  # True: one more answer
        self._wanted: OrderedDict[str, None] = OrderedDict()
        self._leading_on: Bounded[bool] = Bounded(_MOST_SITES)

    def wants(self, url: str) -> None:
        """Notes that the crawl asks for *url*: the content there is a page of its own."""
        self._wanted[url] = None
        if len(self._wanted) > _MOST_WANTED:
            self._wanted.popitem(last=False)

    def lead_on_to_others(self, request: Request) -> bool:
        """Whether an answer at the site of *request* has led to a page that another one wants."""
        return self._leading_on.get(site_of_page(request)) is not None

    async def judged(
        self, request: Request, name: str, answer: Response, refetch: Refetch
    ) -> Response | None:
        """*answer*, if it is known to be the page of *request*; else None, and it may be held."""
        if refetch is Refetch.NEVER:
            return answer
        if refetch is Refetch.ALWAYS or not self._may_be_page(request, answer):
            return None
        site, held = site_of_page(request), _Held(request, answer, _text(answer))
        self._answers.heard(site, request.url, hash(held.text))
        self._undecided.resume_all(True, site)
        if self._opinion(held) is Opinion.OTHER:
            return None
        if await self._gives_pages(site) and isinstance(answer, HtmlResponse):
            return answer
        self._held[name] = held
        if len(self._held) > _MOST_HELD:
            self._held.popitem(last=False)
        return None

    def instead(self, name: str) -> Response | None:
        """The page held under *name*, if a captcha is shown again because it was given before.

        If only the answers for other pages can show this, and others wait, it `is_undecided`. If
        none waits, an answer of some length is taken for the page the second time that it comes.
        """
        held = self._held.get(name)
        if held is None:
            return None
        opinion = self._opinion(held)
        if opinion is Opinion.UNKNOWN and not _is_at_url_of(held.request, held.answer):
            if len(self._lot):
                return None
            opinion = self._opinion_alone(held)
        del self._held[name]
        self._found_out(site_of_page(held.request))
        if opinion is Opinion.OTHER:
            return None
        self._answers.learn_pages(site_of_page(held.request))
        return held.answer

    def is_undecided(self, name: str) -> bool:
        """Whether `decide` is to find out whether what is held under *name* is the page."""
        return name in self._held

    async def decide(self, name: str) -> bool:
        """Waits for the answers for other pages; whether the one held under *name* is the page."""
        held = self._held.get(name)
        if held is None:
            return False
        site, comes = site_of_page(held.request), True
        while self._opinion(held) is Opinion.UNKNOWN and comes:
            comes = await self._undecided.wait(site)
        self._found_out(site)
        if self._opinion(held) is not Opinion.PAGE:
            self._held.pop(name, None)
            return False
        self._answers.learn_pages(site)
        self._decided.add(name)
        return True

    def decided(self, name: str) -> Response | None:
        """The page that `decide` has found under *name*, once."""
        if name not in self._decided:
            return None
        self._decided.discard(name)
        held = self._held.pop(name, None)
        return held.answer if held else None

    def forget(self, name: str) -> None:
        """Notes that the page has come; the answer held under *name* was none."""
        held = self._held.pop(name, None)
        if held is not None:
            self._found_out(site_of_page(held.request))

    def cancel_timers(self) -> None:
        """As in `Timed`."""
        self._waiting.cancel_timers()
        self._undecided.cancel_timers()

    def _may_be_page(self, request: Request, answer: Response) -> bool:
        if request.method != "GET" or not 200 <= answer.status < 300 or not answer.body:
            return False
        if _is_at_url_of(request, answer):
            return not self._refused(request, answer)
        if urldefrag(answer.url)[0] in self._wanted:
            self._leading_on.put(site_of_page(request), True)
            return False
        is_plain = isinstance(answer, HtmlResponse) and "Set-Cookie" not in answer.headers
        return is_plain and not self._refused(request, answer)

    def _opinion(self, held: _Held) -> Opinion:
        if not held.text:
            return Opinion.OTHER
        return self._answers.opinion(site_of_page(held.request), held.request.url, hash(held.text))

    def _opinion_alone(self, held: _Held) -> Opinion:
        is_repeated = self._answers.is_repeated(site_of_page(held.request), hash(held.text))
        return Opinion.PAGE if is_repeated and _has_much_to_read(held) else Opinion.OTHER

    async def _gives_pages(self, site: str) -> bool:
        """Whether *site* is known to answer with pages; one page finds out for all."""
        if self._finding_out.get(site) is False:
            with self._lot.lent_slot():
                await maybe_deferred_to_future(self._waiting.wait(site))
        self._finding_out.setdefault(site, False)
        if len(self._finding_out) > _MOST_SITES:
            self._finding_out.popitem(last=False)
        return self._answers.gives_pages(site)

    def _found_out(self, site: str) -> None:
        self._finding_out[site] = True
        self._waiting.resume_all(None, site)


def _is_at_url_of(request: Request, answer: Response) -> bool:
    """Whether *answer* is at the URL of *request*, to which a site may have added to the query."""
    if urldefrag(answer.url)[0] == urldefrag(request.url)[0]:
        return True
    here, there = urlsplit(request.url), urlsplit(answer.url)
    return (
        are_of_one_origin(request.url, answer.url)
        and (here.path or "/") == (there.path or "/")
        and set(parse_qsl(here.query)) <= set(parse_qsl(there.query))
    )


def _text(answer: Response) -> str:
    """The visible text of *answer*: hidden fields of forms change."""
    if not isinstance(answer, HtmlResponse):
        return repr(answer.body)
    try:
        words = " ".join(answer.xpath(_WORDS).getall()).split()
    except (ValueError, LookupError, RecursionError):
        return repr(answer.body)
    return " ".join(words)


def _has_much_to_read(held: _Held) -> bool:
    return len(held.text) >= _LONG and b"captcha" not in held.answer.body.lower()
