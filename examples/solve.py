"""One solution, bought without a crawl: python solve.py PAGE SITE_KEY"""

import os
import sys

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from scrapy_captcha import Captcha, Kind, SolverClient, SolverError
from scrapy_captcha.providers import Unified

API_URL = "http://127.0.0.1:8000"


async def solve(page, site_key):
    api_key = os.environ["CAPTCHA_API_KEY"]
    client = SolverClient(Unified(poll_interval=1), api_url=API_URL, api_key=api_key)
    try:
        solution = await client.solve(Captcha(Kind.RECAPTCHA_V2, page, site_key))
        print("Token:", solution.answers["token"])
    except SolverError as error:
        sys.exit(f"Not solved: {error}")
    finally:
        await client.close()


if __name__ == "__main__":
    react(lambda _reactor, *words: Deferred.fromCoroutine(solve(*words)), sys.argv[1:])
