"""Reads the solutions of services; nothing in them is trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from scrapy_captcha.errors import ErrorCode, SolverError
from scrapy_captcha.models import KINDS, Kind, Solution, are_few
from scrapy_captcha.money import known_cost

if TYPE_CHECKING:
    from scrapy_captcha.providers.base import Body

_TOKEN = re.compile(r"[!-;=?-~]{1,8192}")
_USER_AGENT = re.compile(r"[\x20-\x7e]{1,512}")
_COOKIE = re.compile(r"[!#-+\--:<-\[\]-~]{1,4096}")  # RFC 6265, section 4.1.1
_COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_LONGEST_TEXT = 256  # characters read off a picture
_DECIMAL = re.compile(r"-?[0-9]{1,10}(?:\.[0-9]{1,20})?")
_MOST_MONEY = 1e10  # in any currency; Unix times are below it too

# The services' names for the token; the first that is there counts.
_TOKEN_KEYS = ("gRecaptchaResponse", "token")


def read_solution(kind: Kind, body: Body, task_id: str | int | None) -> Solution:
    """The solution in an answer whose status is "ready".

    Raises SolverError(BAD_REPLY) if a value that *kind* requires is missing, of the wrong type or
    not fit to be sent: a token is up to 8 kB of printable ASCII without spaces and "<>", the text
    of a picture is printable.
    """
    fields = body.get("solution")
    if not isinstance(fields, dict):
        raise SolverError(ErrorCode.BAD_REPLY, task_id=task_id)
    cookies = _cookies(fields)
    if not are_few(cookies):
        raise SolverError(ErrorCode.BAD_REPLY, task_id=task_id)
    try:
        answers = _answers(kind, fields, cookies)
    except ValueError:
        raise SolverError(ErrorCode.BAD_REPLY, task_id=task_id) from None
    user_agent = fields.get("userAgent")
    known = isinstance(user_agent, str) and _USER_AGENT.fullmatch(user_agent)
    return Solution(
        answers=answers,
        task_id=task_id,
        user_agent=user_agent if known else None,
        cookies=cookies,
        cost=read_cost(body.get("cost")),
    )


def _answers(kind: Kind, fields: Body, cookies: Mapping[str, str]) -> dict[str, str]:
    if kind is Kind.IMAGE:
        return {"text": _text(fields.get("text"))}
    cookie = KINDS[kind].cookie
    if cookie:
        given = next((fields[key] for key in (cookie, "cookie", "token") if key in fields), None)
        token = _token(cookies.get(cookie) or _cookie_value(cookie, given))
        if not are_few({**cookies, cookie: token}):
            raise ValueError
        return {"token": token}
    if isinstance(fields.get("data"), dict):
        fields = cast("Body", fields["data"])
    if kind is Kind.GEETEST_V3 and "seccode" not in fields and "validate" in fields:
        fields = {**fields, "seccode": f"{fields['validate']}|jordan"}  # as GeeTest's script does
    names = set(KINDS[kind].answers.values())
    return {name: _token(_field(fields, name)) for name in sorted(names)}


def _field(fields: Body, name: str) -> object:
    keys = _TOKEN_KEYS if name == "token" else (name,)
    value = next((fields[key] for key in keys if key in fields), None)
    # GeeTest's gen_time comes as a number from some services.
    is_time = name != "token" and type(value) is int and 0 <= value < 1 << 63
    return str(value) if is_time else value


def _token(value: object) -> str:
    if isinstance(value, str) and _TOKEN.fullmatch(value):
        return value
    raise ValueError


def _text(value: object) -> str:
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST_TEXT:
        return value
    raise ValueError


def _cookie_value(name: str, value: object) -> object:
    """The value of a cookie, also if the service gives a whole ``Set-Cookie`` header."""
    if isinstance(value, str) and value.startswith(f"{name}="):
        return value[len(name) + 1 :].partition(";")[0]
    return value


def _cookies(fields: Body) -> dict[str, str]:
    """The cookies of a solution, including those under ``domains`` (of one site, by page)."""
    found: dict[object, object] = {}
    domains = fields.get("domains")
    for holder in (*(domains.values() if isinstance(domains, dict) else ()), fields):
        cookies = holder.get("cookies") if isinstance(holder, Mapping) else None
        found |= cookies if isinstance(cookies, dict) else {}
    return {
        name: cookie
        for name, cookie in found.items()
        if isinstance(name, str)
        and _COOKIE_NAME.fullmatch(name)
        and isinstance(cookie, str)
        and _COOKIE.fullmatch(cookie)
    }


def read_cost(value: object) -> float | None:
    """The price of a task, read from a number or a plain decimal; None if it is no price."""
    return known_cost(_number(value))


def read_balance(value: object) -> float | None:
    """A balance, which may be negative, read from a number or a plain decimal; None if none."""
    balance = _number(value)
    return balance if balance is not None and abs(balance) <= _MOST_MONEY else None


def _number(value: object) -> float | None:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value)
    if type(value) not in (int, float):
        return None
    number = cast("float", value)
    return float(number) if abs(number) <= _MOST_MONEY else None  # which NaN is not


def read_duration(body: Body) -> float | None:
    """Seconds from ``createTime`` to ``endTime``, None unless the answer has both as Unix times."""
    created, ended = _number(body.get("createTime")), _number(body.get("endTime"))
    if not created or not ended or not 0 < created <= ended:
        return None
    return ended - created
