"""Descriptions of tasks: tables of the services' fields, filled with known values."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from scrapy_captcha.models import Captcha, Scalar
    from scrapy_captcha.providers.base import Order
    from scrapy_captcha.proxy import Proxy

Fields = Mapping[str, str]

# Groups of fields that several services call the same: field -> our name.
WIDGET = {"websiteURL": "url", "websiteKey": "site_key"}
USER_AGENT = {"userAgent": "user_agent"}
COOKIES = {"cookies": "cookies"}
INVISIBLE = {"isInvisible": "invisible"}
DATA_S = {"recaptchaDataSValue": "data_s"}
ENTERPRISE_DATA_S = {"enterprisePayload.s": "data_s"}
API_DOMAIN = {"apiDomain": "api_domain"}
ACTION = {"pageAction": "action"}
SCORE = ACTION | {"minScore": "min_score"}
GEETEST = {"websiteURL": "url", "geetestApiServerSubdomain": "api_server"}
GEETEST_V3 = GEETEST | {"gt": "site_key", "challenge": "challenge"}
FUNCAPTCHA = {
    "websiteURL": "url",
    "websitePublicKey": "site_key",
    "funcaptchaApiJSSubdomain": "api_server",
    "data": "blob",
}
AMAZON = WIDGET | {
    "iv": "iv",
    "context": "context",
    "challengeScript": "challenge_script",
    "captchaScript": "captcha_script",
}
IMAGE = {"body": "image"}

# A caller's proxy, in parts and in one line.
SPLIT_PROXY = {
    "proxyType": "proxy_scheme",
    "proxyAddress": "proxy_host",
    "proxyPort": "proxy_port",
    "proxyLogin": "proxy_username",
    "proxyPassword": "proxy_password",
}
PROXY_LINE = {"proxy": "proxy"}


@dataclass(frozen=True, slots=True)
class TaskType:
    """The description of a task of one kind at a service.

    * *name*, *proxied*: the ``type`` without and with the caller's proxy; None where there is none.
      Without *proxied* the caller's proxy is left out
    * *fields*: the service's field -> our name (``url``, ``site_key``, ``user_agent``, ``cookies``,
      ``image``, or a parameter of `Captcha`); dots make objects in objects; a field whose value is
      not known is left out
    * *constants*: fields that are always sent, unless *fields* fills them
    * *proxied_fields*: the same as *fields*, for the caller's proxy and what goes along with it
    * *needs*: parameters of the captcha without which the service cannot solve it
    """

    name: str | None
    proxied: str | None = None
    fields: Fields = field(default_factory=dict)
    constants: Mapping[str, Scalar] = field(default_factory=dict)
    proxied_fields: Fields = field(default_factory=lambda: SPLIT_PROXY)
    needs: tuple[str, ...] = ()

    def fits(self, captcha: Captcha, proxy: Proxy | None) -> bool:
        """Whether a task for *captcha* can be described, with *proxy* or without one."""
        return self._name(proxy) is not None and all(n in captcha.parameters for n in self.needs)

    def describe(self, values: Mapping[str, Scalar], proxy: Proxy | None) -> dict[str, object]:
        """The ``task`` object with *values*, which are by our names, for a captcha that fits."""
        task: dict[str, object] = {"type": self._name(proxy)}
        for name, constant in self.constants.items():
            _put(task, name, constant)
        through_proxy = self.proxied_fields if proxy and self.proxied else {}
        for name, ours in {**self.fields, **through_proxy}.items():
            if ours in values:
                _put(task, name, values[ours])
        return task

    def _name(self, proxy: Proxy | None) -> str | None:
        return (proxy and self.proxied) or self.name


def values_of(order: Order) -> dict[str, Scalar]:
    """The values that describe *order*, by our names."""
    known: dict[str, Scalar | None] = {
        "url": order.captcha.url,
        "site_key": order.captcha.site_key,
        "user_agent": order.user_agent,
        "cookies": order.cookies or None,
        "image": b64encode(order.image).decode() if order.image else None,
        **(_proxy_values(order.proxy) if order.proxy else {}),
    }
    return {k: v for k, v in known.items() if v is not None} | dict(order.captcha.parameters)


def _proxy_values(proxy: Proxy) -> dict[str, Scalar]:
    values: dict[str, Scalar] = {
        "proxy": f"{proxy.scheme}:{proxy.host}:{proxy.port}",
        "proxy_scheme": proxy.scheme,
        "proxy_host": proxy.host,
        "proxy_port": proxy.port,
    }
    if not proxy.username:
        return values
    return values | {
        "proxy": f"{values['proxy']}:{proxy.username}:{proxy.password}",
        "proxy_username": proxy.username,
        "proxy_password": proxy.password,
    }


def _put(task: dict[str, object], dotted: str, value: Scalar) -> None:
    *parents, last = dotted.split(".")
    target = task
    for parent in parents:
        target = cast("dict[str, object]", target.setdefault(parent, {}))
    target[last] = value


_SOLD_SCORES = (0.3, 0.7, 0.9)


def sold_score(values: dict[str, Scalar]) -> dict[str, Scalar]:
    """*values* with the lowest reCAPTCHA v3 score on sale that is not below the required one."""
    asked = values.get("min_score")
    if not isinstance(asked, (int, float)):
        return values
    return values | {"min_score": next((s for s in _SOLD_SCORES if s >= asked), _SOLD_SCORES[-1])}
