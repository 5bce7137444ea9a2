"""What people write against the public names, in types: mypy reads it, and a test runs it.

It is checked in the tree, and against the installed wheel as well.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import scrapy
from typing_extensions import assert_type

import scrapy_captcha
from scrapy_captcha import (
    Action,
    Addon,
    Captcha,
    CaptchaError,
    CaptchaMiddleware,
    Detection,
    ErrorCode,
    Form,
    HtmlPage,
    Kind,
    Page,
    Policy,
    Proxy,
    Solution,
    SolverClient,
    SolverError,
    Verdict,
    build_submission,
    captcha_request,
    detect,
)
from scrapy_captcha.providers import (
    AntiCaptcha,
    Body,
    Call,
    CapMonster,
    CapSolver,
    CreateTask,
    Flow,
    Generic,
    Meaning,
    Order,
    PollingRules,
    Provider,
    Reply,
    RuCaptcha,
    TaskId,
    TaskType,
    TwoCaptcha,
    Unified,
)
from scrapy_captcha.sandbox import (
    Answer,
    Fault,
    Guard,
    Mode,
    Passage,
    Sandbox,
    SandboxProcess,
    Shown,
    SiteOptions,
    SolverOptions,
)
from scrapy_captcha.signals import (
    buying_stopped,
    captcha_detected,
    captcha_given_up,
    captcha_solved,
    proxy_refused,
    solution_accepted,
    solution_rejected,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response, TextResponse
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure
    from typing_extensions import Self

URL = "https://shop.example/"
assert_type(scrapy_captcha.__version__, str)


# A spider with hooks, a form, an errback and a signal


class ShopSpider(scrapy.Spider):
    name = "shop"
    custom_settings: dict[Any, Any] | None = {
        "ADDONS": {Addon: 500},
        "DOWNLOADER_MIDDLEWARES": {CaptchaMiddleware: 585},
        "CAPTCHA_PROVIDERS": [CapSolver, "2captcha"],
    }

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.other_proxy, signal=proxy_refused)
        crawler.signals.connect(spider.detected, signal=captcha_detected)
        crawler.signals.connect(spider.detected, signal=captcha_solved)
        crawler.signals.connect(spider.judged, signal=solution_accepted)
        crawler.signals.connect(spider.judged, signal=solution_rejected)
        crawler.signals.connect(spider.given_up, signal=captcha_given_up)
        crawler.signals.connect(spider.stopped, signal=buying_stopped)
        return spider

    def detected(self, request: Request, captcha: Captcha) -> None:
        assert_type(captcha.kind, Kind)

    def judged(self, request: Request) -> None:
        pass

    def given_up(self, request: Request, reason: str) -> None:
        pass

    def stopped(self, provider: str, code: ErrorCode) -> None:
        pass

    async def search(self, response: TextResponse) -> AsyncIterator[Request]:
        form = response.css("#search")
        request = await captcha_request(self, response, form=form, formdata={"q": ["a", "b"]})
        assert_type(request, scrapy.Request)
        yield request

    def failed(self, failure: Failure) -> str | None:
        error = failure.value
        return error.reason if isinstance(error, CaptchaError) else None

    def captcha_detect(self, response: Response) -> Captcha | Detection | None:
        return captcha_on(response) if isinstance(response, scrapy.http.TextResponse) else None

    def captcha_submit(self, request: Request, captcha: Captcha, solution: Solution) -> Request:
        return assert_type(build_submission(request, captcha, solution), scrapy.Request)

    def other_proxy(self, request: Request, code: str) -> str | bool:
        return True


# Detection


def captcha_on(page: Page) -> Detection | None:
    return assert_type(detect(page), Detection | None)


def asks_for_a_number(document: Page) -> Detection | None:
    form = Form(document.url, "POST", (("name", "value"),))
    captcha = Captcha(Kind.IMAGE, document.url, image="/a.png", form=form, answer_field="number")
    return Detection(Verdict.CHALLENGE, "number", captcha, ("asks for a number",), 1.0)


def what_a_saved_page_is(body: bytes) -> str:
    found = captcha_on(HtmlPage(URL, body, 403, {"Content-Type": "text/html"}))
    if found is None or found.verdict is Verdict.WIDGET:
        return "content"
    assert_type(found.captcha, Captcha | None)
    return found.name


# Buying without a crawl


def client(api_url: str, api_key: str) -> SolverClient:
    policy = Policy({ErrorCode.UNSOLVABLE: Action.DROP}, retry_times=2, max_delay=60.0)
    provider = Unified(poll_interval=3.0)
    return SolverClient(provider, api_url=api_url, api_key=api_key, policy=policy)


async def token(client: SolverClient) -> str | None:
    captcha = Captcha(Kind.TURNSTILE, URL, "1x00000000000000000000AA")
    proxy = Proxy.parse("http://user:password@proxy.example:8080")
    bought: Deferred[Solution] = client.solve(captcha, proxy=proxy)
    try:
        solution = await bought
    except SolverError as error:
        assert_type(error.code, ErrorCode)
        assert_type(error.retry_after, float | None)
        return None
    assert_type(solution.cost, float | None)
    assert_type(await client.balance(), float)
    return solution.answers["token"]


# Providers of one's own

SERVICES: list[type[Provider]] = [
    AntiCaptcha, CapMonster, CapSolver, Generic, RuCaptcha, TwoCaptcha, Unified
]  # fmt: skip


class ShopSolver(CreateTask):
    name = "shopsolver"
    base_url = "https://api.shopsolver.example"
    rules = PollingRules(first=1.0, interval=1.0, polls=60)
    tasks: ClassVar[Mapping[Kind, TaskType]] = {
        Kind.TURNSTILE: TaskType("TurnstileTask", fields={"websiteURL": "url"})
    }
    errors = CreateTask.errors | {"NO_MONEY": Meaning(ErrorCode.BALANCE_EMPTY)}
    prices: ClassVar[Mapping[Kind, float]] = {Kind.TURNSTILE: 0.001}


class OddService(Provider):
    name = "odd"
    tasks: ClassVar[Mapping[Kind, TaskType]] = ShopSolver.tasks

    def authenticated(self, payload: Body, api_key: str) -> Body:
        return {**payload, "key": api_key}

    def read(self, reply: Reply) -> Body:
        body = reply.json()
        if reply.status != 200 or not isinstance(body, dict):
            raise SolverError(ErrorCode.BAD_REPLY, http_status=reply.status)
        return body

    def solve(self, order: Order) -> Flow:
        bought = yield Call("in", {"task": self.task(order)}, buys=True)
        task_id: TaskId = str(bought["id"])
        done = yield Call("out", {"id": task_id}, after=self.poll_interval, task_id=task_id)
        return Solution({"token": str(done["token"])}, task_id, cost=0.001)

    def balance(self) -> Generator[Call, Body, float]:
        body = yield Call("balance", {})
        return float(str(body["balance"]))


# The sandbox


async def crawl_the_sandbox() -> float:
    guard = Guard(Kind.HCAPTCHA, Mode.TOKEN, Shown.HERE, Passage.PAGE, reject_first=1)
    async with Sandbox(SolverOptions(solve_time=0.5), SiteOptions(pages=5, guard=guard)) as sandbox:
        sandbox.solver.script(Answer(fault=Fault.HANG))
        assert_type(sandbox.settings, dict[str, object])
        return sandbox.solver.spent


def test_my_spider(captcha_sandbox: SandboxProcess) -> None:
    captcha_sandbox.script(error="CAPACITY", retry_after=1)
    assert_type(captcha_sandbox.site_url, str)
