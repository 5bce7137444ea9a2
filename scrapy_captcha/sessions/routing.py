"""The proxy and the user agent of each session (site and cookie jar)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.request import getproxies
from uuid import uuid4

from twisted.internet.task import deferLater

from scrapy_captcha.clock import CLOCK
from scrapy_captcha.proxy import Proxy
from scrapy_captcha.purchases import Need
from scrapy_captcha.requests import (
    PROXY_KEYS,
    jar_of,
    site_of,
    site_of_captcha,
    site_of_page,
    without_proxy,
)
from scrapy_captcha.sessions.identities import Identities
from scrapy_captcha.sessions.proxies import OwnPool, ProxyPool
from scrapy_captcha.state import HAD_PROXY, PROXY_INDEX
from scrapy_captcha.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from scrapy.http import Request

    from scrapy_captcha.models import Captcha
    from scrapy_captcha.proxy import Chooser, Rest


class Sessions:
    """Gives each session its proxy, and the user agent that its solution is bound to.

    *now* returns seconds on a clock that only goes forward; *on_bound* is called when a session is
    bound to a user agent while none is.
    """

    def __init__(
        self,
        proxies: tuple[Proxy, ...] | Chooser,
        now: Callable[[], float],
        on_bound: Callable[[], object] = lambda: None,
    ) -> None:
        self._pool = ProxyPool(proxies) if isinstance(proxies, tuple) else OwnPool(proxies)
        self._now = now
        self._run = uuid4().hex
        self._identities = Identities()
        self._on_bound = on_bound
        self._machines = frozenset(_of_environment())

    @property
    def bound(self) -> int:
        """How many sessions keep to a user agent."""
        return len(self._identities)

    def equip(self, request: Request, *, keep_proxy: bool, patient: bool = False) -> bool:
        """Puts proxy and user agent into *request*; False when no proxy of the pool may go there.

        With *keep_proxy* it keeps the proxy that it has, since its solution is bound to that. A
        proxy set by other code is left alone. With *patient* none that cools down is used.
        """
        self.dress(request)
        if not self._pool or ("proxy" in request.meta and PROXY_INDEX not in request.meta):
            return True
        index = self._index(request) if keep_proxy else None
        if index is None and patient and self.cooldown(request):
            return False
        if index is None:
            index = self._pool.choose(*self._session(request), self._now())
        if index is None:
            return False
        request.meta.update({PROXY_INDEX: index, "proxy": self._pool[index].url})
        return True

    def bind(self, request: Request, user_agent: str) -> None:
        """Binds the session of *request* to *user_agent* from now on."""
        self.hold(request)
        self._identities.bind(self._session(request), request, user_agent)

    def hold(self, request: Request) -> None:
        """Binds the session of *request*, which shows a captcha, to the browser that met it."""
        if not self._identities:
            self._on_bound()
        self._identities.hold(self._session(request), request)

    def confirm(self, request: Request) -> None:
        """Notes that the site has accepted a solution in the session of *request*."""
        self._identities.proven(self._session(request))

    def loosen(self, request: Request) -> None:
        """Notes that the site has rejected a solution in the session of *request*."""
        self._identities.loosen(self._session(request))

    def dress(self, request: Request) -> None:
        """*request* goes out as its session does; once more where the downloader gets it, since
        middlewares behind ours may have changed it.
        """
        if self._identities:
            self._identities.dress(self._session(request), request)

    def goes(self, request: Request) -> None:
        """Notes whether *request*, which is on its way out, has had a proxy before.

        One that comes later, from the environment or another middleware, does not make another
        session: nothing knows it before.
        """
        if HAD_PROXY not in request.meta and "proxy" in request.meta:
            request.meta[HAD_PROXY] = "redirect_urls" not in request.meta

    def comes(self, request: Request) -> None:
        """Notes that a proxy which *request* has got on its way out was none of its own."""
        if "proxy" in request.meta:
            request.meta.setdefault(HAD_PROXY, False)

    def came(self, request: Request) -> None:
        """*request* is over; that its proxy is its own goes without saying."""
        if request.meta.get(HAD_PROXY):
            del request.meta[HAD_PROXY]

    def proxy_of(self, request: Request) -> Proxy | None:
        """The proxy that *request* went through, with its credentials; None without one."""
        index = self._index(request)
        if index is not None:
            return self._pool[index]
        try:
            proxy = Proxy.parse(str(request.meta.get("proxy") or ""))
        except ValueError:
            return None
        if proxy.username:
            return proxy
        username, password = _credentials(request)
        return Proxy(proxy.scheme, proxy.host, proxy.port, username, password)

    def solving_proxy(self, request: Request) -> Proxy | None:
        """The proxy of *request* as a service may know it: None for one of the environment."""
        proxy = self.proxy_of(request)
        if proxy is None or self._index(request) is not None:
            return proxy
        is_of_environment = "_scheme_proxy" in request.meta
        return None if is_of_environment or (proxy.host, proxy.port) in self._machines else proxy

    def need(self, request: Request, captcha: Captcha, provider: str = "") -> Need:
        """What *request*, which shows *captcha*, needs of *provider*, "" for any."""
        return Need(site_of(host_of(captcha.url)), captcha.kind, provider, self.label(request))

    def label(self, request: Request) -> str:
        """The proxy of *request* as it may be shown: its number in the pool, and where it is."""
        index = self._index(request)
        if index is not None:
            return self._label(index)
        return str(self.proxy_of(request) or "")

    def rotated(self, request: Request, rest: Rest) -> Request | None:
        """*request* for another proxy of the pool, the old one treated as *rest* says.

        None when there is no other. Nothing of the old proxy goes along.
        """
        if not self._pool:
            return None
        old = self._place(request)
        if old is not None:
            self._pool.refused(old, rest, self._session(request)[0], self._now())
        new = self._pool.choose(*self._session(request), self._now())
        if new is None or new == old:
            return None
        request = without_proxy(request)
        request.meta[PROXY_INDEX] = new
        return request

    def proxy_failed(self, request: Request, rest: Rest) -> bool:
        """The proxy of *request* is treated as *rest* says, where it is one of the pool.

        Whether that changes anything: of requests that fail together only the first does.
        """
        place, now = self._place(request), self._now()
        if place is None or self._pool.cools_down(place, now):
            return False
        self._pool.refused(place, rest, site_of_page(request), now)
        return True

    def elsewhere(self, request: Request) -> Request | None:
        """*request* for another proxy of the pool; None where none is free that cools down nowhere.

        That of a request which is not the pool's is its owner's to change.
        """
        old = self._index(request)
        if old is None or self.cooldown(request) != 0:
            return None
        new = self._pool.choose(*self._session(request), self._now())
        if new is None or new == old:
            return None
        request = without_proxy(request)
        request.meta[PROXY_INDEX] = new
        return request

    def leave_proxy(self, request: Request) -> None:
        """The session of *request* goes on through another proxy, where the pool has one."""
        index = self._index(request)
        if index is not None:
            self._pool.move_on(*self._session(request), index)

    def is_of_others(self, request: Request) -> bool:
        """Whether other code has set the proxy of *request*."""
        return bool(request.meta.get("proxy")) and self._index(request) is None

    def better(self, request: Request, labels: Iterable[str]) -> Request | None:
        """*request* for the first proxy of *labels* that may be used; None when none may."""
        known = {self._label(index): index for index in range(len(self._pool))}
        for index in (known[label] for label in labels if label in known):
            if self._pool.move(*self._session(request), index, self._now()):
                request = without_proxy(request)
                request.meta[PROXY_INDEX] = index
                return request
        return None

    def go_directly(self, request: Request) -> None:
        """Takes every proxy off *request*, the machine's own setting of one included."""
        request.headers.pop("Proxy-Authorization", None)
        for key in PROXY_KEYS:
            request.meta.pop(key, None)
        request.meta["proxy"] = None

    def cooldown(self, request: Request) -> float | None:
        """Seconds until a proxy may go to the site of *request*; None when none ever may."""
        return self._pool.wait(self._session(request)[0], self._now())

    async def until_rested(self, ticket: Request) -> Request:
        """*ticket*, once a proxy may go to its site, or none ever may: the wait of a page."""
        while wait := self.cooldown(ticket):
            await deferLater(CLOCK, wait)
        return ticket

    def forget_credentials(self, request: Request) -> None:
        """Removes the header of HttpProxyMiddleware for a proxy of the pool from *request*.

        A request on its way to the scheduler may be written to disk.
        """
        if PROXY_INDEX in request.meta:
            request.headers.pop("Proxy-Authorization", None)
            for key in PROXY_KEYS - {PROXY_INDEX, HAD_PROXY}:
                request.meta.pop(key, None)

    def name(self, request: Request) -> str:
        """The session of *request*: its site, cookie jar and proxy, and this run of the crawl.

        The site is that of its captcha, where it has met one. What leads a session in one run, or
        in one of several workers, does not in another.
        """
        site, jar = site_of_captcha(request), jar_of(request)
        has_own = PROXY_INDEX in request.meta or request.meta.get(
            HAD_PROXY, "redirect_urls" not in request.meta
        )
        proxy = self.proxy_of(request) if has_own else None
        return f"{self._run} {site} {jar!r} {proxy}"

    def _label(self, index: int) -> str:
        return f"#{index + 1} {self._pool[index]}"

    def _index(self, request: Request) -> int | None:
        index = request.meta.get(PROXY_INDEX)
        return index if type(index) is int and 0 <= index < len(self._pool) else None

    def _place(self, request: Request) -> int | None:
        """The index of the proxy of *request*, whatever code has set it."""
        index = self._index(request)
        if index is not None or not (self._pool and request.meta.get("proxy")):
            return index
        proxy = self.proxy_of(request)
        return self._pool.find(proxy) if proxy is not None else None

    def _session(self, request: Request) -> tuple[str, Hashable]:
        return site_of_page(request), jar_of(request)


def _of_environment() -> Iterator[tuple[str, int]]:
    """Host and port of the machine's own proxies, which a spider may have copied."""
    for url in getproxies().values():
        with suppress(ValueError):
            proxy = Proxy.parse(url if "://" in url else f"http://{url}")
            yield proxy.host, proxy.port


def _credentials(request: Request) -> tuple[str, str]:
    """User name and password out of the Basic credentials that HttpProxyMiddleware has set."""
    header = request.headers.get("Proxy-Authorization") or b""
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return "", ""
    try:
        username, _, password = b64decode(encoded).decode("latin-1").partition(":")
    except binascii.Error:
        return "", ""
    return username, password
