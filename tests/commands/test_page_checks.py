"""Domains to buy for, and what is said of a page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from scrapy import Spider
from scrapy.settings import Settings

from scrapy_captcha import Captcha, Detection, Form, Kind, Verdict
from scrapy_captcha.commands.findings import Mark
from scrapy_captcha.commands.page_checks import check_domains, check_page
from scrapy_captcha.policy import reason_not_to_answer
from scrapy_captcha.reporting.reasons import reason_for
from scrapy_captcha.settings.config import Config

if TYPE_CHECKING:
    from scrapy_captcha.commands.findings import Finding

URL = "https://shop.example/item"
FORM = Form("https://shop.example/verify", "POST")
CAPTCHA = Captcha(Kind.TURNSTILE, URL, "1x00000000000000000000AA", form=FORM)
FOUND = Detection(Verdict.CHALLENGE, "turnstile", CAPTCHA, ("asks for nothing else",), 0.9)


class Shop(Spider):
    name = "shop"
    allowed_domains = ["shop.example"]


class Bare(Spider):
    name = "bare"


class Late(Spider):
    name = "late"

    def __init__(self) -> None:
        super().__init__()
        self.allowed_domains = ["shop.example"]


class Text(Spider):
    name = "text"
    allowed_domains = "shop.example"


class Bold(Shop):
    def captcha_submit(self) -> None:
        """Carries answers where no form takes them."""


def config(**settings: Any) -> Config:
    return Config.read(Settings(settings))


def page(
    result: Any, spider: type[Spider] | None = Shop, *, keeps_cookies: bool = True, **settings: Any
) -> Finding:
    return check_page(URL, result, config(**settings), spider, keeps_cookies=keeps_cookies)


def with_captcha(**changes: Any) -> Detection:
    return replace(FOUND, captcha=replace(CAPTCHA, **changes))


@pytest.mark.parametrize(
    ("spider", "domains", "mark"),
    [
        (Shop, (), Mark.GOOD),
        (Bare, ("shop.example",), Mark.GOOD),
        (None, ("shop.example",), Mark.GOOD),
        (Shop, ("a.shop.example",), Mark.GOOD),
        (None, (), Mark.WARNING),
        (Late, (), Mark.WARNING),
        (Bare, (), Mark.BAD),
        (Text, (), Mark.BAD),
        (Shop, ("news.example",), Mark.BAD),
    ],
)
def test_domains(spider: type[Spider] | None, domains: tuple[str, ...], mark: Mark) -> None:
    finding = check_domains(config(CAPTCHA_DOMAINS=domains), spider)

    assert finding.mark is mark
    assert bool(finding.mend) is (mark is not Mark.GOOD)


def test_a_challenge_is_told_with_task_provider_and_price() -> None:
    finding = page(FOUND, CAPTCHA_PROVIDERS=["capsolver"])

    assert finding.mark is Mark.GOOD
    assert "Cloudflare Turnstile instead of the page (asks for nothing else)" in finding.words
    assert "AntiTurnstileTaskProxyLess at capsolver for about 0.0012" in finding.words


def test_a_price_that_nobody_has_told_is_called_a_guess() -> None:
    assert "for about 0.005, which is a guess" in page(FOUND).words
    assert page(FOUND, CAPTCHA_PRICES={"turnstile": 0.002}).words.endswith("for about 0.002")


def test_the_cheapest_provider_comes_first_where_that_is_asked_for() -> None:
    both: dict[str, Any] = {"CAPTCHA_PROVIDERS": ["anticaptcha", "capsolver"]}

    assert "at anticaptcha for about 0.002" in page(FOUND, **both).words
    cheapest = page(FOUND, **both, CAPTCHA_PROVIDER_ORDER="cheapest")
    assert "at capsolver for about 0.0012" in cheapest.words


@pytest.mark.parametrize(
    ("found", "settings", "reason"),
    [
        (FOUND, {"CAPTCHA_DOMAINS": ["news.example"]}, "domain"),
        (with_captcha(url="https://elsewhere.example/"), {}, "domain"),
        (with_captcha(kind=Kind.HCAPTCHA), {"CAPTCHA_PROVIDERS": "capsolver"}, "METHOD_INVALID"),
        (with_captcha(kind=Kind.AMAZON_WAF), {"keeps_cookies": False}, "no_cookies"),
        (with_captcha(site_key=None), {}, "site_key"),
        (with_captcha(form=None), {}, "no_form"),
        (with_captcha(form=replace(FORM, url="https://elsewhere.example/")), {}, "other_origin"),
        (with_captcha(form=replace(FORM, method="GET")), {}, "get_form"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_why_nothing_would_be_bought_is_bad(
    found: Detection, settings: dict[str, Any], reason: str
) -> None:
    finding = page(found, **settings)

    assert finding.mark is Mark.BAD
    assert finding.words.endswith(reason_for(reason).meaning)
    assert finding.mend == reason_for(reason).advice != ""


def test_a_spider_that_carries_answers_itself_needs_no_form() -> None:
    formless = with_captcha(form=None)

    assert reason_not_to_answer(CAPTCHA) is None
    assert page(formless, Shop).mark is Mark.BAD
    assert page(formless, Bold).mark is Mark.GOOD


def test_without_a_spider_nobody_knows_whether_the_domain_is_bought_for() -> None:
    assert page(FOUND, None).mark is Mark.WARNING
    assert page(FOUND, None, CAPTCHA_DOMAINS="shop.example").mark is Mark.GOOD


def test_content_is_good_and_walls_and_failures_are_bad() -> None:
    wall = Detection(Verdict.BLOCK, "radware", None, ("a script of it",), 0.9)

    assert page(None).mark is Mark.GOOD
    assert "content that contains" in page(replace(FOUND, verdict=Verdict.WIDGET)).words
    assert page(wall).mark is Mark.BAD
    assert "behind the wall radware (a script of it)" in page(wall).words
    assert page("Connection refused").mark is Mark.BAD
