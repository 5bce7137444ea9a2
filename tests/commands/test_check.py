"""``scrapy captcha check`` in projects, against the sandbox."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from commanding import Command
from forked import sandbox_process
from scrapy.settings import Settings

from scrapy_captcha.commands.check import Check, run
from scrapy_captcha.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scrapy_captcha.sandbox.fixture import SandboxProcess

PROJECT = """
SPIDER_MODULES = ["spiders"]
ADDONS = {{"scrapy_captcha.Addon": 500}}
CAPTCHA_API_URL = "{api_url}"
CAPTCHA_BUDGET = 1.0
FEEDS = {{"items.json": {{"format": "json", "overwrite": True}}}}
JOBDIR = "job"
"""
SPIDERS = """
import scrapy

class Shop(scrapy.Spider):
    name = "shop"
    allowed_domains = ["127.0.0.1"]

class News(scrapy.Spider):
    name = "news"
    allowed_domains = ["news.example"]
    custom_settings = {"DOWNLOADER_MIDDLEWARES": {"scrapy_captcha.CaptchaMiddleware": 543}}

    def captcha_detect(self, response):
        pass
"""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with sandbox_process(pages=1, kind="hcaptcha") as sandbox:
        yield sandbox


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxProcess) -> Path:
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = settings\n")
    (tmp_path / "settings.py").write_text(PROJECT.format(api_url=sandbox.api_url))
    (tmp_path / "spiders.py").write_text(SPIDERS)
    return tmp_path


def test_a_project_that_is_ready_has_ticks_only(
    command: Command, project: Path, sandbox: SandboxProcess
) -> None:
    (project / "items.json").write_text("of yesterday")
    key = f"CAPTCHA_API_KEY={sandbox.api_key}"
    done = command.run("check", "-s", key, "--spider", "shop", f"{sandbox.site_url}/page/1")

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert {line[0] for line in lines} == {"✓"}
    assert [line[2:].partition(" ")[0] for line in lines] == [
        "settings:",
        "account:",
        "middleware:",
        "conflicts:",
        "unified:",
        "limits:",
        "domains:",
        "page",
    ]
    assert "would buy HCaptchaTaskProxyless at unified" in lines[-1]
    assert sandbox.api_key not in done.stdout
    assert (project / "items.json").read_text() == "of yesterday"
    assert not (project / "job").exists()
    assert sandbox.state()["solver"]["created"] == 0


def test_settings_and_domains_are_those_of_the_spider(
    command: Command, project: Path, sandbox: SandboxProcess
) -> None:
    key = f"CAPTCHA_API_KEY={sandbox.api_key}x"
    url = f"{sandbox.site_url}/page/1"
    done = command.run("check", "-s", key, "--spider", "news", url, encoding="ascii")

    assert done.returncode == 1
    assert "X  middleware: at 543 it gets responses after" in done.stdout
    assert "X  unified: AUTH_INVALID (HTTP 401)" in done.stdout
    assert "ok domains: captchas are bought for news.example" in done.stdout
    assert "!  page: captcha_detect of the spider is not asked here" in done.stdout
    assert (
        done.stdout.count("the page is of a domain outside allowed_domains or CAPTCHA_DOMAINS") == 1
    )


def test_a_page_that_is_missing_is_no_content_in_any_reactor(
    command: Command, project: Path, sandbox: SandboxProcess
) -> None:
    other_reactor = "-sTWISTED_REACTOR=twisted.internet.selectreactor.SelectReactor"
    key = "-sCAPTCHA_API_KEY=sesame"
    done = command.run("check", other_reactor, key, f"{sandbox.site_url}/missing")

    assert done.returncode == 1
    assert "✗ page" in done.stdout
    assert "it does not come: HTTP status 404" in done.stdout


async def told(capsys: pytest.CaptureFixture[str], **settings: Any) -> tuple[int, list[str]]:
    """Exit code and lines of a check without a page."""
    code = await Check(Settings(settings), None, None).run()
    return code, capsys.readouterr().out.splitlines()


@pytest_twisted.ensureDeferred
async def test_a_beginner_is_told_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = await told(capsys)

    assert code == 1
    assert [line[0] for line in lines if line[0] != " "] == list("✓✗✗✓!!")
    assert "CAPTCHA_PROVIDERS = [" in lines[2]
    assert 'ADDONS = {"scrapy_captcha.Addon": 500}' in lines[4]


@pytest_twisted.ensureDeferred
async def test_what_is_wrong_with_the_settings_is_told_and_the_order_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, lines = await told(capsys, CAPTCHA_RETRY_TIME=3)
    switched_off = await told(capsys, CAPTCHA_ENABLED=False)

    assert code == 1
    assert lines[:2] == [
        "✗ settings: CAPTCHA_RETRY_TIME is no setting of scrapy-captcha: did you mean CAPTCHA_RETRY_TIMES?",
        "✗ middleware: not enabled",
    ]
    assert switched_off[0] == 1
    assert switched_off[1][:2] == ["✗ settings: CAPTCHA_ENABLED = False", "  -> remove it"]


@pytest_twisted.ensureDeferred
async def test_an_add_on_that_cannot_be_loaded_ends_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, lines = await told(capsys, ADDONS={"no.such.Addon": 1})

    assert code == 1
    assert lines == [
        "✗ ADDONS: ModuleNotFoundError: No module named 'no'",
        "  -> correct or remove it",
    ]


@pytest_twisted.ensureDeferred
async def test_warnings_alone_are_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    async with Sandbox() as sandbox:
        code, lines = await told(capsys, **sandbox.settings)

    assert code == 0
    assert [line for line in lines if line.startswith("!")] == [
        "! limits: none, a crawl may spend all that the account holds"
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shop.example"], "did you mean https://shop.example?"),
        (["--spider", "news"], "there is no spider 'news', nor any other"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_checked(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        sys.exit(run(Settings(), arguments))

    assert end.value.code == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
