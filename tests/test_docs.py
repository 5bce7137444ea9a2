"""What the README says is what the code does."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import scrapy
from forked import sandbox_process
from scrapy import Request, Spider
from scrapy.settings import Settings
from scrapy.utils.test import get_crawler

import scrapy_captcha
from scrapy_captcha import events, signals
from scrapy_captcha.commands.captcha import SUBCOMMANDS
from scrapy_captcha.detection import DETECTORS, Declared
from scrapy_captcha.detection.unsold import UNSOLD
from scrapy_captcha.detection.walls import WALLS
from scrapy_captcha.errors import ERRORS, ErrorCode, SolverError
from scrapy_captcha.events import Event
from scrapy_captcha.models import KINDS, Captcha, Kind
from scrapy_captcha.policy import Policy, default_action
from scrapy_captcha.providers import PROVIDERS
from scrapy_captcha.purchases import Fate
from scrapy_captcha.reporting.reasons import REASONS
from scrapy_captcha.reporting.stats import Stats
from scrapy_captcha.settings import loaders as loading
from scrapy_captcha.settings import options
from scrapy_captcha.settings import parsers as readers
from scrapy_captcha.settings.choices import GiveUp
from scrapy_captcha.settings.config import Config
from scrapy_captcha.settings.options import Options
from scrapy_captcha.solver.accounts import accounts_of, key_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from dataclasses import Field

    from scrapy_captcha.providers import Provider

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below *heading*, without its head."""
    section = re.split(rf"^#+ {heading}$", README, flags=re.MULTILINE)[1]
    lines = section.partition("\n|")[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def code(language: str, part: str) -> str:
    """The only block of *language* in which *part* stands."""
    [block] = [block for block in blocks(language) if part in block]
    return block


def words(cell: str) -> set[str]:
    """What stands in backticks."""
    return set(re.findall("`(.+?)`", cell))


# Tables


def shown(default: object) -> str:
    """A default as the table of settings has it."""
    if isinstance(default, Enum):
        default = default.value
    if default is DETECTORS:
        return "the built-in ones"
    if default in ("", (), {}, None):
        return "none"
    if default == Config().providers:
        default = [provider.name for provider in default]
        return f"`{json.dumps(default)}`"
    if isinstance(default, str):
        return f'`"{default}"`'
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


TYPES: dict[Callable[[object], Any], str] = {
    readers.read_boolean: "bool",
    readers.read_count: "int",
    readers.read_limit: "int",
    readers.read_duration: "seconds",
    readers.read_money: "money",
    readers.read_ratio: "number",
    readers.read_domains: "list",
    readers.read_actions: "dict",
    readers.read_keys: "dict",
    readers.read_prices: "dict",
    readers.read_urls: "dict",
    readers.read_key: "str",
    readers.read_url: "URL",
    readers.read_path: "path",
    loading.read_detectors: "dict",
    loading.read_providers: "list",
    loading.read_proxies: "list, path or class",
}


def type_of(setting: Field[Any]) -> str:
    """The type of a setting, or its words, as the table has it."""
    default = getattr(Config(), setting.name)
    if isinstance(default, Enum):
        return ", ".join(f'`"{word.value}"`' for word in type(default))
    return TYPES[setting.metadata["read"]]


def test_settings() -> None:
    assert table("Settings") == [
        [
            f"`CAPTCHA_{setting.name.upper()}`",
            type_of(setting),
            shown(getattr(Config(), setting.name)),
            setting.metadata["about"].replace("``", "`"),
        ]
        for setting in fields(Config)
    ]


def test_keys_of_a_request() -> None:
    assert {word for row in table("For one request") for word in words(row[0])} == set(options.KEYS)


def happens(error: ErrorCode) -> str:
    actions = {default_action(error, status).value for status in (None, 200, 400, 401, 500)}
    return f"`{actions.pop()}`" if len(actions) == 1 else "by the HTTP status"


def test_errors() -> None:
    assert table("Errors") == [
        [f"`{error.value}`", str(info.status or "-"), info.meaning, happens(error)]
        for error, info in ERRORS.items()
    ]


def happenings() -> Iterator[Event]:
    """An event of each class, and of each fate."""
    error = SolverError(ErrorCode.CAPACITY, possibly_paid=True, provider_code="ODD")
    values = {
        "request": Request("https://shop.example/"),
        "captcha": Captcha(Kind.HCAPTCHA, "https://shop.example/"),
        "error": error,
        "cause": TypeError(),
        "site": "shop.example",
        "name": "wall",
        "reason": "reason",
    }
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type)]
    for kind in kinds:
        if issubclass(kind, Event) and kind is not events.PurchaseEnded:
            yield kind(*(values.get(field.name, 1) for field in fields(kind)))
    yield from map(events.PurchaseEnded, Fate)


def test_stats() -> None:
    """Each name that is counted is in the table, and no other."""
    crawler = get_crawler(Spider)
    stats = Stats(crawler)
    for event in happenings():
        stats(event)

    assert crawler.stats is not None
    placeholders = {"hcaptcha": "<kind>", "CAPACITY": "<CODE>", "shop.example": "<site>"} | {
        word: f"<{word}>" for word in ("reason", "wall")
    }
    counted = {
        "/".join(placeholders.get(part, part) for part in name.split("/"))
        for name in crawler.stats.get_stats()
    }
    assert set.union(*(words(names) for names, _ in table("Stats"))) == counted


def test_signals() -> None:
    named = [name for row in table("Signals") for name in words(row[0])]
    assert sorted(named) == sorted(signals.__all__)


def test_reasons() -> None:
    """All words that the package gives as reasons, besides errors and names of walls."""
    rows = {
        word: meaning.replace("`", "") for row, meaning in table("Reasons") for word in words(row)
    }
    assert rows == {name: reason.meaning for name, reason in REASONS.items()}
    assert set(rows) == set(reasons())


def reasons() -> Iterator[str]:
    package = Path(scrapy_captcha.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and name_of(node.func) in {"dropped", "give_up"}:
                yield from strings(node.args)
            if isinstance(node, ast.keyword) and node.arg == "failed":
                yield from strings([node.value])
            if isinstance(node, ast.FunctionDef) and "reason_not_to" in node.name:
                returns = (n for n in ast.walk(node) if isinstance(n, ast.Return))
                yield from strings([n.value for n in returns])


def name_of(function: ast.expr) -> str:
    return getattr(function, "attr", "") or getattr(function, "id", "")


def strings(nodes: list[Any]) -> list[str]:
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def test_kinds() -> None:
    """Each kind is named, if only as a version of another."""
    for info in KINDS.values():
        name = re.sub(r" v\d.*", "", info.title)
        assert name in README, info.title


def test_walls() -> None:
    """All names that `captcha/blocked_count` may carry."""
    listed = README.partition("one of these bot walls:\n\n")[2].partition(".\n\n")[0]
    assert words(listed) == {wall.name for wall in WALLS} | UNSOLD


def test_providers() -> None:
    assert table("Providers") == [
        [f"`{name}`", f"`{p.base_url or 'CAPTCHA_API_URL'}`", f"`{key_variable(name)}`"]
        for name, p in PROVIDERS.items()
    ]


def sold(provider: type[Provider], kind: Kind) -> str:
    """The cell for *kind* in the table of what is sold."""
    task = provider.tasks.get(kind)
    if task is None:
        return "-"
    price = provider.prices.get(kind)
    return ("yes" if price is None else f"{price:g}") + ("" if task.name else ", proxy only")


def test_what_providers_sell() -> None:
    named = {name: PROVIDERS[name] for name in PROVIDERS if name not in ("rucaptcha", "generic")}
    rows = {kind: [sold(provider, kind) for provider in named.values()] for kind in Kind}
    assert table("What each sells") == [
        [f"`{kind.value}`", *row] for kind, row in rows.items() if set(row) != {"-"}
    ]
    assert PROVIDERS["generic"].tasks == PROVIDERS["unified"].tasks
    assert PROVIDERS["rucaptcha"].tasks == PROVIDERS["2captcha"].tasks


def test_sub_commands() -> None:
    named = {cells[0].split()[2].strip("`"): cells[1] for cells in table("The command")}
    assert named == dict(SUBCOMMANDS)


# Snippets


SNIPPETS = [block for block in blocks("python") if "import pytest" not in block]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda block: block.splitlines()[0])
def test_snippets_run(snippet: str) -> None:
    exec(compile(snippet, "README.md", "exec"), {"scrapy": scrapy, "__name__": "readme"})  # noqa: S102


def test_the_test_is_one_that_pytest_takes(tmp_path: Path) -> None:
    test = tmp_path / "test_readme.py"
    test.write_text(code("python", "import pytest"))
    plugin = ("-p", "no:scrapy_captcha", "-p", "scrapy_captcha.sandbox.fixture")
    command = [sys.executable, "-m", "pytest", "--strict-markers", "--collect-only", "-q", *plugin]
    told = subprocess.run([*command, test], cwd=tmp_path, stdout=subprocess.PIPE, check=True)  # noqa: S603

    assert b"test_readme.py::test_my_spider" in told.stdout


def test_the_crawl_scrapes_what_stands_behind_captchas(tmp_path: Path) -> None:
    spider, output = tmp_path / "spider.py", tmp_path / "items.jsonl"
    with sandbox_process(pages=2, mode="token") as sandbox:
        snippet = code("python", "class ItemsSpider")
        for theirs, ours in {
            "https://shop.example": sandbox.site_url,
            "shop.example": "127.0.0.1",
            "https://solver.example": sandbox.api_url,
        }.items():
            assert theirs in snippet
            snippet = snippet.replace(theirs, ours)
        spider.write_text(snippet)
        command = [sys.executable, "-m", "scrapy", "runspider", str(spider)]
        command += ["-O", str(output)]
        # No public suffix list: its download is refused at once.
        proxies = {"https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
        environment = os.environ | proxies | {"CAPTCHA_API_KEY": sandbox.api_key}
        subprocess.run(command, env=environment, check=True, timeout=240)  # noqa: S603

    assert sorted(output.read_text().splitlines()) == [
        '{"title": "Catalogue"}',
        '{"title": "Item 1"}',
        '{"title": "Item 2"}',
    ]


def test_the_policy_the_proxies_and_the_providers_are_valid_settings() -> None:
    names: dict[str, Any] = {}
    for name in ("CAPTCHA_POLICY", "CAPTCHA_PROXIES", "CAPTCHA_PROVIDERS"):
        exec(code("python", f"{name} = "), names)  # noqa: S102
    del names["__builtins__"]
    settings = {"CAPTCHA_API_URL": "https://solver.example", "CAPTCHA_API_KEY": "key", **names}
    config = Config.from_settings(Settings(settings))

    assert set(config.policy) == {ErrorCode.UNSOLVABLE, ErrorCode.INPUT_BAD_TYPE}
    assert [account.provider.name for account in accounts_of(config)] == list(config.keys)
    assert isinstance(config.proxies, tuple)
    assert len(config.proxies) == 2


def test_the_meta_of_a_request_is_valid() -> None:
    names: dict[str, Any] = {"scrapy": scrapy}
    exec(code("python", "meta="), names)  # noqa: S102
    options = Options.of(Config(), names["request"].meta["captcha"])

    assert options.declared == Declared(Kind.HCAPTCHA, names["request"].meta["captcha"]["site_key"])
    assert options.on_give_up is GiveUp.PASS
    assert isinstance(options.policy, Policy)
    assert options.policy.retry_times == 1


# Links and commands


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_ci_runs_the_commands_of_the_readme() -> None:
    """It takes them from here, by the words that they end with."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for ending in ("scrapy captcha demo", "-m pytest -n auto"):
        assert code("sh", ending).strip().endswith(ending)
        assert f"readme '{ending}'" in script


def test_the_lowest_versions_that_are_allowed_are_those_that_are_tested() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = project.partition("\ndependencies = [")[2].partition("\n]")[0]
    allowed = dict(re.findall(r'"(\w+)>=([\d.]+)"', needed))
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    tested = dict(re.findall(r"^ +(\w+)==([\d.]+)$", tox, re.MULTILINE))

    assert allowed.keys() == tested.keys()
    assert all(tested[name].startswith(f"{version}.") for name, version in allowed.items())


def test_no_word_about_machines() -> None:
    for name in ("README.md", "CHANGES.md"):
        assert not re.search(r"/(home|root|tmp|work)/", (ROOT / name).read_text(encoding="utf-8"))


def test_each_promise_names_tests_that_there_are() -> None:
    security = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    promised = security.partition("## What is promised")[2].partition("\nWith asyncio's")[0]
    promises = promised.split("\n* ")[1:]
    assert len(promises) > 8
    for promise in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", promise)
        assert named, promise
        for path, name in named:
            source = (ROOT / path).read_text(encoding="utf-8")
            assert f"def {name or 'test'}" in source, path
