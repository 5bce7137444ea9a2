"""Gates: captchas at one URL for many pages, to which Scrapy filters redirects as duplicates.

A page that is redirected to the gate should wait for its session and then be fetched itself. The
scheduler drops it instead, since it has seen the gate's URL before, and sends a signal only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from scrapy import signals
from scrapy.exceptions import DontCloseSpider, IgnoreRequest
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.job import job_dir

from scrapy_captcha.clock import CLOCK
from scrapy_captcha.origin import is_of_page, redirects, to_be_tried_again, wanted_url, with_own
from scrapy_captcha.state import KEY, CaptchaState, Stage
from scrapy_captcha.store.statefile import StateFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Request

    from scrapy_captcha.engine.parking import ParkingLot
    from scrapy_captcha.settings.domains import Domains

_UNREAD = "pages that are redirected to a captcha of an earlier run may be filtered as duplicates"
_UNWRITTEN = "in the next run pages that are redirected to a captcha may be filtered as duplicates"
_MOST_GATES = 1000
_MOST_DROPPED = 2000  # requests, of which the oldest are forgotten
_OFTEN = 3  # duplicates of one redirect: more than a page that has merely moved
_OFTEN_AFTER_A_CAPTCHA = 2


class Leaders(Protocol):
    """The leaders: the pages that solve for their sessions."""

    @property
    def has_begun(self) -> bool:
        """Whether a page has shown a captcha."""

    def is_led_by_another(self, request: Request) -> bool:
        """Whether another page than that of *request* solves for its session."""

    def redirected(self, request: Request) -> None:
        """Notes that *request*, which a redirect has made, is not sent now."""

    async def until_solved(self, ticket: Request) -> Request:
        """*ticket*, once its session is not solved for any more."""


class Gates:
    """Knows which URLs are gates, and which requests were dropped on the way to a possible gate.

    A URL at which a captcha is met after a redirect is a gate, in later runs of a job too. A
    redirect to it then bypasses the duplicate filter, or is parked while its session is solved for.
    A request dropped before is kept until the answer at the URL is known: a captcha brings it back,
    any other answer leaves it dropped. When the spider is idle, no answer is under way: then a URL
    that may be a gate is requested once more. *wants* gets the URLs of the redirected pages.
    """

    def __init__(
        self,
        crawler: Crawler,
        lot: ParkingLot,
        leaders: Leaders,
        domains: Domains,
        wants: Callable[[str], None],
    ) -> None:
        self._crawler = crawler
        self._lot = lot
        self._leaders = leaders
        self._domains = domains
        self._wants = wants
        self._priority_adjust = crawler.settings.getint("REDIRECT_PRIORITY_ADJUST")
        self._dropped = _Dropped()
        self._known: dict[str, bool] = {}  # whether pages were redirected there
        self._vanishing: WeakSet[Request] = WeakSet()
        self._is_listening = False
        jobdir = job_dir(crawler.settings)
        path = Path(jobdir or "") / "captcha-gates.json"
        self._file = StateFile(path, _UNREAD, _UNWRITTEN) if jobdir else None
        self._restore()
        lot.gives_back(self._given_back)
        crawler.signals.connect(self._request_dropped, signals.request_dropped)
        crawler.signals.connect(self._spider_idle, signals.spider_idle)

    @property
    def are_awaited(self) -> bool:
        """Whether `answered` has anything to learn from."""
        return bool(self._dropped)

    def met(self, request: Request) -> None:
        """Notes that a captcha or a wall is at the URL of *request*."""
        urls = redirects(request)
        for url in [request.url, *urls[1:]]:
            key = self._key(request.replace(url=url))
            if urls or key in self._dropped:
                self._learn(key, of_pages=bool(urls) and is_of_page(request))
            self._bring_back(key)

    def answered(self, request: Request) -> None:
        """Notes that no captcha is at the URL of *request*: dropped requests stay dropped."""
        if self._dropped:
            self._dropped.pop(self._key(request))

    def failed(self, request: Request) -> None:
        """Notes that the URL of *request* gives no answer."""
        if CaptchaState.of(request.meta).stage is Stage.PROBING:
            self._bring_back(self._key(request))

    def vanish(self, request: Request) -> Request:
        """To be returned instead of *request* or its answer, which the spider never gets."""
        gone: Request = request.copy()
        self._vanishing.add(gone)
        self._listen()
        return gone

    def drop_again(self, request: Request) -> Request:
        """To be sent instead of *request*, which the filter has dropped in an earlier run."""
        if self._key(request) in self._known:
            return self._again(request)
        self._dropped.keep(self._key(request), request)
        return self.vanish(request)

    def _key(self, request: Request) -> str:
        fingerprinter = self._crawler.request_fingerprinter
        assert fingerprinter is not None  # noqa: S101 - a request is being processed
        return fingerprinter.fingerprint(request).hex()

    def is_of_pages(self, request: Request) -> bool:
        """Whether pages were redirected to the URL of *request*, and not only what was posted."""
        return self._known.get(self._key(request), False)

    def _learn(self, key: str, *, of_pages: bool) -> None:
        if self._known.get(key) in (True, of_pages):
            return
        self._known[key] = of_pages
        if len(self._known) > _MOST_GATES:
            del self._known[next(iter(self._known))]
        self._listen()
        if self._file is not None:
            self._file.save({"gates": self._known})

    def _restore(self) -> None:
        state = self._file.load() if self._file is not None else None
        gates = state.get("gates") if state else None
        if isinstance(gates, dict) and gates:
            self._known = {key: gates[key] is True for key in list(gates)[-_MOST_GATES:]}
            self._listen()

    def _listen(self) -> None:
        if not self._is_listening:  # a crawl that meets no captcha is not to pay for it
            self._is_listening = True
            self._crawler.signals.connect(self._request_scheduled, signals.request_scheduled)

    def _request_scheduled(self, request: Request) -> None:
        if request in self._vanishing:
            raise IgnoreRequest
        if request in self._lot or not _is_redirected(request):
            return
        if self._key(request) not in self._known or self._is_offsite(request):
            return
        stage = CaptchaState.of(request.meta).stage
        is_verdict = stage is Stage.SUBMITTED  # on the solution that has been sent
        if not is_verdict and self._lot.has_room and self._leaders.is_led_by_another(request):
            self._leaders.redirected(request)
            self._park(request)
            raise IgnoreRequest
        if not request.dont_filter:
            self._exempt(request)

    def _is_offsite(self, request: Request) -> bool:
        host = urlparse_cached(request).hostname or ""
        return not request.dont_filter and self._domains.is_offsite(host)

    def _request_dropped(self, request: Request) -> None:
        if _is_redirected(request):
            self._leaders.redirected(request)
            self._wants(wanted_url(request))
            self._dropped.keep(self._key(request), request)

    def _bring_back(self, key: str) -> None:
        for request in self._dropped.pop(key):
            # The page that has met the captcha is on its way to the lot, where it is to lead.
            CLOCK.callLater(0, self._park, request)

    def _park(self, redirected: Request) -> None:
        self._lot.park(self._again(redirected), self._leaders.until_solved)

    def _again(self, redirected: Request) -> Request:
        is_gate = self.is_of_pages(redirected)
        return to_be_tried_again(redirected, priority_adjust=self._priority_adjust, is_gate=is_gate)

    def _exempt(self, request: Request, stage: Stage | None = None) -> None:
        state = with_own(request, priority_adjust=self._priority_adjust)
        if stage is None:
            aside = state.stage in (Stage.DROPPED, Stage.PROBING)
            stage = Stage.REQUESTED if aside else state.stage
        request.meta[KEY] = state.to(stage).to_meta()
        request.dont_filter = True

    def _spider_idle(self) -> None:
        often = _OFTEN_AFTER_A_CAPTCHA if self._leaders.has_begun else _OFTEN
        probes = self._dropped.first_of(often)
        for probe in probes:
            self._exempt(probe, Stage.PROBING)
            engine = self._crawler.engine
            assert engine is not None  # noqa: S101 - the spider is open
            engine.crawl(probe)
        if probes:
            raise DontCloseSpider

    def _given_back(self) -> list[Request]:
        dropped = self._dropped.all()
        for request in dropped:
            self._exempt(request, Stage.DROPPED)
        return dropped


class _Dropped:
    """Requests by the key of their URL, `_MOST_DROPPED` at most."""

    def __init__(self) -> None:
        self._requests: dict[str, list[Request]] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._requests)

    def __contains__(self, key: str) -> bool:
        return key in self._requests

    def keep(self, key: str, request: Request) -> None:
        self._requests.setdefault(key, []).append(request)
        self._size += 1
        if self._size > _MOST_DROPPED:
            self.pop(next(iter(self._requests)))

    def pop(self, key: str) -> list[Request]:
        requests = self._requests.pop(key, [])
        self._size -= len(requests)
        return requests

    def first_of(self, often: int) -> list[Request]:
        """Takes out the first of each key with *often* requests, and all of the other keys."""
        for key in [key for key, requests in self._requests.items() if len(requests) < often]:
            self.pop(key)
        self._size -= len(self._requests)
        return [requests.pop(0) for requests in self._requests.values()]

    def all(self) -> list[Request]:
        """Takes all out."""
        return [request for key in list(self._requests) for request in self.pop(key)]


def _is_redirected(request: Request) -> bool:
    return bool(redirects(request)) and request.meta.get("captcha") is not False
