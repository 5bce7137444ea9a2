"""Solves captchas with clients that others wrote, each through its own code.

A program for ``test_clients.py``: ``clients.py CLIENT SERVICE_URL API_KEY PICTURE`` prints what the
client got, as JSON: tokens for the box, behind a proxy and without, what it read on the picture,
the balance, the answer to a bad report, and what it says of a wrong key. It is a process of its
own because clients block, sleep long and leave connections open.
"""

# mypy: ignore-errors
from __future__ import annotations

import asyncio
import json
import sys
import time
from base64 import b64decode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = "http://127.0.0.1/page/1"
BOX = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
HOST, PORT = "192.0.2.1", 8080
_sleep = time.sleep
Got = dict[str, Any]


def hurry() -> None:
    """Make all sleeps of the client's short ones."""
    time.sleep = lambda seconds: _sleep(min(seconds, 0.05))


def aim(address: str, service: str) -> None:
    """Send what goes to *address*, which the client has no option for, to *service*."""
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def sent(self: Any, request: Any, **options: Any) -> Any:
        request.url = request.url.replace(address, service)
        return send(self, request, **options)

    HTTPAdapter.send = sent


def said(call: Callable[[], Any]) -> str:
    """What *call* raises, or answers, as text."""
    try:
        return str(call())
    except Exception as error:  # noqa: BLE001 - of any client's own class
        return str(error)


def anticaptchaofficial(url: str, key: str, picture: str) -> Got:
    from anticaptchaofficial.imagecaptcha import imagecaptcha
    from anticaptchaofficial.recaptchav2proxyless import recaptchaV2Proxyless
    from anticaptchaofficial.recaptchav2proxyon import recaptchaV2Proxyon

    aim("https://api.anti-captcha.com", url)

    def client(of: Any, key: str = key) -> Any:
        made = of()
        made.set_key(key)
        made.set_website_url(PAGE)
        made.set_website_key(BOX)
        made.set_proxy_address(HOST)
        made.set_proxy_port(PORT)
        return made

    box, refused = client(recaptchaV2Proxyless), client(recaptchaV2Proxyless, "wrong")
    refused.solve_and_return_solution()
    reader = client(imagecaptcha)
    return {
        "proxied": client(recaptchaV2Proxyon).solve_and_return_solution(),
        "box": box.solve_and_return_solution(),
        "report": box.report_incorrect_recaptcha(),
        "text": reader.solve_and_return_solution(None, body=b64decode(picture)),
        "balance": box.get_balance(),
        "refused": refused.err_string,
    }


def python3_anticaptcha(url: str, key: str, picture: str) -> Got:
    from python3_anticaptcha.control import Control
    from python3_anticaptcha.image_to_text import ImageToText
    from python3_anticaptcha.recaptcha_v2 import ReCaptchaV2

    aim("https://api.anti-captcha.com", url)

    def box(name: str, key: str = key, **proxy: object) -> Any:
        return ReCaptchaV2(key, name, PAGE, BOX, **proxy).captcha_handler()

    proxy = {"proxyType": "http", "proxyAddress": HOST, "proxyPort": PORT}
    bought, control = box("RecaptchaV2TaskProxyless"), Control(key)
    read = ImageToText(key).captcha_handler(captcha_base64=b64decode(picture))
    return {
        "box": bought["solution"]["gRecaptchaResponse"],
        "proxied": box("RecaptchaV2Task", **proxy)["solution"]["gRecaptchaResponse"],
        "text": read["solution"]["text"],
        "balance": control.get_balance()["balance"],
        "report": control.report_incorrect_recaptcha(bought["taskId"]),
        "refused": said(lambda: box("RecaptchaV2TaskProxyless", "wrong")),
    }


def python_rucaptcha(url: str, key: str, picture: str, service: str = "2captcha") -> Got:
    from python_rucaptcha.control import Control
    from python_rucaptcha.image_captcha import ImageCaptcha
    from python_rucaptcha.re_captcha import ReCaptcha

    aim(f"https://api.{service}.com", url)

    def box(name: str, key: str = key, **proxy: object) -> Any:
        account = {"rucaptcha_key": key, "service_type": service}
        return ReCaptcha(PAGE, BOX, method=name, **account, **proxy).captcha_handler()

    proxy = {"proxyType": "http", "proxyAddress": HOST, "proxyPort": PORT}
    bought, control = (
        box("RecaptchaV2TaskProxyless"),
        Control(rucaptcha_key=key, service_type=service),
    )
    reader = ImageCaptcha(rucaptcha_key=key, service_type=service)
    read = reader.captcha_handler(captcha_base64=b64decode(picture))
    return {
        "box": bought["solution"]["gRecaptchaResponse"],
        "proxied": box("RecaptchaV2Task", **proxy)["solution"]["token"],
        "text": read["solution"]["text"],
        "balance": control.getBalance()["balance"],
        "report": control.reportIncorrect(bought["taskId"]),
        "refused": said(lambda: box("RecaptchaV2TaskProxyless", "wrong")),
    }


def python_rucaptcha_ru(url: str, key: str, picture: str) -> Got:
    return python_rucaptcha(url, key, picture, "rucaptcha")


def twocaptcha(url: str, key: str, picture: str) -> Got:
    from twocaptcha import TwoCaptcha

    aim("https://2captcha.com", url)
    client = TwoCaptcha(key)
    bought = client.recaptcha(BOX, PAGE)
    proxy = {"type": "HTTP", "uri": f"login:password@{HOST}:{PORT}"}
    return {
        "box": bought["code"],
        "proxied": client.recaptcha(BOX, PAGE, proxy=proxy)["code"],
        "text": client.normal(picture)["code"],
        "balance": client.balance(),
        "report": client.report(bought["captchaId"], correct=False),
        "refused": said(lambda: TwoCaptcha("wrong").recaptcha(BOX, PAGE)),
    }


def capsolver(url: str, key: str, picture: str) -> Got:
    import capsolver as client

    client.api_base, client.api_key = url, key
    box = {"websiteURL": PAGE, "websiteKey": BOX}
    proxied = {"type": "ReCaptchaV2Task", **box, "proxy": f"http:{HOST}:{PORT}"}
    got = {
        "box": client.solve({"type": "ReCaptchaV2TaskProxyLess", **box})["gRecaptchaResponse"],
        "proxied": client.solve(proxied)["gRecaptchaResponse"],
        "text": client.solve({"type": "ImageToTextTask", "body": picture})["text"],
        "balance": client.balance()["balance"],
    }
    client.api_key = "wrong"
    return {**got, "refused": said(client.balance)}


def capsolver_core(url: str, key: str, _picture: str) -> Got:
    from capsolver_core import Capsolver, CaptchaInfo, CaptchaType

    async def box(key: str = key, **proxy: object) -> str:
        info = CaptchaInfo(CaptchaType.RECAPTCHA_V2, PAGE, BOX, **proxy)
        async with Capsolver(api_key=key, service=url, polling_interval=0.05) as client:
            return str((await client.solve(info)).token)

    async def balance() -> float:
        async with Capsolver(api_key=key, service=url) as client:
            return float((await client.get_balance()).balance)

    return {
        "box": asyncio.run(box()),
        "proxied": asyncio.run(box(proxy=f"http:{HOST}:{PORT}")),
        "balance": asyncio.run(balance()),
        "refused": said(lambda: asyncio.run(box("wrong"))),
    }


def python3_capsolver(url: str, key: str, picture: str) -> Got:
    from python3_capsolver.core.enum import CaptchaTypeEnm as Type
    from python3_capsolver.image_to_text import ImageToText
    from python3_capsolver.recaptcha import ReCaptcha

    def box(name: Any, key: str = key, **proxy: object) -> Any:
        client = ReCaptcha(key, name, request_url=f"{url}/")
        return client.captcha_handler({"websiteURL": PAGE, "websiteKey": BOX, **proxy})

    proxied = box(Type.ReCaptchaV2Task, proxy=f"http:{HOST}:{PORT}")
    read = ImageToText(key, request_url=f"{url}/").captcha_handler({"body": picture})
    return {
        "box": box(Type.ReCaptchaV2TaskProxyLess)["solution"]["gRecaptchaResponse"],
        "proxied": proxied["solution"]["gRecaptchaResponse"],
        "text": read["solution"]["text"],
        "refused": said(lambda: box(Type.ReCaptchaV2TaskProxyLess, "wrong")),
    }


def capmonster_python(url: str, key: str, picture: str) -> Got:
    from capmonster_python import (
        CapmonsterClient,
        ImageToTextTask,
        ProxyPayload,
        RecaptchaV2Task,
    )

    CapmonsterClient._CapmonsterClient__BASE_URL = url
    client = CapmonsterClient(key)
    proxy = ProxyPayload(proxyType="http", proxyAddress=HOST, proxyPort=PORT)
    box = RecaptchaV2Task(websiteURL=PAGE, websiteKey=BOX)
    proxied = RecaptchaV2Task(websiteURL=PAGE, websiteKey=BOX, proxy=proxy)
    task_id = client.create_task(box)
    return {
        "box": client.join_task_result(task_id)["gRecaptchaResponse"],
        "proxied": client.solve(proxied)["gRecaptchaResponse"],
        "text": client.solve(ImageToTextTask(body=picture))["text"],
        "balance": client.get_balance(),
        "report": client.report_incorrect_token(task_id),
        "refused": said(CapmonsterClient("wrong").get_balance),
    }


def captcha_solver_api(url: str, key: str, picture: str) -> Got:
    from captcha_solver_api import CaptchaClient, tasks

    client = CaptchaClient(key, base_url=url)
    box = tasks.RecaptchaV2TaskProxyless(PAGE, BOX)
    proxied = tasks.RecaptchaV2Task(PAGE, BOX, "http", HOST, PORT)
    return {
        "box": client.solve(box)["gRecaptchaResponse"],
        "proxied": client.solve(proxied)["token"],
        "text": client.solve(tasks.ImageToTextTask(picture))["text"],
        "balance": client.get_balance(),
        "refused": said(CaptchaClient("wrong", base_url=url).get_balance),
    }


if __name__ == "__main__":
    hurry()
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))  # noqa: T201
