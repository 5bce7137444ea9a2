"""The older API of 2Captcha, ``in.php`` and ``res.php``, which its official client speaks still.

Nothing but another way to say the same: forms are turned into calls of the newer one, and its
answers back.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from .script import HttpReply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .tasks import JsonObject

PATHS = ("in.php", "res.php")

# By method: the type, and the newer name of what the form has.
_TYPES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "userrecaptcha": ("RecaptchaV2", {"websiteKey": "googlekey"}),
    "turnstile": ("Turnstile", {"websiteKey": "sitekey"}),
    "geetest": ("GeeTest", {"gt": "gt", "challenge": "challenge"}),
    "funcaptcha": ("FunCaptcha", {"websitePublicKey": "publickey"}),
    "mt_captcha": ("MtCaptcha", {"websiteKey": "sitekey"}),
    "friendly_captcha": ("FriendlyCaptcha", {"websiteKey": "sitekey"}),
    "yandex": ("YandexSmartCaptcha", {"websiteKey": "sitekey"}),
}
_ACTIONS = {
    "get": "getTaskResult",
    "get2": "getTaskResult",
    "getbalance": "getBalance",
    "reportgood": "reportCorrect",
    "reportbad": "reportIncorrect",
}
_PENDING = "CAPCHA_NOT_READY"
_CODES = {"ERROR_NO_SUCH_CAPCHA_ID": "ERROR_WRONG_CAPTCHA_ID"}


def as_call(path: str, form: Mapping[str, bytes]) -> tuple[str, JsonObject]:
    """The method and the payload that *form*, sent to *path*, stands for."""
    fields = {name: value.decode("utf-8", "replace") for name, value in form.items()}
    key = {"clientKey": fields["key"]} if "key" in fields else {}
    if path == "res.php":
        method = _ACTIONS.get(fields.get("action", ""), "")
        task_id = {"taskId": fields["id"]} if "id" in fields else {}
        return method, {**key, **task_id}
    return "createTask", {**key, "task": _task(fields, form.get("file"))}


def _task(fields: Mapping[str, str], file: bytes | None) -> JsonObject:
    if file is not None or "body" in fields:
        body = fields.get("body") or b64encode(file or b"").decode()
        return {"type": "ImageToTextTask", "body": body}
    stem, names = _TYPES.get(fields.get("method", ""), ("Unknown", {}))
    known = {name: fields[old] for name, old in names.items() if old in fields}
    if stem == "RecaptchaV2":
        known, stem = known | _flavour(fields), _stem(fields)
    proxy = _proxy(fields)
    name = f"{stem}Task" if proxy else f"{stem}TaskProxyless"
    return {"type": name, "websiteURL": fields.get("pageurl", ""), **known, **proxy}


def _stem(fields: Mapping[str, str]) -> str:
    if fields.get("version") == "v3":
        return "RecaptchaV3"
    return "RecaptchaV2Enterprise" if fields.get("enterprise") == "1" else "RecaptchaV2"


def _flavour(fields: Mapping[str, str]) -> JsonObject:
    if fields.get("version") != "v3":
        return {}
    score, enterprise = fields.get("min_score", "0.4"), fields.get("enterprise") == "1"
    return {"minScore": _score(score), "isEnterprise": enterprise}


def _score(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _proxy(fields: Mapping[str, str]) -> JsonObject:
    if not fields.get("proxy"):
        return {}
    credentials, _, address = fields["proxy"].rpartition("@")
    host, _, port = address.rpartition(":")
    login, _, password = credentials.partition(":")
    return {
        "proxyType": fields.get("proxytype", "").lower(),
        "proxyAddress": host,
        "proxyPort": int(port) if port.isdecimal() else port,
        "proxyLogin": login,
        "proxyPassword": password,
    }


def as_reply(reply: HttpReply, form: Mapping[str, bytes]) -> HttpReply:
    """*reply*, of the newer API, in the older one's words; as it is when it is no JSON object."""
    try:
        answer = json.loads(reply.body)
        good, word = _word(answer)
    except (ValueError, TypeError, KeyError):
        return reply
    priced = form.get("action") == b"get2" and "cost" in answer
    if form.get("json") == b"1":
        price = {"price": answer["cost"]} if priced else {}
        return HttpReply.json({"status": int(good), "request": word, **price}, reply.status)
    text = word if isinstance(word, str) else json.dumps(word)
    prefix = "OK|" if {"taskId", "solution"} & answer.keys() else ""
    suffix = f"|{answer['cost']}" if priced else ""
    return HttpReply(reply.status, f"{prefix}{text}{suffix}".encode())


def _word(answer: Mapping[str, Any]) -> tuple[bool, Any]:
    """Whether *answer* is a good one, and what the older API says in its place."""
    if answer["errorId"]:
        return False, _CODES.get(answer["errorCode"], answer["errorCode"])
    if "solution" in answer:
        return True, _solved(answer["solution"])
    if "taskId" in answer:
        return True, str(answer["taskId"])
    if "balance" in answer:
        return True, str(answer["balance"])
    return (False, _PENDING) if answer["status"] == "processing" else (True, "OK_REPORT_RECORDED")


def _solved(solution: Mapping[str, str]) -> Any:
    for name in ("token", "text"):
        if name in solution:
            return solution[name]
    return {f"geetest_{name}": value for name, value in solution.items()}
