"""What a service may not get into a site, a job directory or a log by its answers."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import pytest_twisted
from crawling import API_KEY, Visitor, crawl, sandbox
from proxying import proxies
from scrapy import Request

from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "03AGdBq25-token-that-is-long-enough"
PASSWORD = "pass-9876543210"
ENCODED = [
    API_KEY,
    API_KEY[::-1],
    API_KEY.upper(),
    API_KEY.encode().hex(),
    quote(API_KEY.replace("-", "%2D"), safe=""),
    "-".join(API_KEY),
]
SETTINGS = {"CAPTCHA_RETRY_TIMES": 1, "CAPTCHA_POLICY": {"BAD_REPLY": "drop"}}


def ready(**solution: Any) -> Answer:
    body = {"status": "ready", "solution": {"gRecaptchaResponse": TOKEN, **solution}}
    return Answer("getTaskResult", status=200, body=json.dumps(body).encode(), times=None)


def holding(folder: Path, secret: str) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    "solution",
    [
        *({"gRecaptchaResponse": f"{TOKEN}{form}"} for form in ENCODED),
        {"userAgent": f"Mozilla/5.0 {API_KEY}"},
        {"cookies": {"a": API_KEY}},
        {"cookies": {API_KEY: "a"}},
        {"domains": {"127.0.0.1": {"cookies": {"a": {"b": API_KEY}}}}},
        {"data": [[{"a": [API_KEY]}]]},
        {"cookies": {f"name{n}": "x" for n in range(2000)}},
        {"cookies": {f"name{n}": "x" * 1000 for n in range(10)}},
    ],
    ids=range(13),
)
@pytest_twisted.ensureDeferred
async def test_a_solution_with_a_secret_or_too_many_cookies_is_a_bad_reply(
    solution: dict[str, Any], tmp_path: Path
) -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        running.solver.script(ready(**solution))
        job = {"JOBDIR": str(tmp_path / "job")}
        crawled = await crawl(running, ["/page/1"], SETTINGS | job)

    assert crawled.reasons == ["BAD_REPLY"]
    assert sum(running.site.gate.rejected.values()) == 0  # nothing was sent
    assert holding(tmp_path, API_KEY) == []


@pytest.mark.parametrize(
    "task_id", ["x" * 1000, "a\u202eb", "\x1b[31m", API_KEY, -7, 1 << 80, True, 1.5, [7], " 7"]
)
@pytest_twisted.ensureDeferred
async def test_a_task_id_that_is_none_is_a_bad_reply(
    task_id: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"taskId": task_id}).encode()
    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running:
        running.solver.script(Answer("createTask", status=200, body=body, times=None))
        crawled = await crawl(running, ["/page/1"], SETTINGS)

    assert crawled.reasons == ["BAD_REPLY"]
    shown = [r.getMessage() for r in caplog.records if r.name == "scrapy_captcha.reporting.log"]
    assert not any(str(task_id) in line for line in shown if isinstance(task_id, str))


@pytest_twisted.ensureDeferred
async def test_no_text_of_a_service_is_logged_and_no_name_that_may_be_something_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    names = ["ERROR_SO_ODD", API_KEY.encode().hex(), "A" * 300, "\u202eODD", "ODD_1F2E3D4C"]
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=30) as running:
        for number, name in enumerate(names, 11):
            message = f"words of a service {API_KEY.encode().hex()}"
            body = {"error": name, "message": message, "retryable": False}
            url = f"/page/{number}"
            running.solver.script(
                Answer(url_contains=url, status=418, body=json.dumps(body).encode())
            )
        pages = [f"/page/{number}" for number in range(11, 11 + len(names))]
        crawled = await crawl(running, pages, {"CAPTCHA_SCOPE": "page"})

    assert crawled.reasons == ["UNKNOWN"] * len(names)
    text = "\n".join(r.getMessage() for r in caplog.records if r.name.endswith(".log"))
    assert "ERROR_SO_ODD" in text
    assert "words of a service" not in text
    assert [name for name in names[1:] if name in text] == []


@pytest.mark.parametrize(
    "cost", ["1_0", 1e308, 1e-320, "Infinity", "1e5", " 1", "\u0661", -1, True]
)
@pytest_twisted.ensureDeferred
async def test_a_cost_that_cannot_be_meant_is_unknown(cost: Any, tmp_path: Path) -> None:
    async with sandbox() as running:
        body = {"status": "ready", "cost": cost}
        solution = {"gRecaptchaResponse": TOKEN}
        running.solver.script(
            Answer(
                "getTaskResult", status=200, body=json.dumps(body | {"solution": solution}).encode()
            )
        )
        settings = {"CAPTCHA_RETRY_TIMES": 1, "CAPTCHA_PRICES": {"recaptcha_v2": 0.003}}
        crawled = await crawl(running, ["/page/1"], settings)

    assert len(crawled.failures) == 1  # the token is none of the site's
    assert crawled.stat("spent") == 0.003


@pytest_twisted.ensureDeferred
async def test_purchases_are_counted_by_our_ids_where_a_service_gives_all_of_them_one() -> None:
    pages = [f"/page/{number}" for number in range(1, 31)]
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=30) as running:
        running.solver.script(
            Answer("createTask", status=200, body=b'{"taskId": 77}', delay=0.1, times=None),
            *(
                Answer("getTaskResult", status=200, body=b'{"status": "processing"}')
                for _ in range(8)
            ),
            ready(),
        )
        settings = {"CAPTCHA_SCOPE": "page", "CAPTCHA_MAX_SOLVES": 8}
        crawled = await crawl(running, pages, settings)

    bought = sum(call.method == "createTask" for call in running.solver.calls)
    assert bought == 8
    assert len(crawled.failures) == len(pages)


class Copying(Visitor):
    """Copies the proxy of a response into the next request."""

    def parse(self, response: Any, **kwargs: Any) -> Any:
        super().parse(response)
        if response.url.endswith("/page/1"):
            meta = {"proxy": response.meta["proxy"]}
            url = response.urljoin("/page/2")
            yield Request(url, super().parse, errback=self.failed, meta=meta)


@pytest_twisted.ensureDeferred
async def test_a_proxy_of_the_environment_is_never_sent_to_a_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        sandbox(guard=Guard(mode=Mode.TOKEN)) as running,
        proxies("") as [proxy],
    ):
        monkeypatch.setenv("http_proxy", proxy.url.replace("://", f"://ann:{PASSWORD}@"))
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_SCOPE": "page"}, spider=Copying)

    assert crawled.paths == ["/page/1", "/page/2"]
    orders = [c.payload for c in running.solver.calls if c.method == "createTask"]
    assert len(orders) == 2
    assert "proxy" not in json.dumps(orders).lower().replace("proxyless", "")
