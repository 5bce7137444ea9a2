"""What people read whose settings cannot be right: the setting, its value and what to write.

Each text stands here in full, so that all of them can be read side by side.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import API_KEY, FAST, Crawled, Visitor, reactor_setting
from scrapy.crawler import CrawlerRunner
from told import PASSWORD, is_told_well

from scrapy_captcha import Kind
from scrapy_captcha.providers import CreateTask, Provider, TaskType
from scrapy_captcha.settings.config import Config

if TYPE_CHECKING:
    from pathlib import Path

NEEDED: dict[str, Any] = {
    "ADDONS": {"scrapy_captcha.Addon": 500},
    "CAPTCHA_API_URL": "http://127.0.0.1:9",
    "CAPTCHA_API_KEY": API_KEY,
    "CAPTCHA_DOMAINS": ["127.0.0.1"],
}


class Unfinished(Provider):
    name = "unfinished"


class Nameless(CreateTask):
    tasks = {Kind.TURNSTILE: TaskType("TurnstileTask")}


class Taskless(CreateTask):
    name = "taskless"


class Mistasked(Taskless):
    tasks = {Kind.TURNSTILE: "TurnstileTask"}  # type: ignore[dict-item]


class Schemeless(Nameless):
    name = "schemeless"
    base_url = "api.schemeless.example"


class Plain(Nameless):
    name = "plain"
    base_url = "http://api.plain.example"


class Homeless(Nameless):
    name = "homeless"


class Half:
    def choose(self, site: str, jar: object) -> None: ...


class Needy(Half):
    refused = wait = Half.choose

    def __init__(self, path: str) -> None: ...


A_URL = (
    "write the base URL of the API, such as https://api.example.com, without user name and password"
)
A_PROXY = "of scheme://user:password@host:port, the path of a file with one a line, or of a class"
SECONDS = "write a number of seconds above 0 and up to 86400"
AMOUNT = "write an amount from 0, such as 0.5, without its currency"
KINDS = ", ".join(kind.value for kind in Kind)
NAMES = "unified, anticaptcha, 2captcha, rucaptcha, capsolver, capmonster, generic"

AT_START: list[tuple[dict[str, Any], str]] = [
    # names
    ({"CAPTCHA_RETRY_TIME": 2}, "CAPTCHA_RETRY_TIME is no setting of scrapy-captcha: did you mean CAPTCHA_RETRY_TIMES?"),
    ({"CAPTCHA_XYZ_XYZ_XYZ": PASSWORD}, "CAPTCHA_XYZ_XYZ_XYZ is no setting of scrapy-captcha: remove it, or rename it if it is not for scrapy-captcha"),
    # values
    ({"CAPTCHA_DRY_RUN": "maybe"}, "CAPTCHA_DRY_RUN = 'maybe': write True or False"),
    ({"CAPTCHA_MAX_DELAY": "20s"}, f"CAPTCHA_MAX_DELAY = '20s': {SECONDS}"),
    ({"CAPTCHA_POLL_INTERVAL": 0}, f"CAPTCHA_POLL_INTERVAL = 0: {SECONDS}"),
    ({"CAPTCHA_RETRY_TIMES": 0}, "CAPTCHA_RETRY_TIMES = 0: write a whole number from 1"),
    ({"CAPTCHA_MAX_SOLVES": -1}, "CAPTCHA_MAX_SOLVES = -1: write a whole number from 0"),
    (
        {"CAPTCHA_MAX_SOLVES_PER_PAGE": 0.5},
        "CAPTCHA_MAX_SOLVES_PER_PAGE = 0.5: write a number from 1, or 0 for no limit",
    ),
    ({"CAPTCHA_BUDGET": "1 USD"}, f"CAPTCHA_BUDGET = '1 USD': {AMOUNT}"),
    ({"CAPTCHA_SCOPE": "all"}, "CAPTCHA_SCOPE = 'all': write one of 'auto', 'site', 'page'"),
    ({"CAPTCHA_REPORT": 5}, "CAPTCHA_REPORT = 5: write the path of a file"),
    ({"CAPTCHA_DOMAINS": 5}, 'CAPTCHA_DOMAINS = 5: write a list such as ["example.com"]'),
    ({"CAPTCHA_DOMAINS": "https://a.example"}, """CAPTCHA_DOMAINS = 'https://a.example': 'https://a.example' is no domain: write a list such as ["example.com"], without scheme, port, path or leading dot"""),
    ({"CAPTCHA_DOMAINS": []}, "captchas are bought for named domains only: set allowed_domains on the spider, or CAPTCHA_DOMAINS"),
    # dicts
    ({"CAPTCHA_POLICY": "{drop"}, """CAPTCHA_POLICY = '{drop': write a dict such as {"UNSOLVABLE": "drop"}"""),
    ({"CAPTCHA_POLICY": {"UNSOLVEABLE": "drop"}}, "CAPTCHA_POLICY = {'UNSOLVEABLE': 'drop'}: 'UNSOLVEABLE' is no error code: did you mean UNSOLVABLE?"),
    ({"CAPTCHA_POLICY": {"TIMEOUT": "skip"}}, "CAPTCHA_POLICY = {'TIMEOUT': 'skip'}: for 'TIMEOUT' write one of 'reschedule', 'rotate', 'drop', 'stop'"),
    ({"CAPTCHA_PRICES": {"5": 1}}, f"CAPTCHA_PRICES = {{'5': 1}}: '5' is no kind of captcha: write one of {KINDS}"),
    ({"CAPTCHA_PRICES": {"image": "cheap"}}, f"CAPTCHA_PRICES = {{'image': 'cheap'}}: for 'image' {AMOUNT}"),
    # detectors
    ({"CAPTCHA_DETECTORS": {"wall": None}}, "CAPTCHA_DETECTORS = {'wall': None}: there is no detector 'wall' to remove: did you mean walls?"),
    ({"CAPTCHA_DETECTORS": {"own": "no.such"}}, "CAPTCHA_DETECTORS = {'own': 'no.such'}: 'no.such' cannot be imported (No module named 'no'): write the import path of a function"),
    ({"CAPTCHA_DETECTORS": {"own": 5}}, "CAPTCHA_DETECTORS = {'own': 5}: 5 cannot be called: write the import path of a function"),
    # providers
    ({"CAPTCHA_PROVIDERS": 5}, 'CAPTCHA_PROVIDERS = 5: write a list such as ["capsolver", "2captcha"]'),
    ({"CAPTCHA_PROVIDERS": "capsolvr"}, "CAPTCHA_PROVIDERS = 'capsolvr': there is no provider 'capsolvr': did you mean capsolver?"),
    ({"CAPTCHA_PROVIDERS": "xyz"}, f"CAPTCHA_PROVIDERS = 'xyz': there is no provider 'xyz': write one of {NAMES}"),
    ({"CAPTCHA_PROVIDERS": "generic,generic"}, "CAPTCHA_PROVIDERS = 'generic,generic': 'generic' is there twice: write each provider once, since keys and URLs go by its name"),
    ({"CAPTCHA_PROVIDERS": ["no.Such"]}, "CAPTCHA_PROVIDERS = ['no.Such']: 'no.Such' cannot be imported (No module named 'no'): write the import path of a class"),
    ({"CAPTCHA_PROVIDERS": ["os.getcwd"]}, "CAPTCHA_PROVIDERS = ['os.getcwd']: <built-in function getcwd> is no provider: write a subclass of scrapy_captcha.providers.CreateTask or Provider"),
    ({"CAPTCHA_PROVIDERS": [Unfinished]}, f"CAPTCHA_PROVIDERS = [{Unfinished}]: the class Unfinished lacks methods: write authenticated, balance, read, solve"),
    ({"CAPTCHA_PROVIDERS": [Nameless]}, f"""CAPTCHA_PROVIDERS = [{Nameless}]: the class Nameless has no name: write name = "myservice" in it"""),
    ({"CAPTCHA_PROVIDERS": [Taskless]}, f"CAPTCHA_PROVIDERS = [{Taskless}]: the class Taskless has no table of tasks: write tasks = {{Kind.TURNSTILE: TaskType(\"…\")}} in it"),
    ({"CAPTCHA_PROVIDERS": [Mistasked]}, f"CAPTCHA_PROVIDERS = [{Mistasked}]: the class Mistasked has no table of tasks: write tasks = {{Kind.TURNSTILE: TaskType(\"…\")}} in it"),
    ({"CAPTCHA_PROVIDERS": [Schemeless]}, f"CAPTCHA_PROVIDERS = [{Schemeless}]: the class Schemeless has base_url = 'api.schemeless.example': {A_URL}"),
    ({"CAPTCHA_PROVIDERS": [Plain], "CAPTCHA_API_URL": None}, "Plain.base_url = http://api.plain.example has no TLS, which would send your key unencrypted: write https://…, or set CAPTCHA_ALLOW_HTTP = True"),
    ({"CAPTCHA_PROVIDERS": ["capsolver", Homeless], "CAPTCHA_KEYS": {"homeless": PASSWORD}}, 'homeless is in CAPTCHA_PROVIDERS: set CAPTCHA_API_URLS["homeless"] to the base URL of your solver\'s API'),
    ({"CAPTCHA_PROVIDERS": ["capsolver", "2captcha"]}, '2captcha is in CAPTCHA_PROVIDERS: set CAPTCHA_KEYS["2captcha"], or CAPTCHA_KEY_2CAPTCHA in the environment, to your key'),
    # accounts
    ({"CAPTCHA_API_URL": "api.example.com"}, f"CAPTCHA_API_URL = 'api.example.com': {A_URL}"),
    ({"CAPTCHA_API_URL": f"https://ann:{PASSWORD}@api.example.com"}, f"CAPTCHA_API_URL = 'https://…api.example.com': {A_URL}"),
    ({"CAPTCHA_API_URL": "http://api.example.com/v1"}, "CAPTCHA_API_URL = http://api.example.com has no TLS, which would send your key unencrypted: write https://…, or set CAPTCHA_ALLOW_HTTP = True"),
    ({"CAPTCHA_API_URLS": {"unified": "http://api.example.com"}}, 'CAPTCHA_API_URLS["unified"] = http://api.example.com has no TLS, which would send your key unencrypted: write https://…, or set CAPTCHA_ALLOW_HTTP = True'),
    ({"CAPTCHA_API_URLS": {"generic": f"//ann:{PASSWORD}@h"}}, f"CAPTCHA_API_URLS = {{'generic': '//…h'}}: for 'generic' {A_URL}"),
    ({"CAPTCHA_API_URLS": {"unifed": "https://h"}}, "CAPTCHA_API_URLS: 'unifed' is no provider: did you mean unified?"),
    ({"CAPTCHA_API_KEY": [PASSWORD]}, "CAPTCHA_API_KEY: write the key as a string"),
    ({"CAPTCHA_KEYS": PASSWORD}, 'CAPTCHA_KEYS: write a dict such as {"capsolver": "…"}'),
    ({"CAPTCHA_KEYS": {"capsolver": [PASSWORD]}}, "CAPTCHA_KEYS: for 'capsolver' write the key as a string"),
    ({"CAPTCHA_KEYS": {"capsolvr": PASSWORD}}, "CAPTCHA_KEYS: 'capsolvr' is no provider: did you mean capsolver?"),
    # proxies
    ({"CAPTCHA_PROXIES": 5}, f"CAPTCHA_PROXIES: write a list {A_PROXY}"),
    ({"CAPTCHA_PROXIES": "no/such.txt"}, f"CAPTCHA_PROXIES: 'no/such.txt' is no file that can be read (FileNotFoundError): write a list {A_PROXY}"),
    ({"CAPTCHA_PROXIES": f"host:1:ann:{PASSWORD}"}, f"CAPTCHA_PROXIES: it is no file that can be read (FileNotFoundError): write a list {A_PROXY}"),
    ({"CAPTCHA_PROXIES": ["http://h:1", f"http://ann:{PASSWORD}@h"]}, "CAPTCHA_PROXIES: entry 2 is no proxy, it has no host or no port: write scheme://user:password@host:port"),
    ({"CAPTCHA_PROXIES": [f"ftp://ann:{PASSWORD}@h:1"]}, "CAPTCHA_PROXIES: entry 1 is no proxy, its scheme is none of http, https, socks4, socks5: write scheme://user:password@host:port"),
    ({"CAPTCHA_PROXIES": Half}, "CAPTCHA_PROXIES: the class Half lacks methods: write choose, refused, wait"),
    ({"CAPTCHA_PROXIES": Needy}, """CAPTCHA_PROXIES: Needy() raises TypeError("Needy.__init__() missing 1 required positional argument: 'path'"): write a class that can be made without arguments"""),
    # other settings
    ({"CAPTCHA_PROXIES": [f"socks5://ann:{PASSWORD}@h:1"]}, "CAPTCHA_PROXIES: socks5://h:1 speaks SOCKS, and Scrapy's usual download handler does not: set DOWNLOAD_HANDLERS for http and https to one that does, or remove that proxy"),
    ({"CAPTCHA_PROXIES": ["http://h:1"], "HTTPPROXY_ENABLED": False}, "HTTPPROXY_ENABLED = False, but CAPTCHA_PROXIES are used through it: remove one of the two"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_keys_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CAPTCHA_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("settings", "text"), AT_START, ids=[text[:60] for _, text in AT_START])
@pytest_twisted.ensureDeferred
async def test_a_setting_that_cannot_be_right_ends_the_crawl_before_it_begins(
    settings: dict[str, Any], text: str
) -> None:
    runner = CrawlerRunner({**NEEDED, **FAST, **reactor_setting(), **settings})
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is compared
        await runner.crawl(runner.create_crawler(Visitor), requests=[], crawled=Crawled())

    assert str(caught.value) == text
    assert is_told_well(text)


def test_every_setting_that_can_be_wrong_is_above_or_read_as_one_that_is() -> None:
    readers = {f"CAPTCHA_{f.name.upper()}": f.metadata["read"] for f in fields(Config)}
    provoked = {readers.get(name) for settings, _ in AT_START for name in settings}
    words = {
        f.name
        for f in fields(Config)
        if f.metadata["read"].__qualname__ == "read_word.<locals>.read"
    }
    unread = {name for name, read in readers.items() if read not in provoked}

    assert unread == {f"CAPTCHA_{name.upper()}" for name in words} - {"CAPTCHA_SCOPE"}


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("CAPTCHA_API_URL", "set CAPTCHA_API_URL to the base URL of your solver's API"),
        ("CAPTCHA_API_KEY", "set CAPTCHA_API_KEY, here or in the environment, to your key"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_without_an_account_the_crawl_goes_on_and_one_line_says_what_to_set(
    missing: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    runner = CrawlerRunner({**NEEDED, **FAST, **reactor_setting(), missing: None})
    await runner.crawl(runner.create_crawler(Visitor), requests=[], crawled=Crawled())

    said = [(r.levelname, r.getMessage()) for r in caplog.records if "CAPTCHA_" in r.getMessage()]
    assert said == [("WARNING", f"Disabled {CLASS}: {text}")]


CLASS = "<class 'scrapy_captcha.middleware.CaptchaMiddleware'>"


SPIDER = """
from scrapy import Spider

class Mistaken(Spider):
    name = "mistaken"
    allowed_domains = ["127.0.0.1"]
    custom_settings = {settings}
"""


def test_the_last_line_of_the_command_is_what_to_write(tmp_path: Path) -> None:
    """As for a wrong setting of Scrapy's own components: an error, not a warning among others."""
    spider = tmp_path / "spider.py"
    spider.write_text(SPIDER.format(settings=NEEDED | {"CAPTCHA_RETRY_TIMES": 0}))
    command = [sys.executable, "-m", "scrapy", "runspider", str(spider)]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603

    text = "ValueError: CAPTCHA_RETRY_TIMES = 0: write a whole number from 1"
    assert told.stderr.strip().splitlines()[-1] == text
    assert told.stderr.count("Traceback") == 1
    assert API_KEY not in told.stderr
