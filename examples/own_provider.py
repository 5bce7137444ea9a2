"""A provider of one's own: a service that speaks createTask, in its own words.

::

    export CAPTCHA_API_KEY=...
    python examples/own_provider.py https://api.shopsolver.example https://shop.example/ SITE_KEY
"""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from scrapy_captcha import Captcha, ErrorCode, Kind, SolverClient
from scrapy_captcha.providers import CreateTask, PollingRules, TaskType, Verdict


class ShopSolver(CreateTask):
    name = "shopsolver"
    base_url = "https://api.shopsolver.example"
    rules = PollingRules(first=1.0, interval=1.0, polls=60)
    tasks = {
        Kind.TURNSTILE: TaskType(
            "TurnstileTaskProxyless",
            proxied="TurnstileTask",
            fields={"websiteURL": "url", "websiteKey": "site_key", "action": "action"},
        ),
        Kind.IMAGE: TaskType("ImageToTextTask", fields={"body": "image"}),
    }
    errors = CreateTask.errors | {
        "NO_MONEY": Verdict(ErrorCode.BALANCE_EMPTY),
        "TRY_LATER": Verdict(ErrorCode.CAPACITY, delay=10.0),
    }
    prices = {Kind.TURNSTILE: 0.001}


async def solve(api_url: str, page: str, site_key: str) -> None:
    key = os.environ["CAPTCHA_API_KEY"]
    client = SolverClient(ShopSolver(poll_interval=1), api_url=api_url, api_key=key)
    try:
        solution = await client.solve(Captcha(Kind.TURNSTILE, page, site_key))
        print(solution.answers["token"])
    finally:
        await client.close()


def main(_reactor: Any, *arguments: str) -> Deferred[None]:
    return Deferred.fromCoroutine(solve(*arguments))


if __name__ == "__main__":
    react(main, sys.argv[1:])
