"""What each service does otherwise than the others, over real sockets."""

from __future__ import annotations

import re
from base64 import b64encode

import pytest
import pytest_twisted
from selling import PROXY, Client

from scrapy_captcha.sandbox import Answer, Sandbox, SolverOptions

SLOW = SolverOptions(solve_time=60, price=0.0031, poll_interval=0)
QUICK = SolverOptions(price=0.0031, user_agent="Mozilla/5.0")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize(
    "service", ["anticaptcha", "2captcha", "rucaptcha", "capmonster", "generic"]
)
@pytest_twisted.ensureDeferred
async def test_ids_are_numbers_beyond_32_bits_and_may_be_sent_as_digits(service: str) -> None:
    async with Sandbox(QUICK) as sandbox:
        client = Client(sandbox, service)
        status, answer = await client.call("createTask", task=client.box())
        assert (status, answer) == (200, {"errorId": 0, "taskId": answer["taskId"]})
        assert answer["taskId"] > 1 << 32
        _, answer = await client.call("getTaskResult", taskId=str(answer["taskId"]))
        assert answer["status"] == "ready"


@pytest.mark.parametrize("service", ["anticaptcha", "2captcha", "rucaptcha", "generic"])
@pytest_twisted.ensureDeferred
async def test_an_answer_tells_what_was_paid_and_when(service: str) -> None:
    async with Sandbox(QUICK, services={service: QUICK}) as sandbox:
        client = Client(sandbox, service)
        _, answer = await client.call("getTaskResult", taskId=await client.buy(**client.box()))
        token = answer["solution"].pop("gRecaptchaResponse")
        assert answer["solution"] == (
            {"userAgent": "Mozilla/5.0"} | ({} if service == "anticaptcha" else {"token": token})
        )
        assert (answer["cost"], answer["ip"], answer["solveCount"]) == ("0.00310", "127.0.0.1", 1)
        assert isinstance(answer["createTime"], int)
        assert answer["endTime"] >= answer["createTime"]


@pytest_twisted.ensureDeferred
async def test_capsolver_s_tasks_have_uuids_and_are_idle_first() -> None:
    async with Sandbox(SLOW) as sandbox:
        client = Client(sandbox, "capsolver")
        _, made = await client.call("createTask", task=client.box())
        task_id = made.pop("taskId")
        no_error = {"errorId": 0, "errorCode": "", "errorDescription": ""}
        assert made == {**no_error, "status": "idle"}
        assert UUID.fullmatch(task_id)
        polls = [await client.call("getTaskResult", taskId=task_id) for _ in range(3)]
        assert [answer["status"] for _, answer in polls] == ["idle", "processing", "processing"]


@pytest_twisted.ensureDeferred
async def test_capsolver_s_answer_tells_no_cost_and_its_failures_are_failed() -> None:
    async with Sandbox(QUICK) as sandbox:
        client = Client(sandbox, "capsolver")
        task_id = await client.buy(**client.box())
        _, answer = await client.call("getTaskResult", taskId=task_id)
        assert answer.keys() == {
            *("errorId", "errorCode", "errorDescription", "taskId", "status", "solution")
        }
        client.solver.script(Answer(method="getTaskResult", error="UNSOLVABLE"))
        status, answer = await client.call("getTaskResult", taskId=task_id)
        assert (status, answer["status"]) == (400, "failed")
        assert answer["errorCode"] == "ERROR_CAPTCHA_UNSOLVABLE"


@pytest_twisted.ensureDeferred
async def test_capsolver_reads_a_picture_at_once() -> None:
    async with Sandbox(SLOW) as sandbox:
        client = Client(sandbox, "capsolver")
        sandbox.book.show_picture(b"a picture", "AC34")
        body = b64encode(b"a picture").decode()
        _, answer = await client.call("createTask", task={"type": "ImageToTextTask", "body": body})
        assert (answer["status"], answer["solution"]) == ("ready", {"text": "AC34"})
        task = {"type": "ImageToTextTask", "body": "AAAA"}
        said = await client.refused("createTask", task=task)
        assert said == (400, 1, "ERROR_CAPTCHA_UNSOLVABLE")
        said = await client.refused("createTask", task={**task, "body": "?"})
        assert said == (400, 1, "ERROR_PARSE_IMAGE_FAIL")
        assert client.solver.spent == 0.0031


@pytest_twisted.ensureDeferred
async def test_capmonster_answers_500_while_it_works_and_null_for_no_error() -> None:
    async with Sandbox(SLOW, services={"capmonster": SLOW}) as sandbox:
        client = Client(sandbox, "capmonster")
        task_id = await client.buy(**client.box())
        polls = [await client.call("getTaskResult", taskId=task_id) for _ in range(3)]
        assert [(status, answer["status"]) for status, answer in polls] == [
            (500, "processing"),
            (200, "processing"),
            (200, "processing"),
        ]
        _, answer = await client.call("createTask", task={})
        assert answer["taskId"] == 0
    async with Sandbox(QUICK) as sandbox:
        client = Client(sandbox, "capmonster")
        _, answer = await client.call("getTaskResult", taskId=await client.buy(**client.box()))
        assert (answer.pop("status"), bool(answer.pop("solution"))) == ("ready", True)
        assert answer == {"errorId": 0, "errorCode": None, "errorDescription": None}


@pytest_twisted.ensureDeferred
async def test_capmonster_wants_no_percent_sign_in_a_proxy_s_credentials() -> None:
    async with Sandbox() as sandbox:
        client = Client(sandbox, "capmonster")
        task = {**client.box(), **PROXY, "proxyLogin": "u", "proxyPassword": "a%20b"}
        said = await client.refused("createTask", task=task)
        assert said == (200, 1, "ERROR_PROXY_CREDENTIALS_INVALID_CHARACTER")


@pytest.mark.parametrize(
    ("service", "task_type", "code"),
    [
        ("anticaptcha", "RecaptchaV2Task", "ERROR_INCORRECT_SESSION_DATA"),
        ("2captcha", "RecaptchaV2Task", "ERROR_BAD_PROXY"),
        ("capsolver", "ReCaptchaV2Task", "ERROR_INVALID_TASK_DATA"),
        ("capmonster", "RecaptchaV2Task", "ERROR_PROXY_MISSING"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_proxy_has_to_be_described_as_a_whole(
    service: str, task_type: str, code: str
) -> None:
    async with Sandbox() as sandbox:
        client = Client(sandbox, service)
        task = {**client.box(), "type": task_type}
        for missing in PROXY:
            part = {name: value for name, value in PROXY.items() if name != missing}
            said = await client.refused("createTask", task={**task, **part})
            assert said[2] == code, missing
        said = await client.refused("createTask", task={**task, **PROXY, "proxyType": "ftp"})
        assert said[2] == code
        await client.buy(**task, **PROXY)


@pytest_twisted.ensureDeferred
async def test_capsolver_takes_a_proxy_in_one_word_too() -> None:
    async with Sandbox() as sandbox:
        client = Client(sandbox, "capsolver")
        task = {**client.box(), "type": "ReCaptchaV2Task"}
        await client.buy(**task, proxy="http:192.0.2.1:8080:user:secret")
        other = Client(sandbox, "anticaptcha")
        task = {**other.box(), "type": "RecaptchaV2Task", "proxy": "http:192.0.2.1:8080"}
        said = await other.refused("createTask", task=task)
        assert said[2] == "ERROR_INCORRECT_SESSION_DATA"


@pytest.mark.parametrize(
    ("service", "smallest", "largest"),
    [("anticaptcha", 100, 500_000), ("2captcha", 100, 100_000), ("capmonster", 100, 50_000)],
)
@pytest_twisted.ensureDeferred
async def test_pictures_have_to_have_a_size(service: str, smallest: int, largest: int) -> None:
    words = ("ERROR_ZERO_CAPTCHA_FILESIZE", "ERROR_TOO_BIG_CAPTCHA_FILESIZE")
    async with Sandbox() as sandbox:
        client = Client(sandbox, service)
        for size, word in zip((smallest - 1, largest + 1), words, strict=True):
            body = b64encode(bytes(size)).decode()
            task = {"type": "ImageToTextTask", "body": body}
            assert (await client.refused("createTask", task=task))[2] == word
        for size in (smallest, largest):
            await client.buy(type="ImageToTextTask", body=b64encode(bytes(size)).decode())
