"""Calls one service of a sandbox, over a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import treq

if TYPE_CHECKING:
    from scrapy_captcha.sandbox import Sandbox

URL = "http://127.0.0.1/page/1"
PROXY = {"proxyType": "http", "proxyAddress": "192.0.2.1", "proxyPort": 8080}
# What services call a task for a box to tick, where not as most of them do.
_BOXES = {"capsolver": "ReCaptchaV2TaskProxyLess", "capmonster": "RecaptchaV2Task"}
_BOX = "RecaptchaV2TaskProxyless"

# What is said in place of an answer: the HTTP status, errorId and errorCode.
Said = tuple[int, int, str]


class Client:
    """Calls one service of a sandbox."""

    def __init__(self, sandbox: Sandbox, service: str) -> None:
        self.url = sandbox.url_of(service)
        self.solver = sandbox.services[service]
        self.key = self.solver.options.api_key

    async def call(self, method: str, **payload: object) -> tuple[int, Any]:
        return await self.send(method, {"clientKey": self.key, **payload})

    async def send(self, method: str, payload: object) -> tuple[int, Any]:
        response = await treq.post(f"{self.url}/{method}", json=payload, persistent=False)
        return response.code, await treq.json_content(response)

    async def refused(self, method: str, **payload: object) -> Said:
        status, answer = await self.call(method, **payload)
        assert isinstance(answer["errorDescription"], str)
        return status, answer["errorId"], answer["errorCode"]

    async def buy(self, **task: object) -> Any:
        status, answer = await self.call("createTask", task=task)
        assert (status, answer["errorId"]) == (200, 0), answer
        return answer["taskId"]

    async def solution(self, **task: object) -> dict[str, Any]:
        _, answer = await self.call("getTaskResult", taskId=await self.buy(**task))
        return dict(answer["solution"])

    def box(self) -> dict[str, object]:
        name = _BOXES.get(self.solver.dialect.name, _BOX)
        return {"type": name, "websiteURL": URL, "websiteKey": "6Le"}
