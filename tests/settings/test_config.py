"""Every setting is read and checked; what is wrong is said once, with what to write instead."""

from __future__ import annotations

import operator
import sys
import traceback
from dataclasses import fields
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from scrapy.exceptions import NotConfigured
from scrapy.settings import BaseSettings

from scrapy_captcha.detection import DETECTORS, Declared
from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind
from scrapy_captcha.policy import Action, Policy
from scrapy_captcha.providers import CapSolver, Generic, TwoCaptcha, Unified
from scrapy_captcha.proxy import Proxy
from scrapy_captcha.settings.choices import GiveUp, NoProxy, Preference, Refetch, Scope
from scrapy_captcha.settings.config import Config
from scrapy_captcha.settings.loaders import read_detectors
from scrapy_captcha.settings.options import Options

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

KEY = "sesame-0123456789"
NEEDED = {"CAPTCHA_API_URL": "https://api.example.com", "CAPTCHA_API_KEY": KEY}


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAPTCHA_API_KEY", raising=False)


def config(**given: Any) -> Config:
    settings = NEEDED | {f"CAPTCHA_{name.upper()}": value for name, value in given.items()}
    return Config.from_settings(BaseSettings(settings))


def refusal(**given: Any) -> str:
    with pytest.raises(ValueError, match="CAPTCHA_") as caught:
        config(**given)
    assert "During handling" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_url_and_key_are_enough_and_the_rest_has_defaults() -> None:
    assert vars(config()) == {
        "enabled": True,
        "providers": (Unified,),
        "keys": {},
        "api_urls": {},
        "provider_order": Preference.LISTED,
        "api_url": "https://api.example.com",
        "api_key": KEY,
        "allow_http": False,
        "domains": (),
        "retry_times": 3,
        "max_delay": 300.0,
        "poll_interval": 3.0,
        "http_timeout": 20.0,
        "outage_patience": 600.0,
        "solve_timeout": 180.0,
        "token_life": 110.0,
        "max_parked": 10_000,
        "concurrent_solves": 16,
        "proxies": (),
        "policy": {},
        "detectors": DETECTORS,
        "detect_maxsize": 1_000_000,
        "scope": Scope.AUTO,
        "on_give_up": GiveUp.DROP,
        "refetch": Refetch.AUTO,
        "close_on_stop": False,
        "on_no_proxy": NoProxy.DROP,
        "rotate_before_paying": False,
        "max_solves": None,
        "max_solves_per_site": None,
        "max_solves_per_hour": None,
        "budget": None,
        "budget_per_site": None,
        "budget_per_hour": None,
        "max_loss_per_site": None,
        "max_solves_per_page": 5.0,
        "prices": {},
        "dry_run": False,
        "dropped_feed": "",
        "report": "",
    }


def no_captcha(document: object) -> None:
    return None


READ: list[tuple[str, Any, Any]] = [
    ("enabled", True, True),
    ("enabled", "1", True),
    ("enabled", "true", True),
    ("providers", ["capsolver", "2captcha"], (CapSolver, TwoCaptcha)),
    ("providers", "capsolver, 2captcha", (CapSolver, TwoCaptcha)),
    ("providers", ["scrapy_captcha.providers.Generic"], (Generic,)),
    ("providers", [Generic], (Generic,)),
    ("keys", {"capsolver": "a"}, {"capsolver": "a"}),
    ("keys", '{"capsolver": "a"}', {"capsolver": "a"}),
    ("api_urls", {"generic": "https://x.example/"}, {"generic": "https://x.example"}),
    ("provider_order", "cheapest", Preference.CHEAPEST),
    ("api_url", "https://api.example.com/v1/", "https://api.example.com/v1"),
    ("api_key", "other", "other"),
    ("allow_http", "True", True),
    ("allow_http", 0, False),
    ("domains", ["example.com", "example.org"], ("example.com", "example.org")),
    ("domains", "example.com, example.org,", ("example.com", "example.org")),
    ("domains", (), ()),
    ("retry_times", 5, 5),
    ("retry_times", "5", 5),
    ("max_delay", 60, 60.0),
    ("max_delay", "0.5", 0.5),
    ("poll_interval", 0.01, 0.01),
    ("http_timeout", 86_400, 86_400.0),
    ("outage_patience", "45", 45.0),
    ("solve_timeout", "90", 90.0),
    ("token_life", "60", 60.0),
    ("max_parked", "500", 500),
    ("concurrent_solves", 1, 1),
    ("proxies", [], ()),
    ("proxies", ["http://u:p@h:1"], (Proxy("http", "h", 1, "u", "p"),)),
    ("proxies", "http://h:1,https://h:2", (Proxy("http", "h", 1), Proxy("https", "h", 2))),
    ("on_no_proxy", "wait", NoProxy.WAIT),
    ("rotate_before_paying", "1", True),
    ("policy", {}, {}),
    ("policy", {"UNSOLVABLE": "drop"}, {ErrorCode.UNSOLVABLE: Action.DROP}),
    ("policy", {ErrorCode.TIMEOUT: Action.STOP}, {ErrorCode.TIMEOUT: Action.STOP}),
    ("detectors", {}, DETECTORS),
    ("detectors", {"own": no_captcha}, {**DETECTORS, "own": no_captcha}),
    ("detectors", {"walls": "operator.not_"}, {**DETECTORS, "walls": operator.not_}),
    ("detectors", dict.fromkeys(DETECTORS), {}),
    ("detect_maxsize", "500000", 500_000),
    ("scope", "page", Scope.PAGE),
    ("on_give_up", "pass", GiveUp.PASS),
    ("refetch", "never", Refetch.NEVER),
    ("close_on_stop", "false", False),
    ("close_on_stop", 1, True),
    ("max_solves", "0", 0),
    ("max_solves_per_site", 10, 10),
    ("max_solves_per_hour", 10.0, 10),
    ("budget", "1.50", 1_500_000),
    ("budget_per_site", 0.1, 100_000),
    ("budget_per_hour", 0, 0),
    ("max_loss_per_site", 1, 1_000_000),
    ("max_solves_per_page", "2.5", 2.5),
    ("max_solves_per_page", 0, 0.0),
    ("prices", {"image": 0.0005}, {Kind.IMAGE: 500}),
    ("prices", '{"turnstile": "0.002"}', {Kind.TURNSTILE: 2_000}),
    ("dry_run", True, True),
    ("dropped_feed", "dropped.jsonl", "dropped.jsonl"),
    ("report", "captcha.html", "captcha.html"),
]


@pytest.mark.parametrize(("name", "value", "read"), READ)
def test_a_setting_is_read(name: str, value: Any, read: Any) -> None:
    got = getattr(config(**{name: value}), name)
    assert (got, type(got)) == (read, type(read))


def test_every_setting_has_a_case_here_and_says_what_it_is_about() -> None:
    assert {name for name, _, _ in READ} == {f.name for f in fields(Config)}
    assert all(f.metadata["about"] for f in fields(Config))


@pytest.mark.parametrize("name", [f.name for f in fields(Config) if not f.name.startswith("api_")])
def test_none_is_as_if_not_set(name: str) -> None:
    assert config(**{name: None}) == config()


WRONG: list[tuple[str, Any, str]] = [
    ("providers", ["capsolvr"], "did you mean capsolver"),
    ("providers", ["2captcha", "2captcha"], "write each provider once"),
    ("providers", [], 'write a list such as ["capsolver", "2captcha"]'),
    ("providers", 5, 'write a list such as ["capsolver", "2captcha"]'),
    (
        "providers",
        ["os.path.join"],
        "write a subclass of scrapy_captcha.providers.CreateTask or Provider",
    ),
    (
        "providers",
        ["no.such.Provider"],
        "'no.such.Provider' cannot be imported (No module named 'no'): write the import path",
    ),
    ("keys", ["a"], 'write a dict such as {"capsolver": "…"}'),
    ("keys", {"capsolver": True}, "for 'capsolver' write the key as a string"),
    ("keys", {"capsolvr": "k"}, "'capsolvr' is no provider: did you mean capsolver?"),
    ("api_urls", {"generic": "x.example"}, "for 'generic' write the base URL of the API"),
    ("api_urls", {"generik": "https://x.example"}, "did you mean generic?"),
    ("api_key", ["k"], "write the key as a string"),
    ("provider_order", "fast", "write one of 'listed', 'cheapest'"),
    ("enabled", "maybe", "write True or False"),
    ("enabled", 2, "write True or False"),
    ("allow_http", "on", "write True or False"),
    ("close_on_stop", [], "write True or False"),
    ("api_url", "https://me:secret@api.example.com", "write the base URL of the API"),
    ("api_url", "api.example.com", "write the base URL of the API"),
    ("api_url", "ftp://api.example.com", "write the base URL of the API"),
    ("api_url", "https://", "write the base URL of the API"),
    ("api_url", "https://[api.example.com", "write the base URL of the API"),
    ("api_url", 5, "write the base URL of the API"),
    ("domains", "https://example.com/", "'https://example.com/' is no domain: write a list"),
    ("domains", ["a.example", "b.example/shop"], "'b.example/shop' is no domain: write a list"),
    ("domains", 5, 'write a list such as ["example.com"]'),
    ("domains", [5], 'write a list such as ["example.com"]'),
    ("domains", {"example.com": 1}, 'write a list such as ["example.com"]'),
    ("retry_times", 0, "write a whole number from 1"),
    ("retry_times", -1, "write a whole number from 1"),
    ("retry_times", 1.5, "write a whole number from 1"),
    ("retry_times", "three", "write a whole number from 1"),
    ("retry_times", True, "write a whole number from 1"),
    ("token_life", 0, "write a number of seconds above 0 and up to 86400"),
    ("max_parked", 0, "write a whole number from 1"),
    ("concurrent_solves", 0, "write a whole number from 1"),
    ("concurrent_solves", "inf", "write a whole number from 1"),
    ("max_delay", 0, "write a number of seconds above 0 and up to 86400"),
    ("max_delay", 86_401, "write a number of seconds above 0 and up to 86400"),
    ("max_delay", "1e400", "write a number of seconds above 0"),
    ("poll_interval", -1, "write a number of seconds above 0 and up to 86400"),
    ("poll_interval", "nan", "write a number of seconds above 0"),
    ("http_timeout", "20s", "write a number of seconds above 0"),
    ("outage_patience", 0, "write a number of seconds above 0"),
    ("http_timeout", False, "write a number of seconds above 0"),
    ("solve_timeout", [180], "write a number of seconds above 0"),
    ("proxies", ["h:1"], "entry 1 is no proxy"),
    ("proxies", ["http://h:1", "http://h"], "entry 2 is no proxy"),
    ("proxies", 5, "write a list of scheme://user:password@host:port, the path of a file"),
    (
        "proxies",
        "no/such/file",
        "'no/such/file' is no file that can be read (FileNotFoundError): write a list of scheme://",
    ),
    ("proxies", ["http://h:1", "socks5://u:secret@h:2"], "socks5://h:2 speaks SOCKS"),
    ("on_no_proxy", "home", "write one of 'drop', 'wait', 'direct'"),
    ("rotate_before_paying", "maybe", "write True or False"),
    ("policy", "drop", 'write a dict such as {"UNSOLVABLE": "drop"}'),
    ("policy", ["UNSOLVABLE"], 'write a dict such as {"UNSOLVABLE": "drop"}'),
    (
        "policy",
        {"UNSOLVABLE": "skip"},
        "for 'UNSOLVABLE' write one of 'reschedule', 'rotate', 'drop', 'stop'",
    ),
    ("policy", {"UNSOLVABLE": None}, "write one of 'reschedule', 'rotate', 'drop', 'stop'"),
    ("policy", {"UNSOLVEABLE": "drop"}, "did you mean UNSOLVABLE?"),
    ("policy", {"": "drop"}, "is no error code"),
    ("policy", {429: "drop"}, "is no error code"),
    ("policy", {None: "drop"}, "is no error code"),
    ("detectors", ["walls"], "write a dict such as"),
    ("detectors", {"wall": None}, "there is no detector 'wall' to remove: did you mean walls?"),
    (
        "detectors",
        {"own": "no.such.module"},
        "'no.such.module' cannot be imported (No module named 'no'): write the import path",
    ),
    ("detectors", {"own": 5}, "5 cannot be called: write the import path of a function"),
    ("detect_maxsize", 0, "write a whole number from 1"),
    ("scope", "all", "write one of 'auto', 'site', 'page'"),
    ("on_give_up", "keep", "write one of 'drop', 'pass'"),
    ("refetch", "no", "write one of 'auto', 'always', 'never'"),
    ("on_give_up", [], "write one of 'drop', 'pass'"),
    ("max_solves", -1, "write a whole number from 0"),
    ("max_solves_per_site", 1.5, "write a whole number from 0"),
    ("max_solves_per_hour", "many", "write a whole number from 0"),
    ("budget", -0.01, "write an amount from 0"),
    ("budget_per_site", "1 USD", "write an amount from 0, such as 0.5, without its currency"),
    ("budget_per_hour", "inf", "write an amount from 0"),
    ("max_loss_per_site", True, "write an amount from 0"),
    ("max_solves_per_page", 0.5, "write a number from 1, or 0 for no limit"),
    ("max_solves_per_page", -1, "write a number from 1, or 0 for no limit"),
    ("prices", 0.002, 'write a dict such as {"recaptcha_v2": 0.002}'),
    ("prices", {"recaptcha-v2": 0.002}, "did you mean recaptcha_v2?"),
    ("prices", {"image": -1}, "for 'image' write an amount from 0"),
    ("dry_run", "maybe", "write True or False"),
    ("dropped_feed", True, "write the path of a file"),
    ("report", ["report.html"], "write the path of a file"),
]


@pytest.mark.parametrize(("name", "value", "advice"), WRONG)
def test_a_wrong_value_is_refused_with_the_setting_and_what_to_write(
    name: str, value: Any, advice: str
) -> None:
    text = refusal(**{name: value})
    assert text.startswith(f"CAPTCHA_{name.upper()}")
    assert advice in text


def test_a_detector_that_is_replaced_is_asked_when_the_old_one_was() -> None:
    found = read_detectors({"walls": no_captcha, "own": no_captcha})
    assert list(found) == [*DETECTORS, "own"]


def test_every_setting_has_wrong_values() -> None:
    assert {name for name, _, _ in WRONG} == {f.name for f in fields(Config)}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CAPTCHA_PROXY", "CAPTCHA_PROXIES"),
        ("CAPTCHA_RETRIES", "CAPTCHA_RETRY_TIMES"),
        ("CAPTCHA_APIKEY", "CAPTCHA_API_KEY"),
        ("CAPTCHA_ENABLE", "CAPTCHA_ENABLED"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest_right_one(name: str, meant: str) -> None:
    with pytest.raises(
        ValueError, match=f"^{name} is no setting of scrapy-captcha: did you mean {meant}"
    ) as caught:
        Config.from_settings(BaseSettings(NEEDED | {name: KEY}))
    assert KEY not in str(caught.value)


def test_a_name_near_to_none_is_refused_too() -> None:
    with pytest.raises(ValueError, match=r"^CAPTCHA_ZZZZZZZZZZZZZZZZZZZZZZ is no .*: remove"):
        Config.from_settings(BaseSettings(NEEDED | {"CAPTCHA_ZZZZZZZZZZZZZZZZZZZZZZ": 1}))


def test_settings_of_others_do_not_matter() -> None:
    assert Config.from_settings(BaseSettings(NEEDED | {"BOT_NAME": "x", "CAPTCHAS": 1})) == config()


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTCHA_API_KEY", "from the environment")
    settings = BaseSettings({"CAPTCHA_API_URL": "https://api.example.com"})
    assert Config.from_settings(settings).api_key == "from the environment"


def test_a_key_in_the_settings_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTCHA_API_KEY", "from the environment")
    assert config().api_key == KEY


def test_no_other_setting_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTCHA_RETRY_TIMES", "9")
    assert config().retry_times == 3


def test_it_stays_off_when_told_so() -> None:
    with pytest.raises(NotConfigured, match=r"^$"):
        config(enabled=False)


def test_a_pool_without_scrapys_proxies_is_refused() -> None:
    pool = {"CAPTCHA_PROXIES": ["http://u:p@h:1"], "HTTPPROXY_ENABLED": False}
    with pytest.raises(ValueError, match=r"^HTTPPROXY_ENABLED = False, but CAPTCHA_PROXIES"):
        Config.from_settings(BaseSettings(NEEDED | pool))


def test_no_secret_is_in_the_repr() -> None:
    text = repr(config(proxies=["http://user:hunter22@h:1"], keys={"capsolver": "k-other"}))
    assert KEY not in text
    assert "k-other" not in text
    assert "hunter22" not in text
    assert "user" not in text


@pytest.mark.parametrize(
    "value", [["http://user:hunter22@h"], "http://user:hunter22@h:99999", [["hunter22"]]]
)
def test_no_password_is_in_an_error(value: object) -> None:
    text = refusal(proxies=value)
    assert "hunter22" not in text
    assert "user:hunter" not in text


def test_the_key_is_in_no_error_about_another_setting() -> None:
    assert KEY not in refusal(retry_times=0)


CONFIG = Config(
    api_url="https://api.example.com",
    api_key=KEY,
    policy={ErrorCode.UNSOLVABLE: Action.DROP, ErrorCode.TIMEOUT: Action.STOP},
    retry_times=5,
    max_delay=60.0,
    on_give_up=GiveUp.PASS,
)


@pytest.mark.parametrize("value", [None, True])
def test_a_request_without_words_of_its_own_has_the_settings(value: object) -> None:
    assert Options.of(CONFIG, value) == Options(Policy(CONFIG.policy, 5, 60.0), GiveUp.PASS)


def test_false_leaves_the_captchas_of_a_request_alone() -> None:
    assert Options.of(CONFIG, False).ignore is True


def test_an_empty_dict_changes_nothing() -> None:
    assert Options.of(CONFIG, {}) == Options.of(CONFIG)


def test_a_requests_rows_are_laid_over_those_of_the_settings() -> None:
    options = Options.of(CONFIG, {"policy": {"UNSOLVABLE": "reschedule", "CAPACITY": "drop"}})
    assert options.policy.actions == {
        ErrorCode.UNSOLVABLE: Action.RESCHEDULE,
        ErrorCode.TIMEOUT: Action.STOP,
        ErrorCode.CAPACITY: Action.DROP,
    }
    assert (options.policy.retry_times, options.policy.max_delay) == (5, 60.0)
    assert (options.on_give_up, options.ignore) == (GiveUp.PASS, False)


def test_a_request_has_its_own_number_of_purchases_and_its_own_end() -> None:
    options = Options.of(CONFIG, {"retry_times": "1", "on_give_up": "drop"})
    assert options == Options(Policy(CONFIG.policy, 1, 60.0), GiveUp.DROP)


@pytest.mark.parametrize("value", [0, "no", []])
def test_what_says_nothing_about_a_request_is_refused_with_what_would(value: object) -> None:
    with pytest.raises(ValueError, match="meta") as caught:
        Options.of(CONFIG, value)
    advice = "write False or a dict of policy, retry_times, on_give_up, refetch, kind, site_key"
    assert str(caught.value) == f'meta["captcha"] = {value!r}: {advice}'


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("retries", "did you mean retry_times?"),
        ("max_delay", "write one of policy, retry_times, on_give_up, refetch, kind, site_key"),
        (1, "write one of policy, retry_times, on_give_up, refetch, kind, site_key"),
    ],
)
def test_a_key_that_a_request_cannot_have_is_refused(key: object, advice: str) -> None:
    with pytest.raises(ValueError, match="meta") as caught:
        Options.of(CONFIG, {key: 1})
    assert str(caught.value) == f'meta["captcha"] has {key!r}, which is no key of it: {advice}'


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("retry_times", 0, "write a whole number from 1"),
        ("on_give_up", "keep", "write one of 'drop', 'pass'"),
        ("policy", {"CAPACITTY": "x"}, "'CAPACITTY' is no error code: did you mean CAPACITY?"),
        ("kind", "hcapcha", "no kind that can be declared: did you mean hcaptcha?"),
        ("site_key", "a key", "write the site key as a string, without spaces"),
        ("site_key", None, "write the site key as a string, without spaces"),
    ],
)
def test_a_wrong_word_of_a_request_is_refused_with_what_to_write(
    name: str, value: object, advice: str
) -> None:
    with pytest.raises(ValueError, match="meta") as caught:
        Options.of(CONFIG, {name: value})
    assert str(caught.value) == f'meta["captcha"]["{name}"] = {value!r}: {advice}'


def test_a_request_may_declare_its_captcha() -> None:
    assert Options.of(CONFIG, {"kind": "hcaptcha", "site_key": "a-key"}).declared == Declared(
        Kind.HCAPTCHA, "a-key"
    )
    assert Options.of(CONFIG, {"site_key": "a-key"}).declared == Declared(None, "a-key")
    assert Options.of(CONFIG, {"retry_times": 1}).declared is None


def test_a_picture_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="no kind that can be declared: write one of recaptcha_v2"):
        Options.of(CONFIG, {"kind": "image"})


PROXY_FILE = """\
# bought in May
http://ann:one@h:1

https://[::1]:8080
"""


def test_proxies_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "proxies.txt"
    path.write_text(PROXY_FILE)
    expected = (Proxy("http", "h", 1, "ann", "one"), Proxy("https", "::1", 8080))

    assert config(proxies=path).proxies == config(proxies=str(path)).proxies == expected


def test_a_wrong_line_of_a_file_is_told_by_its_number_and_keeps_its_password(
    tmp_path: Path,
) -> None:
    path = tmp_path / "proxies.txt"
    path.write_text(PROXY_FILE + "h:1:ann:secret\n")
    text = refusal(proxies=path)

    assert "line 5 is no proxy" in text
    assert "secret" not in text


class Lender:
    def choose(self, site: str, jar: Hashable) -> str | None:
        return "http://lent:1"

    def refused(self, proxy: str, what: str, site: str) -> None:
        pass

    def wait(self, site: str) -> float | None:
        return 0.0


@pytest.mark.parametrize("given", [Lender, f"{__name__}.Lender"], ids=["class", "path"])
def test_a_class_chooses_proxies(given: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or ModuleType(__name__))
    monkeypatch.setattr(sys.modules[__name__], "Lender", Lender, raising=False)

    assert isinstance(config(proxies=given).proxies, Lender)


def test_a_class_that_lacks_a_method_is_refused() -> None:
    assert "the class dict lacks methods: write choose, refused, wait" in refusal(
        proxies="builtins.dict"
    )


def test_socks_is_for_those_whose_download_handler_speaks_it() -> None:
    handlers = dict.fromkeys(["http", "https"], "my.handlers.Socks")
    settings = NEEDED | {"CAPTCHA_PROXIES": "socks5://h:1", "DOWNLOAD_HANDLERS": handlers}

    assert Config.from_settings(BaseSettings(settings)).proxies == (Proxy("socks5", "h", 1),)
