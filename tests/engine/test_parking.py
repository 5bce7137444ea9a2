"""Whatever happens to requests and to the crawl, in any order: none is lost, none is settled twice.

The lot, the journal, the scheduler and its queues, and the signals are real; only the engine is not.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
import warnings
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scrapy import Request, Spider, signals
from scrapy.core.scheduler import Scheduler
from scrapy.exceptions import DontCloseSpider, IgnoreRequest
from scrapy.utils.misc import build_from_crawler
from scrapy.utils.test import get_crawler
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from scrapy_captcha.engine import parking
from scrapy_captcha.engine.parking import ParkingLot
from scrapy_captcha.origin import to_be_tried_again
from scrapy_captcha.state import KEY, CaptchaState
from scrapy_captcha.store.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.core.engine import ExecutionEngine
    from scrapy.http import Response

pytestmark = [
    pytest.mark.thorough,
    # Scrapy 2.14 leaves the files of empty queues open.
    pytest.mark.filterwarnings("ignore:.*requests.queue:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file.*requests.queue:ResourceWarning"),
]


class Shopper(Spider):
    name = "shopper"

    def parse(self, response: Response, **kwargs: Any) -> None: ...


class Slot:
    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.inprogress: set[Request] = set()
        self.closing: object = None


class Downloader:
    """What the scheduler's queue asks for."""

    total_concurrency = 16
    slots: dict[str, Any] = {}

    def get_slot_key(self, request: Request) -> str:
        return "shop.example"


class Engine:
    """As much of Scrapy's as the lot meets."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.downloader = Downloader()
        self._slot: Slot

    def crawl(self, request: Request) -> None:
        crawler = self._run.crawler
        told = crawler.signals.send_catch_log(
            signals.request_scheduled,
            request=request,
            spider=crawler.spider,
            dont_log=IgnoreRequest,
        )
        vetoes = [r for _, r in told if isinstance(r, Failure)]
        if not vetoes:
            self._slot.scheduler.enqueue_request(request)


class Run:
    """One run of the job in *directory*."""

    def __init__(self, directory: str, queue: str) -> None:
        queues = {f"SCHEDULER_{which}DISK_QUEUE": queue for which in ("", "START_")}
        self.crawler = get_crawler(Shopper, {"JOBDIR": directory, **queues})
        self.crawler.spider = self.crawler._create_spider()
        engine = Engine(self)
        self.crawler.engine = cast("ExecutionEngine", engine)
        self.journal = Journal(
            self.crawler, prepared=lambda request: request, on_unserializable=raise_it
        )
        self.lot = ParkingLot(
            self.crawler,
            self.journal,
            limit=1000,
            on_parked=lambda _: None,
            on_lost=lambda _: None,
            spoilt=given_up,
        )
        self.scheduler = build_from_crawler(Scheduler, self.crawler)
        self.slot = engine._slot = Slot(self.scheduler)
        self.engine = engine
        assert self.crawler.spider is not None
        self.scheduler.open(self.crawler.spider)

    def kill(self) -> None:
        """Closes files, as the system does then, and nothing else."""
        self.journal.close()
        self.scheduler.df.close("")
        assert self.scheduler.dqs is not None
        for pages in self.scheduler.dqs.pqueues.values():  # type: ignore[attr-defined]
            for queue in (*pages.queues.values(), *pages._start_queues.values()):
                for file in {"_db", "headf", "tailf"} & set(vars(queue)):
                    getattr(queue, file).close()

    def open(self) -> None:
        assert self.crawler.spider is not None
        Deferred.fromCoroutine(self.lot._spider_opened(self.crawler.spider))


def raise_it(_request: Request, error: Exception) -> None:
    raise error


def given_up(ticket: Request) -> Request:
    changed: Request = ticket.replace(meta=ticket.meta | {"given_up": True})
    return changed


def number_of(request: Request) -> int:
    return int(request.url.rpartition("/")[2])


class Slices:
    """Takes *most* at once; no reactor runs here."""

    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, steps: Iterator[None]) -> Slices:
        for _ in range(self._most):
            next(steps, None)
        return self

    def whenDone(self) -> Deferred[None]:  # noqa: N802 - Twisted's
        return succeed(None)


class Lot(RuleBasedStateMachine):
    """Pages by number: where they are as far as the spider's side can know."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(parking, "maybe_deferred_to_future", lambda deferred: deferred)
        self.pages = 0
        self.is_killed = False
        self.settled: dict[int, int] = {}
        self.may_be_lost: set[int] = set()
        self.may_come_again: set[int] = set()
        self.held: set[int] = set()  # parked in this run, or left over, and not settled
        self.out: list[Request] = []
        self.parked: dict[int, Deferred[str]] = {}
        self.run: Run

    # What Scrapy has by default, a LIFO file, may not be opened again after a kill.
    @initialize(queue=st.sampled_from(["jobs.SQLiteQueue", "scrapy.squeues.PickleFifoDiskQueue"]))
    def start(self, queue: str) -> None:
        self.queue = queue
        self.resume(1000)

    def resume(self, slices: int) -> None:
        self.patch.setattr(parking, "cooperate", Slices(slices))
        self.run = Run(self.directory, self.queue)
        self.run.open()

    # What happens to a page

    @rule(start=st.booleans(), priority=st.integers(-1, 1), count=st.integers(1, 4))
    def schedule(self, start: bool, priority: int, count: int) -> None:
        for _ in range(count):
            self.pages += 1
            meta = {"is_start_request": True} if start else {}
            url = f"https://shop.example/{self.pages}"
            self.run.engine.crawl(Request(url, meta=meta, priority=priority))
            self.settled[self.pages] = 0
            if self.is_killed:  # Scrapy's own queues cannot be relied on any more
                self.may_be_lost.add(self.pages)

    @precondition(lambda self: self.run.scheduler.has_pending_requests())
    @rule(count=st.integers(1, 4))
    def fetch(self, count: int = 1) -> None:
        for _ in range(count):
            request = self.run.scheduler.next_request()
            if request is not None:
                self.out.append(request)
                self.run.slot.inprogress.add(request)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def meet_a_captcha(self, data: st.DataObject) -> None:
        request = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        number = number_of(request)
        answer: Deferred[str] = Deferred()

        async def wait(ticket: Request) -> Request:
            said = await answer
            if said == "break":
                raise ArithmeticError
            changed: Request = ticket.replace(priority=ticket.priority + (said == "solve") * 100)
            return changed

        again = to_be_tried_again(request, priority_adjust=2)
        ticket = Deferred.fromCoroutine(self.run.lot.ticket(again, wait))
        self.run.engine.crawl(cast("Request", ticket.result))
        self.run.slot.inprogress.discard(request)
        self.parked.setdefault(number, answer)
        self.held.add(number)
        self.may_be_lost.discard(number)

    @precondition(lambda self: self.parked)
    @rule(data=st.data(), said=st.sampled_from(["solve", "expire", "break"]))
    def end_a_wait(self, data: st.DataObject, said: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.parked)))
        self.parked.pop(number).callback(said)

    @precondition(lambda self: self.parked)
    @rule(data=st.data())
    def buy(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.parked)))
        [ticket] = [r for r in self.run.lot._parked if number_of(r) == number]
        state = CaptchaState.of(ticket.meta).to_meta() | {"task_id": number}
        ticket.meta[KEY] = state
        self.run.journal.update(ticket)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        self.arrived(self.out.pop(data.draw(st.integers(0, len(self.out) - 1))))

    def arrived(self, request: Request) -> None:
        number = number_of(request)
        self.settled[number] += 1
        assert self.settled[number] == 1 or number in self.may_come_again, "settled twice"
        state = CaptchaState.of(request.meta)
        assert state.task_id in {None, number}
        self.run.slot.inprogress.discard(request)
        if state.entry:
            self.run.journal._settling[request] = state.entry.encode()
            self.run.journal._check()
        self.held.discard(number)

    # What happens to the crawl

    @precondition(lambda self: self.pages)
    @rule(slices=st.integers(0, 3) | st.just(1000))
    def stop_and_resume(self, slices: int) -> None:
        self.stop()
        self.resume_after(slices)

    def resume_after(self, slices: int) -> None:
        self.resume(slices)
        if slices < 1000:  # stopped again before all leftovers are back
            self.stop()
            self.resume(1000)

    def stop(self) -> None:
        while self.out:  # Scrapy waits for downloads
            self.arrived(self.out.pop())
        self.run.slot.closing = object()
        self.run.scheduler.close("stopped")
        late, self.parked = self.parked, {}
        for answer in late.values():
            answer.callback("solve") if not answer.called else None
        self.run.journal.close()
        if not self.run.journal.follows_a_kill:
            self.held = set()  # they are in Scrapy's hands

    @precondition(lambda self: self.pages)
    @rule(slices=st.integers(0, 3) | st.just(1000))
    def kill_and_resume(self, slices: int) -> None:
        alive = {number for number, times in self.settled.items() if not times}
        self.may_be_lost |= alive - self.held
        self.may_come_again |= set(self.settled)
        self.out, self.parked = [], {}
        self.is_killed = True
        self.run.kill()
        self.resume_after(slices)

    # What holds

    @invariant()
    def stays_open_for_what_is_parked(self) -> None:
        crawler = self.run.crawler
        told = crawler.signals.send_catch_log(signals.spider_idle, dont_log=DontCloseSpider)
        is_held_open = any(isinstance(getattr(r, "value", None), DontCloseSpider) for _, r in told)
        assert is_held_open == bool(self.parked)

    def teardown(self) -> None:
        if hasattr(self, "run"):
            self.finish()
            assert {n for n, times in self.settled.items() if not times} <= self.may_be_lost, "lost"
            self.stop()
        self.patch.undo()
        shutil.rmtree(self.directory)
        del self.run
        with warnings.catch_warnings():  # none of it is left to other tests
            warnings.simplefilter("ignore")
            gc.collect()

    def finish(self) -> None:
        while self.out or self.parked or self.run.scheduler.has_pending_requests():
            self.fetch()
            for request in self.out:
                self.arrived(request)
            self.out = []
            for number in list(self.parked):
                self.parked.pop(number).callback("solve")


TestLot = Lot.TestCase
TestLot.settings = settings(
    deadline=None,
    max_examples=25,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow],
)
