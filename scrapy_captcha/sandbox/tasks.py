"""Tasks and the shapes of their solutions, as tables that a dialect fills in."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from scrapy_captcha.errors import ErrorCode
from scrapy_captcha.models import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonObject = dict[str, Any]

# Field of a solution -> name of the answer in it, or a text with it, or "" for a word that no site
# takes. Dots make objects in objects.
TOKEN = {"token": "token"}
RECAPTCHA = {"gRecaptchaResponse": "token"}
GEETEST_V3 = {"challenge": "challenge", "validate": "validate", "seccode": "seccode"}
GEETEST_V4 = {
    name: name for name in ("captcha_id", "lot_number", "pass_token", "gen_time", "captcha_output")
}
TEXT = {"text": "text"}
WAF_COOKIES = {"cookies.aws-waf-token": "token"}
DATADOME_HEADER = {"cookie": "datadome={token}; Path=/; Secure; SameSite=Lax"}
# Amazon's voucher has to be changed for a cookie first; the local site takes neither word.
WAF_VOUCHER = {"captcha_voucher": "", "existing_token": ""}

# In ``TaskType.when``: the field is there, whatever is in it.
GIVEN = object()

_PROXY = ("proxyType", "proxyAddress", "proxyPort")
_PROXY_TYPES = ("http", "https", "socks4", "socks5")
_NUMBERS = ("minScore",)


class Trouble(str, Enum):
    """What is wrong with a call, where some service has a word of its own for it."""

    NO_JSON = "no json"
    NO_KEY = "no key"
    NO_METHOD = "no method"
    NO_TASK = "no task"
    NO_FIELD = "no field"
    WRONG_FIELD = "wrong field"
    PICTURE = "picture"
    NO_PROXY = "no proxy"
    PROXY_CHARACTER = "proxy character"
    TOO_FAST = "too fast"
    TOO_MANY = "too many"


class RefusedError(Exception):
    """A call that the solver refuses; a dialect says it in its service's words."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        trouble: Trouble | None = None,
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.trouble = trouble
        self.retry_after = retry_after


class Proxied(Enum):
    """Whether a type of task takes a proxy of the caller's."""

    NEVER = "never"
    MAY = "may"
    MUST = "must"


@dataclass(frozen=True, slots=True)
class OfferedTask:
    """What stands behind the name of a type.

    * *solution*: field of the solution -> name of the answer, or a text with it, or "" for a word
      that no site takes
    * *required*: fields that have to be there, dots for objects in objects
    * *key*: the field with the site key, where the type has one
    * *when*: fields, and what they are (or ``GIVEN``), with which the name means this type
    """

    kind: Kind
    solution: Mapping[str, str]
    required: tuple[str, ...] = ("websiteURL", "websiteKey")
    key: str = "websiteKey"
    when: Mapping[str, object] = field(default_factory=dict)
    proxied: Proxied = Proxied.NEVER


TaskTypes = dict[str, tuple[OfferedTask, ...]]


def pair(stem: str, *types: OfferedTask, proxyless: str = "Proxyless") -> TaskTypes:
    """*types* under the two names ``<stem>TaskProxyless`` and, with a proxy, ``<stem>Task``."""
    return {
        f"{stem}Task{proxyless}": types,
        f"{stem}Task": tuple(replace(t, proxied=Proxied.MUST) for t in types),
    }


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """What a task asks for. *picture* is b"" for widgets, the other words are "" for pictures."""

    type: OfferedTask
    url: str
    site_key: str = ""
    challenge: str = ""
    picture: bytes = b""

    @property
    def kind(self) -> Kind:
        """Of the captcha."""
        return self.type.kind


def read_order(
    task: object, types: Mapping[str, tuple[OfferedTask, ...]], *, proxy_line: bool = False
) -> TaskOrder:
    """What *task*, decoded JSON, asks for. Raises RefusedError.

    With *proxy_line* a proxy may be one word too, ``type:host:port:user:password``.
    """
    if not isinstance(task, dict):
        raise RefusedError(*_missing_or_wrong(task, "task")[:2], Trouble.NO_TASK)
    task_type = _type(task, types)
    for name in task_type.required:
        _required(task, name)
    if not (proxy_line and _is_proxy_line(task.get("proxy"))):
        _check_proxy(task, task_type.proxied)
    key = _value(task, task_type.key)
    return TaskOrder(
        task_type,
        str(task.get("websiteURL") or task.get("captchaUrl") or ""),
        site_key=key if isinstance(key, str) else "",
        challenge=str(task.get("challenge", "")) if task_type.kind is Kind.GEETEST_V3 else "",
        picture=_picture(task) if task_type.kind is Kind.IMAGE else b"",
    )


def _type(task: JsonObject, types: Mapping[str, tuple[OfferedTask, ...]]) -> OfferedTask:
    for task_type in types.get(_required(task, "type"), ()):
        if all(_fits(_value(task, name), wanted) for name, wanted in task_type.when.items()):
            return task_type
    raise RefusedError(ErrorCode.METHOD_INVALID, "Unknown captcha type")


def _fits(value: object, wanted: object) -> bool:
    return value not in (None, "") if wanted is GIVEN else value == wanted


def _value(task: JsonObject, dotted: str) -> object:
    value: object = task
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _required(task: JsonObject, name: str) -> str:
    value = _value(task, name)
    number = name in _NUMBERS and isinstance(value, (int, float))
    if number or (isinstance(value, str) and value):
        return str(value)
    raise RefusedError(*_missing_or_wrong(value, name))


def _missing_or_wrong(value: object, name: str) -> tuple[ErrorCode, str, Trouble]:
    if value is None or value == "":
        return ErrorCode.INPUT_MISSING, f"{name} is required", Trouble.NO_FIELD
    return ErrorCode.INPUT_BAD_TYPE, f"{name} is of a wrong type", Trouble.WRONG_FIELD


def _is_proxy_line(value: object) -> bool:
    return isinstance(value, str) and value.count(":") >= 2


def _check_proxy(task: JsonObject, proxied: Proxied) -> None:
    given = [task[name] for name in _PROXY if task.get(name)]
    if proxied is Proxied.NEVER or (not given and proxied is Proxied.MAY):
        return
    if len(given) < len(_PROXY) or task["proxyType"] not in _PROXY_TYPES:
        raise RefusedError(ErrorCode.INPUT_MISSING, "Proxy fields are missing", Trouble.NO_PROXY)
    port = task["proxyPort"]
    if not (isinstance(port, int) and 0 < port < 65536):
        raise RefusedError(*_missing_or_wrong(port, "proxyPort"))


def _picture(task: JsonObject) -> bytes:
    try:
        return base64.b64decode(_required(task, "body"), validate=True)
    except binascii.Error:
        message = "body is not base64"
        raise RefusedError(ErrorCode.INPUT_BAD_TYPE, message, Trouble.PICTURE) from None


def solution_of(
    shape: Mapping[str, str], answers: Mapping[str, str], user_agent: str | None
) -> JsonObject:
    """*answers*, as ``Solution.answers`` has them, in *shape*, with what they are bound to."""
    solution: JsonObject = {}
    for dotted, name in shape.items():
        *parents, last = dotted.split(".")
        target = solution
        for parent in parents:
            target = target.setdefault(parent, {})
        target[last] = answers.get(name) or name.format(**answers) or secrets.token_urlsafe(60)
    return {**solution, "userAgent": user_agent} if user_agent else solution
