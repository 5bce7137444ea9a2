"""2Captcha's older API says the same as the newer one, in its own way."""

from __future__ import annotations

import json
from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
import pytest_twisted
import treq
from selling import URL
from twisted.web.client import FileBodyProducer

from scrapy_captcha.sandbox import Answer, Sandbox, SolverOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

BOX = {"method": "userrecaptcha", "googlekey": "6Le", "pageurl": URL}


async def call(sandbox: Sandbox, path: str, **form: str) -> str:
    key = {"key": sandbox.api_key}
    url = f"{sandbox.url_of('2captcha')}/{path}.php"
    if path == "in":
        response = await treq.post(url, data={**key, **form}, persistent=False)
    else:
        response = await treq.get(url, params={**key, **form}, persistent=False)
    return str(await treq.text_content(response))


async def buy(sandbox: Sandbox, **form: str) -> str:
    said = await call(sandbox, "in", **form)
    assert said.startswith("OK|7"), said
    return said[3:]


@pytest.mark.parametrize(
    ("form", "task"),
    [
        (BOX, {"type": "RecaptchaV2TaskProxyless", "websiteKey": "6Le"}),
        ({**BOX, "enterprise": "1"}, {"type": "RecaptchaV2EnterpriseTaskProxyless"}),
        (
            {**BOX, "version": "v3", "min_score": "0.7"},
            {"type": "RecaptchaV3TaskProxyless", "minScore": 0.7, "isEnterprise": False},
        ),
        (
            {
                "method": "turnstile",
                "sitekey": "1x",
                "proxy": "u:p@192.0.2.1:80",
                "proxytype": "HTTP",
            },
            {
                "type": "TurnstileTask",
                "websiteKey": "1x",
                "proxyType": "http",
                "proxyAddress": "192.0.2.1",
                "proxyPort": 80,
                "proxyLogin": "u",
                "proxyPassword": "p",
            },
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_form_becomes_a_task(form: Mapping[str, str], task: Mapping[str, object]) -> None:
    async with Sandbox() as sandbox:
        await buy(sandbox, **{"pageurl": URL, **form})
        payload = sandbox.services["2captcha"].calls[0].payload
        assert payload
        assert payload["task"] | task | {"websiteURL": URL} == payload["task"]


@pytest_twisted.ensureDeferred
async def test_a_token_is_bought_and_collected_as_text() -> None:
    async with Sandbox() as sandbox:
        task_id = await buy(sandbox, **BOX)
        token = (await call(sandbox, "res", action="get", id=task_id))[3:]
        assert len(token) == 160
        assert await call(sandbox, "res", action="get2", id=task_id) == f"OK|{token}|0.00200"
        assert await call(sandbox, "res", action="getbalance") == "9.998"
        assert await call(sandbox, "res", action="reportbad", id=task_id) == "OK_REPORT_RECORDED"
        assert sandbox.services["2captcha"].refunded == 0.002


@pytest_twisted.ensureDeferred
async def test_geetest_and_all_the_rest_can_be_had_as_json() -> None:
    async with Sandbox() as sandbox:
        form = {"method": "geetest", "gt": "12", "challenge": "34", "pageurl": URL, "json": "1"}
        answer = json.loads(await call(sandbox, "in", **form))
        polled = await call(sandbox, "res", action="get2", id=answer["request"], json="1")
        answer = json.loads(polled)
        assert (answer["status"], answer["price"]) == (1, "0.00200")
        assert answer["request"]["geetest_challenge"] == "34"


@pytest_twisted.ensureDeferred
async def test_a_picture_is_sent_as_text_or_as_a_file() -> None:
    async with Sandbox() as sandbox:
        picture = bytes(200)
        sandbox.book.show_picture(picture, "AC34")
        task_id = await buy(sandbox, method="base64", body=b64encode(picture).decode())
        assert await call(sandbox, "res", action="get", id=task_id) == "OK|AC34"
        url = f"{sandbox.url_of('2captcha')}/in.php"
        fields = {"key": sandbox.api_key, "method": "post"}
        files = {"file": ("a.png", "image/png", FileBodyProducer(BytesIO(picture)))}
        response = await treq.post(url, data=fields, files=files, persistent=False)
        assert (await treq.text_content(response)).startswith("OK|")


@pytest_twisted.ensureDeferred
async def test_what_is_not_solved_yet_and_what_is_refused_is_one_word() -> None:
    async with Sandbox(SolverOptions(solve_time=60)) as sandbox:
        task_id = await buy(sandbox, **BOX)
        assert await call(sandbox, "res", action="get", id=task_id) == "CAPCHA_NOT_READY"
        assert await call(sandbox, "res", action="get", id="1") == "ERROR_WRONG_CAPTCHA_ID"
        assert await call(sandbox, "in", key="wrong") == "ERROR_KEY_DOES_NOT_EXIST"
        sandbox.services["2captcha"].script(Answer(error="CAPACITY"))
        answer = json.loads(await call(sandbox, "in", **BOX, json="1"))
        assert answer == {"status": 0, "request": "ERROR_NO_SLOT_AVAILABLE"}


@pytest_twisted.ensureDeferred
async def test_an_answer_that_is_no_json_comes_as_it_is() -> None:
    async with Sandbox() as sandbox:
        sandbox.services["2captcha"].script(Answer(status=502, body=b"<html>"))
        assert await call(sandbox, "in", **BOX) == "<html>"
