"""What people read who have made a mistake: the thing, its value, the cause and what to write.

Each text stands here in full, so that all of them can be read side by side. Those of settings are
in test_mistakes_in_settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import API_KEY, Visitor, crawl, sandbox
from scrapy import Request
from told import PASSWORD, is_told_well
from twisted.internet.defer import Deferred

from scrapy_captcha import Solution, SolverClient, captcha_request
from scrapy_captcha.providers import Unified
from scrapy_captcha.sandbox import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from scrapy.http import Response

    from scrapy_captcha.providers import Flow, Order

# A request's own words

KEYS = "policy, retry_times, on_give_up, refetch, kind, site_key"
IN_META: list[tuple[object, str]] = [
    ("no", f"meta[\"captcha\"] = 'no': write False or a dict of {KEYS}"),
    ({"retries": 1}, "meta[\"captcha\"] has 'retries', which is no key of it: did you mean retry_times?"),
    ({"x": 1}, f"meta[\"captcha\"] has 'x', which is no key of it: write one of {KEYS}"),
    ({"retry_times": 0}, 'meta["captcha"]["retry_times"] = 0: write a whole number from 1'),
    ({"on_give_up": "keep"}, "meta[\"captcha\"][\"on_give_up\"] = 'keep': write one of 'drop', 'pass'"),
    ({"policy": {"CAPACITTY": "drop"}}, "meta[\"captcha\"][\"policy\"] = {'CAPACITTY': 'drop'}: 'CAPACITTY' is no error code: did you mean CAPACITY?"),
    ({"kind": "hcapcha"}, "meta[\"captcha\"][\"kind\"] = 'hcapcha': no kind that can be declared: did you mean hcaptcha?"),
    ({"site_key": "a b"}, "meta[\"captcha\"][\"site_key\"] = 'a b': write the site key as a string, without spaces"),
]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_meta_that_cannot_be_right_fails_its_own_request_before_anything_is_fetched() -> None:
    async with sandbox() as running:
        requests = [
            Request(f"{running.site_url}/page/1", meta={"captcha": value}, dont_filter=True)
            for value, _ in IN_META
        ]
        crawled = await crawl(running, requests)

    texts = [text for _, text in IN_META]
    assert sorted(str(failure.value) for failure in crawled.failures) == sorted(texts)
    assert all(map(is_told_well, texts))
    assert "downloader/request_count" not in crawled.stats


# What hooks, detectors, pools and providers answer


def hooked(**hooks: Callable[..., object]) -> type[Visitor]:
    """A spider with *hooks*, which are called without it."""
    methods = {name: staticmethod(hook) for name, hook in hooks.items()}
    return type("Hooked", (Visitor,), methods)


def pool(choice: object, wait: object = 0) -> type:
    methods = {
        "choose": lambda *_: choice,
        "refused": lambda *_: None,
        "wait": lambda *_: wait,
    }
    return type("Pool", (), methods)


class Empty(Unified):
    name = "empty"

    def solve(self, order: Order) -> Flow:
        yield from super().solve(order)
        return Solution({})


class Vain(Unified):
    name = "vain"

    def solve(self, order: Order) -> Flow:  # type: ignore[return]  # that is the mistake
        yield from super().solve(order)


A_POOL = "return the URL of a proxy, or None"
SCHEMES = "its scheme is none of http, https, socks4, socks5"
OF_HOOKS: list[tuple[dict[str, Any], type[Visitor], str]] = [
    ({}, hooked(captcha_detect=lambda _: True), "captcha_detect of the spider gave True: return a Captcha, Detection or None"),
    ({}, hooked(captcha_detect=lambda _: Deferred()), "captcha_detect of the spider gave <Deferred at …>: return a Captcha, Detection or None"),
    ({}, hooked(captcha_submit=lambda *_: None), "captcha_submit of the spider gave None: return the Request that carries the solution"),
    ({"CAPTCHA_DETECTORS": {"own": lambda _: "hcaptcha"}}, Visitor, "the detector 'own' gave 'hcaptcha': return a Detection or None"),
    ({"CAPTCHA_PROXIES": pool(5)}, Visitor, f"Pool.choose returned something of type int: {A_POOL}"),
    ({"CAPTCHA_PROXIES": pool(f"ann:{PASSWORD}@h:1")}, Visitor, f"Pool.choose gave no proxy, {SCHEMES}: return scheme://user:password@host:port"),
    ({"CAPTCHA_PROXIES": pool(None, "soon")}, Visitor, "Pool.wait gave 'soon': return seconds from 0, or None for never"),
    ({"CAPTCHA_PROVIDERS": [Empty]}, Visitor, "the provider gave a solution without 'token': put it into Solution.answers"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "spider", "text"), OF_HOOKS, ids=[row[2][:40] for row in OF_HOOKS]
)
@pytest_twisted.ensureDeferred
async def test_what_a_hook_answers_that_cannot_be_meant_fails_the_page_with_what_to_return(
    settings: dict[str, Any], spider: type[Visitor], text: str
) -> None:
    async with sandbox() as running:
        crawled = await crawl(running, ["/page/1"], settings, spider)

    (failure,) = crawled.failures
    before, _, after = text.partition("<Deferred at …>")
    assert str(failure.value).startswith(before)
    assert str(failure.value).endswith(after)
    assert is_told_well(text)
    assert crawled.responses == []


@pytest_twisted.ensureDeferred
async def test_a_provider_that_gives_no_solution_is_named_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with sandbox() as running:
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_PROVIDERS": [Vain]})

    assert crawled.reasons == ["error"]
    assert (
        "the provider 'vain' returned something of type NoneType: return a Solution"
    ) in caplog.text


# captcha_request

OF_FORMS: list[tuple[Callable[[Any, Any], Any], str]] = [
    (lambda s, r: captcha_request(s, r.replace(request=None)), "<200 …/search> answers no request, so that its session is unknown: give captcha_request the response that the callback got"),
    (lambda s, r: captcha_request(s, r, form=r.css("body")), "form=[<Selector query='descendant-or-self::body' data='…'>] is no form: select one, as response.css('form')[0], or leave it out"),
    (lambda s, r: captcha_request(s, r, formdata=[("q", "chair")]), "formdata=[('q', 'chair')]: write a dict of names and values"),  # type: ignore[arg-type]
    (lambda s, r: captcha_request(s, r, method="GET"), "method= is not for captcha_request: the form says it; leave it out"),
    (lambda s, r: captcha_request(s, r, callbak=s.parse), "…__init__() got an unexpected keyword argument 'callbak'"),
    (lambda s, r: captcha_request(s, r, meta={"captcha": {"kind": "hcapcha"}}), "meta[\"captcha\"][\"kind\"] = 'hcapcha': no kind that can be declared: did you mean hcaptcha?"),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "text"), OF_FORMS, ids=[text[:30] for _, text in OF_FORMS])
@pytest_twisted.ensureDeferred
async def test_a_request_for_a_form_that_cannot_be_made_is_refused_before_anything_is_bought(
    ask: Callable[[Visitor, Response], Any], text: str
) -> None:
    told: list[str] = []

    class Asking(Visitor):
        async def parse(self, response: Response, **kwargs: Any) -> AsyncIterator[Request]:  # type: ignore[override]
            try:
                yield await ask(self, response)
            except (TypeError, ValueError) as error:
                told.append(str(error))

    async with sandbox() as running:
        await crawl(running, ["/search"], spider=Asking)

    (said,) = told
    assert all(part in said for part in text.split("…"))
    assert running.solver.calls == []


# Buying in one's own code

OF_CLIENTS: list[tuple[object, str, str]] = [
    (Unified, "https://h", "provider=<class 'scrapy_captcha.providers.unified.Unified'>: give an instance, such as Unified(poll_interval=3)"),
    ("capsolver", "https://h", "provider='capsolver': give an instance, such as Unified(poll_interval=3)"),
    (Unified(poll_interval=1), "", "api_url='': write the base URL of the API, such as https://api.example.com"),
    (Unified(poll_interval=1), f"ann:{PASSWORD}@h.example", "api_url='h.example': write the base URL of the API, such as https://api.example.com"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "url", "text"), OF_CLIENTS)
def test_a_client_that_could_not_buy_is_refused(provider: Any, url: str, text: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        SolverClient(provider, api_url=url, api_key=API_KEY)

    assert str(caught.value) == text
    assert is_told_well(text)


# The log


IN_LOG: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"error": "AUTH_INVALID"}, {}, "ERROR", "Stopped buying solutions from unified: AUTH_INVALID (HTTP 401): API key not found or invalid: check its key in CAPTCHA_API_KEY or CAPTCHA_KEYS. Pages with captchas are given up unless another provider is left"),
    ({"error": "BALANCE_EMPTY"}, {}, "ERROR", "Stopped buying solutions from unified: BALANCE_EMPTY (HTTP 402): account balance is zero or negative: top the account up. Pages with captchas are given up unless another provider is left"),
    ({"error": "NOT_FOUND"}, {}, "WARNING", "Giving up on <GET …/page/1>: captcha not solved (recaptcha_v2), NOT_FOUND (unified, HTTP 404: task not found or expired)"),
    ({}, {"CAPTCHA_MAX_SOLVES": 0}, "WARNING", "Stopped buying solutions in this crawl, CAPTCHA_MAX_SOLVES = 0 is reached: pages with captchas are given up"),
    ({}, {"CAPTCHA_MAX_SOLVES": 0}, "WARNING", "Giving up on <GET …/page/1>: captcha not solved (recaptcha_v2), budget (a limit on solves or money is reached)"),
    ({}, {"CAPTCHA_BUDGET_PER_SITE": 0, "CAPTCHA_BUDGET_PER_HOUR": 0}, "WARNING", "Stopped buying solutions at 127.0.0.1 for now, CAPTCHA_BUDGET_PER_SITE = 0.00 or CAPTCHA_BUDGET_PER_HOUR = 0.00 is reached: pages with captchas are given up"),
    ({}, {"CAPTCHA_MAX_SOLVES": 0, "CAPTCHA_ON_GIVE_UP": "pass"}, "WARNING", "Passing on <GET …/page/1> with its captcha, budget (a limit on solves or money is reached)"),
    ({}, {"CAPTCHA_PROXIES": pool(None, None)}, "WARNING", "No proxy is left for 127.0.0.1: CAPTCHA_ON_NO_PROXY says what becomes of its pages"),
    ({}, {"CAPTCHA_DROPPED_FEED": "no/such/feed"}, "WARNING", "CAPTCHA_DROPPED_FEED = no/such/feed cannot be written (FileNotFoundError): write a path that can"),
    ({}, {"CAPTCHA_REPORT": "no/such/report"}, "WARNING", "CAPTCHA_REPORT = no/such/report cannot be written (FileNotFoundError): write a path that can"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "settings", "level", "text"), IN_LOG, ids=[row[3][:50] for row in IN_LOG]
)
@pytest_twisted.ensureDeferred
async def test_the_log_says_once_what_happened_and_where_to_look(
    answer: dict[str, Any],
    settings: dict[str, Any],
    level: str,
    text: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with sandbox() as running:
        if answer:
            running.solver.script(Answer(times=None, **answer))
        await crawl(running, ["/page/1"], settings)

    first, _, last = text.partition("…")
    said = [r for r in caplog.records if r.getMessage().startswith(first)]
    assert [(r.levelname, r.getMessage().endswith(last)) for r in said] == [(level, True)]
    assert API_KEY not in caplog.text


@pytest_twisted.ensureDeferred
async def test_damaged_files_of_a_job_are_named_with_what_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = tmp_path / "captcha.sqlite"
    for path in (journal, tmp_path / "captcha-spent.json"):
        path.write_text("damaged " * 100)
    async with sandbox() as running:
        await crawl(running, ["/page/1"], {"JOBDIR": str(tmp_path)})

    said = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    spent = "is damaged: what earlier runs spent is not known, the limits begin anew"
    assert said == [
        f"{tmp_path}/captcha-spent.json {spent}",
        f"The captcha journal is damaged and now {journal}.damaged: file is not a database",
    ]
