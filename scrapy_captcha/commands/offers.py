"""The offer for a captcha: the task, its provider and its price, or why nothing is bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapy_captcha.buying.prices import Prices
from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import KINDS
from scrapy_captcha.money import shown
from scrapy_captcha.policy import reason_not_to_answer
from scrapy_captcha.settings.choices import Preference

if TYPE_CHECKING:
    from scrapy_captcha.models import Captcha, Kind
    from scrapy_captcha.money import Micros
    from scrapy_captcha.providers import Provider
    from scrapy_captcha.settings.config import Config
    from scrapy_captcha.settings.domains import Domains


@dataclass(frozen=True, slots=True)
class Offer:
    """A *task* at a *provider*, for about *price*; a guess if neither user nor list names one."""

    provider: str
    task: str
    price: Micros
    is_guess: bool

    def __str__(self) -> str:
        guess = ", which is a guess (CAPTCHA_PRICES sets it)" if self.is_guess else ""
        return f"{self.task} at {self.provider} for about {shown(self.price)}{guess}"


def offer_for(
    captcha: Captcha,
    config: Config,
    *,
    domains: Domains | None = None,
    keeps_cookies: bool = True,
    own_way: bool = False,
) -> Offer | str:
    """The offer for *captcha*, or the reason why nothing would be bought.

    *domains* are the ones to buy for, if they are known. With *own_way* the spider sends the
    answer back itself.
    """
    if domains and not domains.allow(captcha.url):
        return "domain"
    if KINDS[captcha.kind].cookie and not keeps_cookies:
        return "no_cookies"
    offers = _offers(captcha, config)
    reason = reason_not_to_answer(captcha, own_way=own_way)
    if not offers or reason:
        return reason or ErrorCode.METHOD_INVALID.value
    if config.provider_order is Preference.CHEAPEST:
        return min(offers, key=lambda offer: offer.price)
    return offers[0]


def _offers(captcha: Captcha, config: Config) -> list[Offer]:
    proxies = config.proxies if isinstance(config.proxies, tuple) else ()
    proxy = proxies[0] if proxies else None
    providers = [provider(poll_interval=0) for provider in config.providers]
    return [
        _offer(provider, captcha.kind, config, proxied=proxy is not None)
        for provider in providers
        if provider.takes(captcha, proxy)
    ]


def _offer(seller: Provider, kind: Kind, config: Config, *, proxied: bool) -> Offer:
    task = seller.tasks[kind]
    name = (proxied and task.proxied) or task.name or KINDS[kind].title
    price, is_told = price_of(kind, seller, config)
    return Offer(seller.name, name, price, is_guess=not is_told)


def price_of(kind: Kind, provider: Provider, config: Config) -> tuple[Micros, bool]:
    """The expected price of a solve of *kind* at *provider*, and whether it is no mere guess."""
    prices = Prices(config.prices, lambda _name, kind: provider.price(kind))
    is_told = kind in config.prices or provider.price(kind) is not None
    return prices.expected(provider.name, kind), is_told
