"""The proxy pool: which proxy serves which session, cools down, or is banned at which site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.bounded import Bounded
from scrapy_captcha.proxy import Proxy, Rest

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from scrapy_captcha.proxy import Chooser

_FIRST_REST = 60.0  # seconds
_LONGEST_REST = 3600.0  # seconds
_KEPT = 10_000  # sessions, and bans; one that is forgotten costs one more try


class ProxyPool:
    """Chooses a proxy per session and keeps to it. Proxies are known outside by their index.

    Times are seconds on any clock that only goes forward.
    """

    def __init__(self, proxies: Sequence[Proxy]) -> None:
        self._proxies = tuple(proxies)
        self._chosen: Bounded[int] = Bounded(_KEPT)
        self._rests: dict[int, tuple[float, float]] = {}  # index -> until, length of that rest
        self._banned: Bounded[bool] = Bounded(_KEPT)
        self._out: set[int] = set()
        self._next = 0

    def __len__(self) -> int:
        return len(self._proxies)

    def __getitem__(self, index: int) -> Proxy:
        return self._proxies[index]

    def find(self, proxy: Proxy) -> int | None:
        """The index of *proxy*, wherever it was named; None for one that is not of the pool."""
        return _found(proxy, self._proxies)

    def choose(self, site: str, jar: Hashable, now: float) -> int | None:
        """The proxy of the session of *jar* at *site*; None when no proxy may go there.

        It stays the same while it may be used. A proxy that cools down serves only if all do.
        """
        session = (site, jar)
        kept = self._chosen.get(session)
        if kept is not None and self._usable(kept, site) and not self._rests_at(kept, now):
            return kept
        index = min(self._usable_ones(site), key=lambda i: self._preference(i, now), default=None)
        if index is not None:
            self._chosen.put(session, index)
            self._next = index + 1
        return index

    def wait(self, site: str, now: float) -> float | None:
        """Seconds until a proxy may go to *site* that has cooled down in full.

        None when none ever may again.
        """
        rests = (self._rests.get(i, (0.0, 0.0))[0] - now for i in self._usable_ones(site))
        return min((max(0.0, rest) for rest in rests), default=None)

    def move(self, site: str, jar: Hashable, index: int, now: float) -> bool:
        """Gives the session of *jar* at *site* the proxy *index*; whether that may be used now."""
        may = self._usable(index, site) and not self._rests_at(index, now)
        if may:
            self._chosen.put((site, jar), index)
        return may

    def cools_down(self, index: int, now: float) -> bool:
        """Whether *index* cools down now, or is out."""
        return index in self._out or self._rests_at(index, now)

    def move_on(self, site: str, jar: Hashable, index: int) -> None:
        """The session of *jar* at *site* gets the proxy after *index*, which may be used on."""
        if self._chosen.get((site, jar)) == index:
            self._chosen.pop((site, jar))
            self._next = index + 1

    def refused(self, index: int, rest: Rest, site: str, now: float) -> None:
        """Treats *index*, which could not be used for *site*, as *rest* says."""
        treatments: dict[Rest, Callable[[], None]] = {
            Rest.GROWING: lambda: self.rest(index, now),
            Rest.BANNED: lambda: self.ban(index, site),
            Rest.OUT: lambda: self.take_out(index),
        }
        treatments[rest]()

    def rest(self, index: int, now: float) -> None:
        """*index* is not chosen for a minute, then for twice as long as the last time."""
        length = min(self._rests.get(index, (0.0, _FIRST_REST / 2))[1] * 2, _LONGEST_REST)
        self._rests[index] = (now + length, length)

    def ban(self, index: int, site: str) -> None:
        """*index* never goes to *site* again in this crawl."""
        self._banned.put((index, site), True)

    def take_out(self, index: int) -> None:
        """*index* is not used again in this crawl."""
        self._out.add(index)

    def _usable_ones(self, site: str) -> Iterable[int]:
        return (i for i in range(len(self._proxies)) if self._usable(i, site))

    def _usable(self, index: int, site: str) -> bool:
        return index not in self._out and not self._banned.get((index, site))

    def _rests_at(self, index: int, now: float) -> bool:
        return self._rests.get(index, (0.0, 0.0))[0] > now

    def _preference(self, index: int, now: float) -> tuple[float, int]:
        """Prefers a proxy that is not cooling down, or the first to be ready; then the next one."""
        until = self._rests.get(index, (0.0, 0.0))[0]
        return max(0.0, until - now), (index - self._next) % len(self._proxies)


def _found(proxy: Proxy, proxies: Sequence[Proxy]) -> int | None:
    """The place of *proxy*: by its address, and by its user where several have that address."""
    places = [
        place
        for place, known in enumerate(proxies)
        if (known.host, known.port) == (proxy.host, proxy.port)
        and proxy.username in ("", known.username)
    ]
    same_user = [place for place in places if proxies[place].username == proxy.username]
    return (same_user or places)[0] if len(places) == 1 or same_user else None


class OwnPool:
    """A `Chooser` in the place of a `ProxyPool`; its proxies are numbered as they come."""

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser
        self._proxies: dict[Proxy, int] = {}
        self._urls: list[tuple[Proxy, str]] = []

    def __len__(self) -> int:
        return len(self._urls)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: int) -> Proxy:
        return self._urls[index][0]

    def choose(self, site: str, jar: Hashable, now: float) -> int | None:
        """As in `ProxyPool`; raises TypeError or ValueError for a value that is no proxy."""
        url = self._chooser.choose(site, jar)
        if url is None:
            return None
        proxy = self._parsed(url)
        if proxy not in self._proxies:
            self._proxies[proxy] = len(self._urls)
            self._urls.append((proxy, url))
        return self._proxies[proxy]

    def wait(self, site: str, now: float) -> float | None:
        """As in `ProxyPool`; raises TypeError for a value that is no time."""
        wait: object = self._chooser.wait(site)
        if wait is None or (isinstance(wait, (int, float)) and wait >= 0):
            return wait
        raise TypeError(
            f"{self._name}.wait gave {wait!r}: return seconds from 0, or None for never"
        )

    def move(self, site: str, jar: Hashable, index: int, now: float) -> bool:
        """Not here: the class chooses."""
        return False

    def find(self, proxy: Proxy) -> int | None:
        """As in `ProxyPool`, among the proxies that have been chosen."""
        return _found(proxy, list(self._proxies))

    def cools_down(self, index: int, now: float) -> bool:
        """Not known here."""
        return False

    def move_on(self, site: str, jar: Hashable, index: int) -> None:
        """Not here: the class chooses."""

    def refused(self, index: int, rest: Rest, site: str, now: float) -> None:
        """As in `ProxyPool`."""
        self._chooser.refused(self._urls[index][1], rest.value, site)

    def _parsed(self, url: object) -> Proxy:
        if not isinstance(url, str):
            raise TypeError(
                f"{self._name}.choose returned something of type {type(url).__name__}: "
                "return the URL of a proxy, or None"
            )
        try:
            return Proxy.parse(url)
        except ValueError as error:
            raise ValueError(
                f"{self._name}.choose gave no proxy, {error}: "
                "return scheme://user:password@host:port"
            ) from None

    @property
    def _name(self) -> str:
        return type(self._chooser).__name__
