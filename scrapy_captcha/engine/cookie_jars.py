"""The cookie jars of Scrapy's CookiesMiddleware, which has no public interface to them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http import Request
from scrapy.utils.httpobj import urlparse_cached

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.requests import jar_of, site_of_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.cookiejar import Cookie

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.http.cookies import CookieJar

    from scrapy_captcha.requests import Served

_KEPT = 10_000  # sessions


class CookieJars:
    """The jars of a crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._is_enabled: bool = crawler.settings.getbool("COOKIES_ENABLED")
        self._of_sites: Bounded[frozenset[str]] = Bounded(_KEPT)

    def why_nothing_is_kept(self, request: Request) -> str:
        """The reason why no cookies are kept for *request*; "" if they are."""
        if not self._is_enabled:
            return "COOKIES_ENABLED is False"
        if request.meta.get("dont_merge_cookies"):
            return 'meta["dont_merge_cookies"] is set, which is like COOKIES_ENABLED = False'
        if self._jar(request) is None:
            return "CookiesMiddleware is switched off, which is like COOKIES_ENABLED = False"
        return ""

    def cookies_for(self, request: Request) -> bytes:
        """The Cookie header that the jar of *request* would send with it; b"" without a jar."""
        jar = self._jar(request)
        if jar is None:
            return b""
        bare = Request(request.url)
        jar.add_cookie_header(bare)
        return bare.headers.get("Cookie") or b""

    def have_replaced(self, request: Request, served: Served) -> bool:
        """Whether the jar of *request* has another value by now for one of the cookies *served*."""
        now: dict[bytes, set[bytes]] = {}
        for name, value in _pairs(self.cookies_for(request)):
            now.setdefault(name, set()).add(value)
        return any(name in now and value not in now[name] for name, value in served)

    def are_as_served(self, request: Request, served: Served) -> bool:
        """Whether the jar of *request* would send just the cookies *served* now."""
        return frozenset(_pairs(self.cookies_for(request))) == served

    def prefer_own(self, request: Request, given: object) -> None:
        """Lets the site's own cookies win over *given*, the spider's cookies of *request*.

        A cookie that a spider gives by name gets the path of its request, and would be sent before
        a cookie of the same name that the site has set for a path.
        """
        jar, names = self._jar(request), _without_path(given)
        if jar is None or not names:
            return
        kept = [cookie for cookie in _cookies_of(jar, request) if cookie.name in names]
        own = {cookie.name for cookie in kept if cookie.path_specified}
        for cookie in kept:
            if cookie.name in own and not cookie.path_specified:
                jar.clear(cookie.domain, cookie.path, cookie.name)
        if own:
            session = site_of_page(request), jar_of(request)
            known = self._of_sites.get(session) or frozenset()
            self._of_sites.put(session, known | own)

    def leave_out(self, request: Request) -> None:
        """Removes the spider's cookies from *request* over which the site's own ones win."""
        if not (request.cookies and len(self._of_sites)):
            return
        own = self._of_sites.get((site_of_page(request), jar_of(request)))
        left_out = own & _without_path(request.cookies) if own else frozenset()
        if not left_out:
            return
        if isinstance(request.cookies, dict):
            request.cookies = {k: v for k, v in request.cookies.items() if k not in left_out}
        else:
            request.cookies = [one for one in request.cookies if one["name"] not in left_out]

    def _jar(self, request: Request) -> CookieJar | None:
        engine = self._crawler.engine
        assert engine is not None  # noqa: S101 - a request is being processed
        for middleware in engine.downloader.middleware.middlewares:
            if isinstance(middleware, CookiesMiddleware):
                return middleware.jars[request.meta.get("cookiejar")]
        return None


def served_with(request: Request, response: Response) -> Served:
    """The cookies under which *response* was served: the ones sent, and the ones set."""
    served = dict(_pairs(request.headers.get("Cookie") or b""))
    for one in response.headers.getlist("Set-Cookie"):
        served.update(_pairs(one.partition(b";")[0]))
    return _shared(frozenset(served.items()))


@lru_cache(maxsize=1024)
def _shared(served: Served) -> Served:
    """The first of equal ones, so that pages that wait share it."""
    return served


def _pairs(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    for pair in header.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name:
            yield name, value


def _without_path(given: object) -> frozenset[str]:
    """The names of the cookies of *given*, as in ``Request.cookies``, that name no path."""
    if isinstance(given, dict):
        return frozenset(name for name in given if isinstance(name, str))
    cookies = given if isinstance(given, list) else []
    return frozenset(
        one["name"]
        for one in cookies
        if isinstance(one, dict) and isinstance(one.get("name"), str) and not one.get("path")
    )


def _cookies_of(jar: CookieJar, request: Request) -> Iterator[Cookie]:
    """The cookies that *jar* has for the host of *request*, of all paths."""
    host = urlparse_cached(request).hostname or ""
    for cookie in list(jar):
        domain = cookie.domain.lstrip(".")
        if host in (domain, domain.removesuffix(".local")) or host.endswith(f".{domain}"):
            yield cookie
