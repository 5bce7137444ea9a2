"""What a task of the API asks for, and the shape of its solution."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scrapy_captcha.captchas import Kind
from scrapy_captcha.errors import ErrorCode

from .script import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonObject = dict[str, Any]

# By the type's name in lower case without "Proxyless".
_KINDS: Mapping[str, Kind] = {
    "recaptchav2task": Kind.RECAPTCHA_V2,
    "recaptchav2enterprisetask": Kind.RECAPTCHA_V2_ENTERPRISE,
    "recaptchav3task": Kind.RECAPTCHA_V3,
    "recaptchav3enterprisetask": Kind.RECAPTCHA_V3_ENTERPRISE,
    "hcaptchatask": Kind.HCAPTCHA,
    "turnstiletask": Kind.TURNSTILE,
    "geetesttask": Kind.GEETEST_V3,
    "funcaptchatask": Kind.FUNCAPTCHA,
    "amazontask": Kind.AMAZON_WAF,
    "mtcaptchatask": Kind.MTCAPTCHA,
    "friendlycaptchatask": Kind.FRIENDLY_CAPTCHA,
    "yandexsmartcaptchatask": Kind.YANDEX_SMARTCAPTCHA,
    "imagetotexttask": Kind.IMAGE,
}

# A field of the task that turns its kind into another.
_VARIANTS: Mapping[tuple[Kind, str, object], Kind] = {
    (Kind.GEETEST_V3, "version", 4): Kind.GEETEST_V4,
    (Kind.RECAPTCHA_V3, "isEnterprise", True): Kind.RECAPTCHA_V3_ENTERPRISE,
}

# Where a task names the site key; in "websiteKey" for all other kinds.
_KEY_FIELD: Mapping[Kind, str] = {
    Kind.GEETEST_V3: "gt",
    Kind.GEETEST_V4: "gt",
    Kind.FUNCAPTCHA: "websitePublicKey",
}

# Where a solution has the token; in "token" for all other kinds.
_TOKEN_FIELD: Mapping[Kind, str] = dict.fromkeys(
    (
        Kind.RECAPTCHA_V2,
        Kind.RECAPTCHA_V2_ENTERPRISE,
        Kind.RECAPTCHA_V3,
        Kind.RECAPTCHA_V3_ENTERPRISE,
        Kind.HCAPTCHA,
    ),
    "gRecaptchaResponse",
)


class RefusedError(Exception):
    """A call that the solver refuses; *answer* says it in the API's words."""

    def __init__(self, code: ErrorCode, message: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        whole = retry_after is not None and float(retry_after).is_integer()
        self.answer = Answer(
            error=code.value,
            message=message,
            retry_after=retry_after,
            retry_after_header=f"{retry_after:.0f}" if whole else None,
        )


@dataclass(frozen=True, slots=True)
class Order:
    """What a task asks for. *picture* is b"" for widgets, the other words are "" for pictures."""

    kind: Kind
    url: str
    site_key: str = ""
    challenge: str = ""
    picture: bytes = b""


def read_order(task: object) -> Order:
    """What *task*, decoded JSON, asks for.

    Raises RefusedError with INPUT_MISSING, INPUT_BAD_TYPE or METHOD_INVALID.
    """
    if not isinstance(task, dict):
        raise RefusedError(*_missing_or_bad(task, "task"))
    kind = _kind(task)
    if kind is Kind.IMAGE:
        return Order(kind, str(task.get("websiteURL", "")), picture=_picture(task))
    return Order(
        kind,
        _text(task, "websiteURL"),
        site_key=_text(task, _KEY_FIELD.get(kind, "websiteKey")),
        challenge=_text(task, "challenge") if kind is Kind.GEETEST_V3 else "",
    )


def _kind(task: Mapping[str, object]) -> Kind:
    kind = _KINDS.get(_text(task, "type").lower().replace("proxyless", ""))
    if kind is None:
        raise RefusedError(ErrorCode.METHOD_INVALID, "Unknown captcha type")
    variants = (
        v for (of, name, value), v in _VARIANTS.items() if of is kind and task.get(name) == value
    )
    return next(variants, kind)


def _text(task: Mapping[str, object], name: str) -> str:
    value = task.get(name)
    if isinstance(value, str) and value:
        return value
    raise RefusedError(*_missing_or_bad(value, name))


def _missing_or_bad(value: object, name: str) -> tuple[ErrorCode, str]:
    if value is None or value == "":
        return ErrorCode.INPUT_MISSING, f"{name} is required"
    return ErrorCode.INPUT_BAD_TYPE, f"{name} is of a wrong type"


def _picture(task: Mapping[str, object]) -> bytes:
    try:
        return base64.b64decode(_text(task, "body"), validate=True)
    except binascii.Error:
        raise RefusedError(ErrorCode.INPUT_BAD_TYPE, "body is not base64") from None


def solution_of(kind: Kind, answers: Mapping[str, str], user_agent: str | None) -> JsonObject:
    """*answers*, as ``Solution.answers`` has them, in the API's shape for *kind*."""
    bound = {"userAgent": user_agent} if user_agent else {}
    if kind is Kind.AMAZON_WAF:
        return {"cookies": {"aws-waf-token": answers["token"]}, **bound}
    renamed = {_TOKEN_FIELD.get(kind, k) if k == "token" else k: v for k, v in answers.items()}
    return {**renamed, **bound}
