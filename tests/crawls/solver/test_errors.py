"""Every error of the contract, at either call, through whole crawls over real sockets."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
import pytest_twisted
from crawling import API_KEY, crawl, sandbox

from scrapy_captcha import CaptchaError, Kind
from scrapy_captcha.errors import ERRORS, ErrorCode, Family
from scrapy_captcha.sandbox import Answer, Guard, Mode

if TYPE_CHECKING:
    from crawling import Crawled

    from scrapy_captcha.sandbox import Sandbox

CONTRACT = [code for code, info in ERRORS.items() if info.family is not Family.CLIENT]
RETRIED = {ErrorCode.CAPACITY, ErrorCode.UNSOLVABLE, ErrorCode.PROVIDER_TIMEOUT}
# Pages of one length, so that no path is a part of another.
PAGES = {code: f"/page/{number}" for number, code in enumerate(CONTRACT, 11)}

both_calls = pytest.mark.parametrize("method", ["createTask", "getTaskResult"])
each_code = pytest.mark.parametrize("code", CONTRACT, ids=lambda code: code.value)


@both_calls
@each_code
@pytest_twisted.ensureDeferred
async def test_without_a_word_on_retrying_the_table_decides(code: ErrorCode, method: str) -> None:
    async with sandbox() as running:
        running.solver.script(Answer(method, error=code.value, omit=("retryable",)))
        crawled = await crawl(running, ["/page/1"])

    if code in RETRIED:
        assert_scraped(crawled)
    else:
        assert_dropped(crawled, code)
    assert crawled.stat(f"error_count/{code.value}") == 1


@both_calls
@each_code
@pytest_twisted.ensureDeferred
async def test_what_the_server_calls_not_retryable_is_not_tried_again(
    code: ErrorCode, method: str
) -> None:
    async with sandbox() as running:
        answer = Answer(method, error=code.value, retryable=False, retry_after=0.1)
        running.solver.script(answer)
        crawled = await crawl(running, ["/page/1"])

    if (code, method) == (ErrorCode.CAPACITY, "getTaskResult"):
        assert_scraped(crawled)  # said about the poll: the task is paid for and looked at again
    else:
        assert_dropped(crawled, code)
    assert crawled.stat("reschedule_count") == 0


@both_calls
@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"retry_after": 0.3}, 0.3),
        ({"retry_after_header": "1"}, 1.0),
        ({"retry_after": 0.2, "retry_after_header": "1"}, 1.0),
        ({"retry_after": 1.1, "retry_after_header": "1"}, 1.1),
    ],
    ids=["body", "header", "longer header", "longer body"],
)
@pytest_twisted.ensureDeferred
async def test_what_the_server_calls_retryable_is_tried_again_not_earlier_than_told(
    told: dict[str, Any], seconds: float, method: str
) -> None:
    async with sandbox(guard=Guard(mode=Mode.TOKEN), pages=30) as running:
        for code, path in PAGES.items():
            answer = Answer(method, url_contains=path, error=code.value, retryable=True, **told)
            running.solver.script(answer)
        crawled = await crawl(running, PAGES.values())

    assert crawled.paths == sorted(PAGES.values())
    assert crawled.failures == []
    for code, path in PAGES.items():
        assert waited(running, path) >= seconds
        assert crawled.stat(f"error_count/{code.value}") == 1
    polled_again = method == "getTaskResult"  # CAPACITY there is about the poll
    assert crawled.stat("reschedule_count") == len(CONTRACT) - polled_again
    assert crawled.stat("proxy_rotation_count") == 0  # there is no pool


@pytest_twisted.ensureDeferred
async def test_a_retry_after_header_may_be_a_date() -> None:
    async with sandbox() as running:
        date = formatdate(time.time() + 2, usegmt=True)
        running.solver.script(Answer(error="CAPACITY", retry_after_header=date))
        crawled = await crawl(running, ["/page/1"])

    assert_scraped(crawled)
    # A date has whole seconds: of the two, less than one is lost.
    assert waited(running, "/page/1") >= 1.0


@pytest_twisted.ensureDeferred
async def test_without_a_time_the_wait_is_our_own_and_grows() -> None:
    async with sandbox() as running:
        running.solver.script(Answer(error="PROVIDER_TIMEOUT", times=2))
        crawled = await crawl(running, ["/page/1"])

    assert_scraped(crawled)
    first, second, third = (call.at for call in running.solver.calls[:3])
    assert 0.5 <= second - first < third - second <= 2.5


@pytest_twisted.ensureDeferred
async def test_a_page_is_given_up_after_as_many_retries_as_are_set() -> None:
    async with sandbox() as running:
        running.solver.script(Answer(error="UNSOLVABLE", retry_after=0.1, times=None))
        crawled = await crawl(running, ["/page/1"], {"CAPTCHA_RETRY_TIMES": 2})

    assert_dropped(crawled, ErrorCode.UNSOLVABLE)
    assert len(running.solver.calls) == 3


def assert_scraped(crawled: Crawled) -> None:
    assert crawled.paths == ["/page/1"]
    assert crawled.failures == []
    assert crawled.stat("accepted_count") == 1
    assert crawled.stat("dropped_count") == 0


def assert_dropped(crawled: Crawled, code: ErrorCode) -> None:
    assert crawled.responses == []
    assert [type(failure.value) for failure in crawled.failures] == [CaptchaError]
    assert crawled.reasons == [code.value]
    assert crawled.stat(f"dropped_count/{code.value}") == 1
    assert crawled.stat("dropped_count") == 1


def waited(running: Sandbox, path: str) -> float:
    """Seconds between the error answer about the page at *path* and the next call about it."""
    calls = [call for call in running.solver.calls if call.url.endswith(path)]
    failed = next(n for n, call in enumerate(calls) if (call.status or 0) >= 400)
    return calls[failed + 1].at - calls[failed].at


def two_providers(running: Sandbox) -> dict[str, Any]:
    return {
        "CAPTCHA_PROVIDERS": ["unified", "2captcha"],
        "CAPTCHA_KEYS": {"2captcha": API_KEY},
        "CAPTCHA_API_URLS": {"2captcha": running.url_of("2captcha")},
        "CAPTCHA_MAX_DELAY": 0.1,
        "CLOSESPIDER_TIMEOUT": 90,
    }


@pytest_twisted.ensureDeferred
async def test_a_page_is_given_up_when_all_providers_stay_busy() -> None:
    async with sandbox(pages=1) as running:
        for name in ("unified", "2captcha"):
            running.services[name].script(Answer(error="CAPACITY", times=None))
        crawled = await crawl(running, ["/page/1"], two_providers(running))

    assert crawled.reasons == ["CAPACITY"]
    assert crawled.stat("error_count/CAPACITY") <= 2 * (1 + 3)


@pytest_twisted.ensureDeferred
async def test_a_picture_for_another_provider_is_shown_anew() -> None:
    guard = Guard(Kind.IMAGE, Mode.TOKEN)
    async with sandbox(guard=guard, pages=1) as running:
        running.solver.script(Answer(error="CAPACITY", retry_after=60))
        settings = two_providers(running) | {"CAPTCHA_MAX_DELAY": 60}
        crawled = await crawl(running, ["/page/1"], settings)

    assert crawled.paths == ["/page/1"]
    assert running.services["2captcha"].created == 1
