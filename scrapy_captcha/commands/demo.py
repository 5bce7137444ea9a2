"""``scrapy captcha demo``: a real crawl of a local site, its captchas solved by a local service."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.downloadermiddlewares import cookies
from scrapy.settings import SETTINGS_PRIORITIES, Settings
from tldextract import TLDExtract

from scrapy_captcha.commands.arguments import parser_of
from scrapy_captcha.errors import ERRORS, ErrorCode
from scrapy_captcha.exceptions import CaptchaError
from scrapy_captcha.models import Kind
from scrapy_captcha.sandbox import (
    Answer,
    Guard,
    Mode,
    Passage,
    Sandbox,
    Shown,
    SiteOptions,
    SolverOptions,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from twisted.python.failure import Failure

_ABOUT = (
    "Crawl a site with a captcha before each page. Site and solver run in this process, so that "
    "no account is needed and nothing leaves the machine. A line shows the outcome of each page; "
    "the log is the same as in a crawl of your own."
)
_EXIT_CODES = "The exit code is 0 when everything went as expected, else 1."
SCRAPED = "scraped"
_ROW = "{:10}{:14}{:26}{}"
_SETTINGS: dict[str, Any] = {
    # The price of the sandbox, which reports it for solved tasks only.
    "CAPTCHA_PRICES": {kind.value: SolverOptions().price for kind in Kind},
    "LOG_LEVEL": "INFO",
    # Extensions that would send data off this machine, or listen on it.
    "HTTPPROXY_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
}


@dataclass(frozen=True, slots=True)
class DemoPage:
    """A page of the demo.

    * *guard*: the captcha before it, None for an open page
    * *answers*: the solver's answers about it before it answers as usual
    * *form*: the form data posted to it, "" for a GET
    * *content*: text that it contains and no captcha does; a form's page repeats the form
    * *outcome*: the expected outcome
    """

    path: str
    guard: Guard | None = None
    answers: tuple[Answer, ...] = ()
    form: str = ""
    content: str = "<h1>Item "
    outcome: str = SCRAPED


def _behind(kind: Kind, **guard: Any) -> Guard:
    return Guard(kind, mode=Mode.TOKEN, **guard)


HOME = DemoPage("/", content="<h1>Catalogue</h1>")
PAGES = (
    DemoPage("/page/1"),
    DemoPage("/widget", content="Leave a comment"),  # a captcha that guards no content
    DemoPage("/page/3", _behind(Kind.IMAGE)),
    DemoPage("/page/4", _behind(Kind.IMAGE, status=429)),
    DemoPage(
        "/page/5",
        _behind(Kind.RECAPTCHA_V2),
        (Answer("getTaskResult", "/page/5", error="UNSOLVABLE"),),
    ),
    DemoPage(
        "/page/6",
        _behind(Kind.HCAPTCHA, shown=Shown.REDIRECT, passage=Passage.REDIRECT),
        (Answer("createTask", "/page/6", error="CAPACITY", retry_after=1),),
    ),
    DemoPage("/page/7", _behind(Kind.TURNSTILE, status=403)),
    DemoPage(
        "/page/8",
        _behind(Kind.GEETEST_V4),
        (Answer("getTaskResult", "/page/8", error="PROVIDER_TIMEOUT"),),
    ),
    DemoPage("/page/9", _behind(Kind.AMAZON_WAF, status=405)),
    DemoPage("/page/10", _behind(Kind.FUNCAPTCHA, reject_first=1)),
    DemoPage("/form/11", _behind(Kind.RECAPTCHA_V3), form="name=demo", content="name=demo"),
    DemoPage(
        "/page/12",
        _behind(Kind.MTCAPTCHA),
        (Answer("createTask", "/page/12", error="INPUT_BAD_TYPE"),),
        outcome="given up: INPUT_BAD_TYPE",
    ),
)


class DemoSpider(Spider):
    """Requests each page once; *outcomes* gets the outcome of each, by path."""

    name = "captcha_demo"

    def __init__(self, sandbox: Sandbox, outcomes: dict[str, str]) -> None:
        super().__init__()
        self._sandbox = sandbox
        self._outcomes = outcomes

    async def start(self) -> AsyncIterator[Request]:
        """The home page: it begins the session, to which this site binds its captchas."""
        yield self._request(HOME)

    def parse_home(self, response: Response, page: DemoPage) -> Iterator[Request]:
        """The callback of the home page."""
        self.scrape(response, page)
        yield from map(self._request, PAGES)

    def scrape(self, response: Response, page: DemoPage) -> None:
        """The callback of all others."""
        found = page.content in response.text
        self._end(page, SCRAPED if found else "not the page")

    def give_up(self, failure: Failure) -> None:
        """The errback."""
        error = failure.value
        reason = error.reason if isinstance(error, CaptchaError) else repr(error)
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy puts it there
        self._end(request.cb_kwargs["page"], f"given up: {reason}")

    def _request(self, page: DemoPage) -> Request:
        return Request(
            self._sandbox.site_url + page.path,
            self.parse_home if page is HOME else self.scrape,
            "POST" if page.form else "GET",
            body=page.form,
            errback=self.give_up,
            cb_kwargs={"page": page},
        )

    def _end(self, page: DemoPage, outcome: str) -> None:
        self._outcomes[page.path] = outcome
        kind = page.guard.kind.value if page.guard else "no captcha"
        # A task for a picture names no page, so that nothing else shows it.
        fallback = "solved" if page.guard and outcome == SCRAPED else "-"
        said = ", ".join(_said(self._sandbox, page)) or fallback
        _tell(_ROW.format(page.path, kind, said, outcome))


def _said(sandbox: Sandbox, page: DemoPage) -> list[str]:
    """The solver's answers about *page*: errors in their order, then solutions."""
    calls = [call for call in sandbox.solver.calls if call.url.endswith(page.path)]
    names = {ERRORS[ErrorCode(answer.error)].status: answer.error for answer in page.answers}
    errors = [str(names.get(call.status)) for call in calls if call.status != 200]
    last = {call.task_id: call.status for call in calls if call.method == "getTaskResult"}
    return errors + ["solved" for status in last.values() if status == 200]


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # in step with the log, which goes to stderr


def run(settings: BaseSettings, arguments: Sequence[str]) -> int:
    """Crawl, and print the outcome page by page; 0 when all are as expected, else 1.

    Only command-line *settings* are used: a project's pipelines are no part of a demo.
    """
    parser_of("demo", _ABOUT, _EXIT_CODES).parse_args(arguments)
    if find_spec("captcha") is None:
        raise SystemExit("The demo draws pictures: pip install 'scrapy-captcha[sandbox]'")
    # Scrapy would download the public suffix list at the first cookie; the packaged one will do.
    cookies._split_domain = TLDExtract(
        suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True
    )
    # Installs the reactor, in which site and solver then listen.
    process = AsyncCrawlerProcess(_own_settings(settings))
    sandbox = _sandbox()
    process.settings.setdict(sandbox.settings)
    outcomes: dict[str, str] = {}
    _tell(_ROW.format("page", "captcha", "the solver said", "outcome"))
    process.crawl(DemoSpider, sandbox=sandbox, outcomes=outcomes)
    process.start()
    return _sum_up(sandbox, outcomes)


def _own_settings(settings: BaseSettings) -> Settings:
    told = SETTINGS_PRIORITIES["cmdline"]
    own = Settings(_SETTINGS)
    own.setdict(
        {name: settings[name] for name in settings if settings.getpriority(name) == told},
        priority="cmdline",
    )
    return own


def _sandbox() -> Sandbox:
    from twisted.internet import reactor

    site = SiteOptions(pages=12, guards={page.path: page.guard for page in PAGES})
    sandbox = Sandbox(SolverOptions(solve_time=0.3), site)
    sandbox.solver.script(*(answer for page in PAGES for answer in page.answers))
    sandbox.start()
    reactor.addSystemEventTrigger("before", "shutdown", sandbox.stop)
    return sandbox


def _sum_up(sandbox: Sandbox, outcomes: dict[str, str]) -> int:
    expected = {page.path: page.outcome for page in (HOME, *PAGES)}
    scraped = sum(outcome == SCRAPED for outcome in outcomes.values())
    _tell(
        f"{scraped} of {len(expected)} pages scraped by their own callbacks, "
        f"{len(outcomes) - scraped} given up; "
        f"{sandbox.solver.created} tasks bought for {sandbox.solver.spent}"
    )
    return 0 if outcomes == expected else 1
