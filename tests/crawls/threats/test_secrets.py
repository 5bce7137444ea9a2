"""No key and no password where anybody could read it."""

from __future__ import annotations

import logging
import traceback
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import API_KEY, Visitor, crawl, sandbox
from proxying import proxies

from scrapy_captcha.errors import ERRORS, Family
from scrapy_captcha.sandbox import Answer, Guard, Mode, Sandbox, SiteOptions, SolverOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from scrapy import Request

PASSWORD = "pass-9876543210"
CONTRACT = [code.value for code, info in ERRORS.items() if info.family is not Family.CLIENT]
BASIC = b64encode(f"ann:{PASSWORD}".encode()).decode()


def secrets_in(text: str) -> list[str]:
    return [secret for secret in (API_KEY, PASSWORD, BASIC) if secret in text]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class Everything(logging.Handler):
    """Keeps what any handler could make of a record."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said += [self.format(record), repr(record.args), str(record.__dict__)]


@pytest.fixture
def everything() -> Iterator[Everything]:
    handler = Everything()
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("method", ["createTask", "getTaskResult"])
@pytest_twisted.ensureDeferred
async def test_neither_key_nor_password_is_found_after_all_errors_even_if_echoed(
    method: str, everything: Everything, tmp_path: Path
) -> None:
    echo = f"for key {API_KEY} and proxy ann:{PASSWORD} {BASIC}"
    for code in (*CONTRACT, API_KEY.upper().replace("-", "_")):
        async with (
            sandbox(guard=Guard(mode=Mode.TOKEN), guards={"/page/3": None}) as running,
            proxies(f"ann:{PASSWORD}", f"ann:{PASSWORD}") as pool,
        ):
            status = None if code in CONTRACT else 418
            running.solver.script(Answer(method, error=code, message=echo, status=status))
            settings: dict[str, Any] = {
                "CAPTCHA_PROXIES": [proxy.url for proxy in pool],
                "JOBDIR": str(tmp_path / code / method),
                "CAPTCHA_MAX_DELAY": 0.1,
                "LOG_LEVEL": "DEBUG",
            }
            crawled = await crawl(running, ["/page/1", "/page/2", "/page/3"], settings)
        assert len(crawled.responses) + len(crawled.failures) == 3
        for failure in crawled.failures:
            said = repr(failure.value) + str(failure.value) + failure.getTraceback(detail="verbose")
            assert secrets_in(said + repr(failure.value.__dict__)) == []
            assert secrets_in("".join(traceback.format_exception(failure.value))) == []
            assert secrets_in(repr(failure.request.meta)) == []  # type: ignore[attr-defined]
        for response in crawled.responses:
            assert secrets_in(repr(response.meta)) == []
        assert secrets_in(repr(crawled.stats)) == []

    assert len(everything.said) > 1000
    assert secrets_in("\n".join(everything.said)) == []
    assert [file for file in files_in(tmp_path) if secrets_in(file.read_text("latin-1"))] == []


@pytest_twisted.ensureDeferred
async def test_keys_of_several_services_are_nowhere_on_disk_or_in_the_log(
    everything: Everything, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"capsolver": "CAP-aaaabbbbccccdddd", "2captcha": "f00dfacef00dfacef00dface"}
    monkeypatch.setenv("CAPTCHA_KEY_2CAPTCHA", keys["2captcha"])
    options = {name: SolverOptions(api_key=key) for name, key in keys.items()}
    site = SiteOptions(guard=Guard(mode=Mode.TOKEN))
    async with Sandbox(SolverOptions(), site, services=options) as running:
        for name, key in keys.items():
            echo = Answer(error="UNSOLVABLE", message=f"{key} is odd")
            running.services[name].script(echo)
        settings: dict[str, Any] = {
            "CAPTCHA_API_URL": None,
            "CAPTCHA_API_KEY": None,
            "CAPTCHA_PROVIDERS": list(keys),
            "CAPTCHA_KEYS": {"capsolver": keys["capsolver"]},
            "CAPTCHA_API_URLS": {name: running.url_of(name) for name in keys},
            "CAPTCHA_REPORT": str(tmp_path / "report.json"),
            "CAPTCHA_MAX_DELAY": 0.1,
            "JOBDIR": str(tmp_path / "job"),
            "HTTPCACHE_ENABLED": True,
            "HTTPCACHE_DIR": str(tmp_path / "cache"),
            "LOG_LEVEL": "DEBUG",
        }
        crawled = await crawl(running, [f"/page/{n}" for n in range(1, 6)], settings)
        tokens = list(running.book._tokens)

    def found_in(text: str) -> list[str]:
        return [secret for secret in (*keys.values(), *tokens) if secret in text]

    assert crawled.responses
    assert tokens
    assert found_in(repr(crawled.stats) + "\n".join(everything.said)) == []
    files = files_in(tmp_path)
    assert len(files) > 5
    assert [file for file in files if found_in(file.read_text("latin-1"))] == []


@pytest_twisted.ensureDeferred
async def test_neither_token_nor_password_goes_to_the_scheduler() -> None:
    written: list[str] = []

    class Watching(Visitor):
        async def start(self) -> AsyncIterator[Request]:
            engine = self.crawler.engine
            assert engine is not None
            scheduler = engine._slot.scheduler  # type: ignore[union-attr]
            enqueue = scheduler.enqueue_request

            def enqueue_request(request: Request) -> bool:
                written.append(repr(request.to_dict(spider=self)))
                return enqueue(request)

            scheduler.enqueue_request = enqueue_request  # type: ignore[method-assign]
            async for request in super().start():
                yield request

    async with sandbox(guard=Guard(mode=Mode.TOKEN)) as running, proxies(f"ann:{PASSWORD}") as pool:
        settings = {"CAPTCHA_PROXIES": [proxy.url for proxy in pool]}
        paths = [f"/page/{n}" for n in range(1, 6)]
        crawled = await crawl(running, paths, settings, Watching)

    assert len(crawled.responses) == 5
    assert len(written) >= 10  # each page on its way in, and with its solution
    assert secrets_in("".join(written)) == []
    tokens = list(running.book._tokens)
    assert [token for token in tokens if token in "".join(written)] == []
