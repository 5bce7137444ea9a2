"""Cookies that a site sets in answer to a solution, and that are not sent back to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.utils.httpobj import urlparse_cached

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.requests import site_of_page
from scrapy_captcha.state import KEY, SUBMISSION, CaptchaState, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

    from scrapy_captcha.engine.cookie_jars import CookieJars

_KEPT = 10_000  # solutions, and sites
_MOST_COOKIES = 50  # of one answer: no browser keeps many more of one site
_LONGEST_NAME = 60
_DELETED = frozenset({"", '""', "deleted"})


@dataclass(slots=True)
class _Exchange:
    """The cookies sent and set with one solution, so far.

    * *set*: by host and name the attributes of the cookies that the site has set
    * *lost*: the same, by name, for cookies that the latest request to their host has not sent
    * *is_bare*: whether that request had no cookies at all
    """

    set: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    is_bare: bool = False


class UnkeptCookies:
    """Detects, by the headers on the wire, whether cookies are lost, and which.

    Neither a jar nor the settings show that a jar refuses a cookie, or a middleware drops it.
    """

    def __init__(self, crawler: Crawler, jars: CookieJars) -> None:
        self._crawler = crawler
        self._cookie_jars = jars
        self._exchanges: Bounded[_Exchange] = Bounded(_KEPT)
        self._usual: Bounded[frozenset[str]] = Bounded(_KEPT)
        self._is_listening = False

    def shown(self, request: Request, response: Response) -> None:
        """Notes that *response*, the page of *request*, shows a captcha.

        The cookies that it sets are set without a solution as well.
        """
        if not self._is_listening:  # a crawl that meets no captcha is not to pay for it
            self._is_listening = True
            self._crawler.signals.connect(self._downloaded, signals.response_downloaded)
        names = frozenset(name for name, _, _ in _cookies_of(response))
        if names:
            site = site_of_page(request)
            self._usual.put(site, (self._usual.get(site) or frozenset()) | names)

    def why(self, request: Request, name: str) -> str:
        """Why no cookie admits *request*, in spite of the solution *name*; "" if unknown."""
        setting = self._cookie_jars.why_nothing_is_kept(request)
        exchange = self._exchanges.pop(name)
        if setting or exchange is None:
            return setting
        usual = self._usual.get(site_of_page(request)) or frozenset()
        for cookie, reason in exchange.lost.items():
            if exchange.is_bare or cookie not in usual:
                return f"its cookie {cookie} is lost as with COOKIES_ENABLED = False ({reason})"
        return ""

    def _downloaded(self, request: Request, response: Response) -> None:
        name = request.meta.get(SUBMISSION)
        if name is None and KEY in request.meta:
            state = CaptchaState.of(request.meta)
            name = state.solution if state.stage is Stage.SUBMITTED else None
        if not isinstance(name, str) or not name:
            return
        exchange = self._exchanges.get(name) or self._exchanges.put(name, _Exchange())
        host = urlparse_cached(request).hostname or ""
        back = _names_in(request)
        exchange.is_bare = not back
        exchange.lost = {
            cookie: _reason(request, attributes)
            for (of, cookie), attributes in exchange.set.items()
            if of == host and cookie not in back
        }
        for cookie, value, attributes in _cookies_of(response):
            exchange.set.pop((host, cookie), None)
            if value not in _DELETED and len(exchange.set) < _MOST_COOKIES:
                exchange.set[host, cookie] = attributes


def _cookies_of(response: Response) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Name, value and attributes of the cookies that *response* sets."""
    for header in response.headers.getlist("Set-Cookie")[:_MOST_COOKIES]:
        pair, *attributes = header.decode("latin-1").split(";")
        name, _, value = pair.partition("=")
        pairs = (attribute.partition("=") for attribute in attributes)
        given = {key.strip().lower(): said.strip() for key, _, said in pairs}
        yield name.strip()[:_LONGEST_NAME], value.strip(), given


def _names_in(request: Request) -> frozenset[str]:
    """The names of the cookies that *request* was sent with."""
    header = (request.headers.get("Cookie") or b"").decode("latin-1")
    names = (pair.partition("=")[0].strip() for pair in header.split(";"))
    return frozenset(name[:_LONGEST_NAME] for name in names if name)


def _reason(request: Request, attributes: dict[str, str]) -> str:
    """Why a cookie with *attributes* may not have gone with *request* to the host that set it."""
    url = urlparse_cached(request)
    domain = attributes.get("domain", "").lower().lstrip(".")
    if domain and not f".{url.hostname}".endswith(f".{domain}"):
        return "its Domain is of another host"
    if "secure" in attributes and url.scheme != "https":
        return "it is Secure, and the page is fetched without TLS"
    return "it has expired, its Path is another, or a middleware drops it"
