"""Buys one solution from code of one's own, without a crawl.

::

    export CAPTCHA_API_KEY=...
    python examples/solve.py https://solver.example https://shop.example/login SITE_KEY
"""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from scrapy_captcha import Captcha, Kind, SolverClient, SolverError
from scrapy_captcha.providers import Unified


async def solve(api_url: str, page: str, site_key: str) -> None:
    client = SolverClient(
        Unified(poll_interval=1), api_url=api_url, api_key=os.environ["CAPTCHA_API_KEY"]
    )
    try:
        solution = await client.solve(Captcha(Kind.RECAPTCHA_V2, page, site_key))
        print(solution.answers["token"])
    except SolverError as error:
        sys.exit(f"Not solved: {error}")
    finally:
        await client.close()


def main(_reactor: Any, *arguments: str) -> Deferred[None]:
    return Deferred.fromCoroutine(solve(*arguments))


if __name__ == "__main__":
    react(main, sys.argv[1:])
