"""Checks of the domains for which captchas are bought, and of one test page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy_captcha.commands.findings import bad, good, warning
from scrapy_captcha.commands.offers import offer_for
from scrapy_captcha.detection import Verdict
from scrapy_captcha.models import KINDS
from scrapy_captcha.reporting.reasons import reason_for
from scrapy_captcha.settings.domains import Domains

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy import Spider

    from scrapy_captcha.commands.detect import Result
    from scrapy_captcha.commands.findings import Finding
    from scrapy_captcha.commands.offers import Offer
    from scrapy_captcha.detection import Detection
    from scrapy_captcha.settings.config import Config


def check_page(
    url: str, result: Result, config: Config, spider: type[Spider] | None, *, keeps_cookies: bool
) -> Finding:
    """The finding about *result*, which came from the inspection of the page at *url*.

    A string is the reason why the page cannot be fetched.
    """
    if isinstance(result, str):
        return bad(
            f"page {url}: it does not come: {result}",
            "check whether a browser gets it; settings such as ROBOTSTXT_OBEY hold here too",
        )
    if result is None:
        return good(f"page {url}: content, without a captcha: nothing would be bought")
    if result.captcha is None:
        return bad(
            f"page {url}: behind the wall {result.name}{_because(result)}",
            "no service opens it: crawl slower or from elsewhere; such pages are given up",
        )
    title = KINDS[result.captcha.kind].title
    if result.verdict is Verdict.WIDGET:
        return good(f"page {url}: content that contains {title}: nothing would be bought")
    domains = _domains(config, spider)
    offer = offer_for(
        result.captcha,
        config,
        domains=domains,
        keeps_cookies=keeps_cookies,
        own_way=hasattr(spider, "captcha_submit"),
    )
    seen = f"page {url}: {title} instead of the page{_because(result)}"
    return _judged(seen, offer, is_allowed=bool(domains))


def _judged(seen: str, offer: Offer | str, *, is_allowed: bool) -> Finding:
    if isinstance(offer, str):
        reason = reason_for(offer)
        return bad(f"{seen}: nothing would be bought: {reason.meaning}", reason.advice)
    if not is_allowed:
        return warning(
            f"{seen}: would buy {offer}, where a spider's allowed_domains have it",
            "check a spider with --spider NAME",
        )
    return good(f"{seen}: would buy {offer}")


def _because(found: Detection) -> str:
    return f" ({'; '.join(found.evidence)})" if found.evidence else ""


def check_domains(config: Config, spider: type[Spider] | None) -> Finding:
    """Whether there is a domain to buy for, in a crawl of *spider*."""
    allowed, bought = getattr(spider, "allowed_domains", None), config.domains
    domains = _domains(config, spider)
    if isinstance(allowed, str):
        return bad(
            f"domains: allowed_domains is a string, {allowed!r}",
            f"write allowed_domains = [{allowed!r}]",
        )
    if allowed and bought and not any(map(domains.allow_host, (*allowed, *bought))):
        return bad(
            f"domains: allowed_domains, {_listed(allowed)}, and CAPTCHA_DOMAINS, "
            f"{_listed(bought)}, have none in common: nothing is bought",
            "write the same into both, or remove CAPTCHA_DOMAINS",
        )
    if domains:
        return good(f"domains: captchas are bought for {_listed(allowed or bought)}")
    return _without_domain(spider)


def _without_domain(spider: type[Spider] | None) -> Finding:
    if spider is None:
        return warning(
            "domains: the allowed_domains of each spider, which must not be empty",
            "check a spider with --spider NAME",
        )
    mend = f"write allowed_domains = [...] in the class of {spider.name}, or CAPTCHA_DOMAINS"
    if spider.__init__.__module__.startswith("scrapy."):
        return bad("domains: none to buy for: the crawl would not begin", mend)
    return warning("domains: none, unless __init__ of the spider sets allowed_domains", mend)


def _domains(config: Config, spider: type[Spider] | None) -> Domains:
    allowed = getattr(spider, "allowed_domains", None) or ()
    return Domains(tuple(allowed), config.domains)


def _listed(domains: Iterable[str]) -> str:
    return ", ".join(domains)
