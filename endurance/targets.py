"""What parses, each with what may come of any input; anything else is a finding."""

from __future__ import annotations

import math
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.settings import BaseSettings
from scrapy.utils.reactor import install_reactor, is_reactor_installed
from scrapy.utils.test import get_crawler

from endurance.bad_pages import bad_page
from endurance.inputs import answer, anything, damaged, text
from scrapy_captcha.buying.ledger import Ledger
from scrapy_captcha.buying.prices import Prices
from scrapy_captcha.detection import HtmlPage, detect
from scrapy_captcha.errors import SolverError, read_retry_after_header
from scrapy_captcha.models import Captcha, Kind
from scrapy_captcha.providers import PROVIDERS, Order, Reply
from scrapy_captcha.providers.solutions import read_solution
from scrapy_captcha.proxy import Proxy
from scrapy_captcha.settings.config import Config
from scrapy_captcha.settings.limits import Limits
from scrapy_captcha.settings.options import Options
from scrapy_captcha.solver.redaction import scrub
from scrapy_captcha.state import KEY, CaptchaState
from scrapy_captcha.store.journal import Journal, _sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from random import Random

    from scrapy_captcha.models import Solution

_PAGES = tuple(path.read_bytes() for path in sorted(Path("tests/pages").glob("*.html")))
_STATUSES = (200, 200, 200, 201, 302, 400, 401, 402, 403, 404, 413, 422, 429, 500, 502, 504)
_HEADERS = ("5", "-1", "1e9", "Wed, 21 Oct 2015 07:28:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT")
_ROWS = tuple(
    _sealed(Request(f"https://shop.example/{n}", meta={KEY: {"entry": "x"}}).to_dict())
    for n in range(3)
)
_PROXIES = ("http://user:hidden%40word@proxy.example:8080", "socks5://[::1]:1080", "https://p:1")
_SETTINGS = (
    *('{"UNSOLVABLE": "drop"}', '["2captcha", "capsolver"]', "https://api.example.com/v1", "auto"),
    *("1", "0.5", "True", "shop.example,other.example", '{"capsolver": "k"}', "unified", "1e5"),
    *_PROXIES,
)
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
_KEY = "key-0123456789abcdef"
_SERVICES = [provider(poll_interval=3.0) for provider in PROVIDERS.values()]
_LONGEST_FLOW = 30  # answers
_LONGEST_JUDGED = 0.3  # seconds of CPU time, beside those of parsing
_PARSINGS = 2


def _reply(random: Random) -> Reply:
    header = text(random, _HEADERS)
    return Reply(random.choice(_STATUSES), {"retry-after": header}, answer(random), 1e9)


def _check(condition: bool, what: object = "") -> None:
    if not condition:
        raise AssertionError(what)


def _check_wait(seconds: float | None) -> None:
    _check(seconds is None or (seconds > 0 and math.isfinite(seconds)), seconds)


def _check_solution(solution: Solution) -> None:
    is_text = set(solution.answers) == {"text"}
    for value in solution.answers.values():
        _check(value.isprintable() if is_text else _TOKEN.fullmatch(value) is not None)


def errors(random: Random) -> None:
    """An answer is a JSON object, or an error that can be acted upon."""
    try:
        random.choice(_SERVICES).read(_reply(random))
    except SolverError as error:
        _check_wait(error.retry_after)
        _check(_KEY not in f"{error!r}{error}")


def headers(random: Random) -> None:
    """``Retry-After`` is a wait, or nothing."""
    said = {name: text(random, _HEADERS) for name in ("retry-after", "date")}
    _check_wait(read_retry_after_header(said, now=1e9))


def solutions(random: Random) -> None:
    """What a service calls a solution can be sent on, or is a SolverError."""
    body: Any = anything(random, 4)
    with suppress(SolverError):
        fields = body if isinstance(body, dict) else {"solution": body}
        _check_solution(read_solution(random.choice(list(Kind)), fields, 7))


def conversations(random: Random) -> None:
    """A purchase ends in a solution or a SolverError, and waits for no odd times."""
    service, captcha = random.choice(_SERVICES), Captcha(random.choice(list(Kind)), "https://a.b/")
    order = Order(captcha, "p", b"GIF89a", task_id=random.choice((None, 7)))
    flow: Generator[Any, Any, Solution] = service.solve(order)
    try:
        call = next(flow)
        for _ in range(_LONGEST_FLOW):
            _check(0 <= call.after < math.inf)
            try:
                body = service.read(_reply(random))
            except SolverError as error:
                call = flow.throw(error)
            else:
                call = flow.send(body)
    except SolverError as error:
        _check_wait(error.retry_after)
    except StopIteration as stop:
        _check_solution(stop.value)


def pages(random: Random) -> None:
    """Any page is looked at, and what is seen on it can be logged."""
    status = random.choice((None, *_STATUSES))
    found = detect(HtmlPage("https://shop.example/", damaged(random, _PAGES), status))
    if found is not None:
        _check(all(word.isprintable() for word in (found.name, *found.evidence)))


def slow(random: Random) -> None:
    """Judging a page of up to 1 MB takes twice as long as parsing it, and 0.3 s more, at most."""
    page = HtmlPage("https://shop.example/", bad_page(random), random.choice((200, 403)))
    parsed, judged = _seconds(lambda: page.selector), _seconds(lambda: detect(page))
    if judged > _LONGEST_JUDGED + _PARSINGS * parsed:  # once more, as others use the machine
        judged = min(judged, _seconds(lambda: detect(page)))
    _check(judged <= _LONGEST_JUDGED + _PARSINGS * parsed, f"{judged:.2f} s, parsed {parsed:.2f} s")


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def rows(random: Random) -> None:
    """An entry of the journal is a request, or is left out."""
    found = _JOURNAL._read(b"x", damaged(random, _ROWS))
    _check(found is None or isinstance(found, Request))


def meta(random: Random) -> None:
    """What a queue gives back of us is sound, whatever somebody has put there."""
    stored: Any = {name: anything(random) for name in (*_FIELDS_OF_STATE, "other")}
    state = CaptchaState.of({KEY: random.choice((stored, anything(random)))})
    _check(state.tasks >= 0 <= state.retries)
    _check(CaptchaState.of({KEY: dict(state.to_meta())}) == state)  # a copy is parsed


def spent(random: Random) -> None:
    """What earlier runs have spent is restored or refused."""
    ledger = Ledger(Limits(), Prices({}), patience=100.0)
    state = ledger.state(0.0)
    for name in random.sample(sorted(state), random.randint(1, len(state))):
        state[name] = anything(random)
    with suppress(*_DAMAGE):
        ledger.restore(state, 0.0, 5.0)


def proxies(random: Random) -> None:
    """A proxy is read, or refused without a word of its password."""
    try:
        Proxy.parse(text(random, _PROXIES))
    except ValueError as error:
        _check("hidden" not in str(error))


def settings(random: Random) -> None:
    """A setting is read, or refused with ValueError."""
    name = random.choice(_NAMES)
    value = random.choice((text(random, _SETTINGS), anything(random)))
    with suppress(ValueError):
        Config.read(BaseSettings({name: value}))


def words(random: Random) -> None:
    """What a request says of its captchas is read, or refused with ValueError."""
    names = random.sample(_WORDS_OF_A_REQUEST, random.randrange(3))
    with suppress(ValueError):
        Options.of(_CONFIG, {name: anything(random) for name in names} or anything(random))


def texts(random: Random) -> None:
    """What a service says about us shows neither a secret nor a control character."""
    said = scrub(text(random, (f"for {_KEY}", "no such key", f"Basic {_KEY}==")), (_KEY,))
    _check(said.isprintable())
    _check(_KEY not in said)


_CONFIG = Config()
_FIELDS_OF_STATE = tuple(CaptchaState.__dataclass_fields__)
_WORDS_OF_A_REQUEST = ("policy", "retry_times", "on_give_up", "kind", "site_key")
_NAMES = sorted(f"CAPTCHA_{name.upper()}" for name in Config.__dataclass_fields__)
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
if not is_reactor_installed():  # Scrapy 2.14 makes no crawler without
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
_JOURNAL = Journal(
    get_crawler(), prepared=lambda request: request, on_unserializable=lambda *_: None
)


@dataclass(frozen=True, slots=True)
class Target:
    """*parse* takes one input made of a `Random`; *share* is its part of all inputs, in percent."""

    parse: Callable[[Random], None]
    share: int


TARGETS = {
    parse.__name__: Target(parse, share)
    for parse, share in {
        errors: 15,
        headers: 8,
        solutions: 10,
        conversations: 10,
        pages: 10,
        slow: 1,
        rows: 11,
        meta: 10,
        spent: 5,
        proxies: 5,
        settings: 5,
        words: 5,
        texts: 5,
    }.items()
}
