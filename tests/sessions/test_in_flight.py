"""What is noted of requests that go out together is bounded, however many sites there are."""

from __future__ import annotations

import gc
from itertools import count

import pytest_twisted
from scrapy import Request

from scrapy_captcha.sessions.in_flight import InFlight, _Group

SITES = 10_000  # as many as are remembered
HOSTS = 100  # of one site


def noted() -> int:
    """How many crowds are in memory."""
    gc.collect()
    return sum(type(one) is _Group for one in gc.get_objects())


def two_of(host: str) -> list[Request]:
    return [Request(f"http://{host}/{n}") for n in range(2)]


@pytest_twisted.ensureDeferred
async def test_the_oldest_site_is_forgotten_and_waited_for_no_more() -> None:
    numbers, before = count(), noted()
    newcomers = InFlight(lambda: next(numbers))
    first = two_of("site.example")
    for request in first:
        newcomers.went(request)
    newcomers.came_back(first[0], with_cookie=False)
    for n in range(SITES + 100):
        newcomers.went(Request(f"http://site{n}.example/"))

    assert not await newcomers.have_settled_since(first[0], 0)
    assert noted() - before <= SITES + 1


@pytest_twisted.ensureDeferred
async def test_the_newest_sites_are_remembered() -> None:
    numbers = count()
    newcomers = InFlight(lambda: next(numbers))
    for n in range(SITES + 100):
        newcomers.went(Request(f"http://site{n}.example/"))
    last = two_of("site.example")
    for request in last:
        newcomers.went(request)
    for request in last:
        newcomers.came_back(request, with_cookie=True)

    assert await newcomers.have_settled_since(last[0], 0)


def test_a_site_has_so_many_hosts_and_no_more() -> None:
    before = noted()
    newcomers = InFlight(lambda: 0.0)
    for n in range(10 * HOSTS):
        request = Request(f"http://host{n}.example.com/")
        newcomers.went(request)
        newcomers.came_back(request, with_cookie=False)

    assert noted() - before <= HOSTS + 1


def test_cookie_jars_without_number_are_forgotten_too() -> None:
    before = noted()
    newcomers = InFlight(lambda: 0.0)
    for n in range(SITES + 100):
        newcomers.went(Request("http://site.example/", meta={"cookiejar": n}))

    assert noted() - before <= SITES + 1
